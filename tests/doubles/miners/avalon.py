"""Replies of Avalons: the keys and quirks of captures, invented figures, except powers that are known facts."""


def status(code, message):
    return [{"STATUS": "S", "When": 24_701, "Code": code, "Msg": message, "Description": "cgminer 4.11.1"}]


def version(product, model, build, more=None):
    row = {
        "CGMiner": "4.11.1",
        "API": "3.7",
        "PROD": product,
        "MODEL": model,
        "HWTYPE": "MM4v1_X3",
        "SWTYPE": "MM317",
        "VERSION": build,
        "LOADER": "d0d779de.00",
        "DNA": "0201000011223344",
        "MAC": "0200b4a2eb3f",
        "UPAPI": "2",
    }
    return {"STATUS": status(22, "CGMiner versions"), "VERSION": [{**row, **(more or {})}], "id": 1}


def summary(elapsed_s, mhs, accepted, difficulty, **changed):
    total = accepted * difficulty
    row = {
        "Elapsed": elapsed_s, "MHS av": mhs, "MHS 5s": mhs, "MHS 1m": mhs, "MHS 5m": mhs, "MHS 15m": mhs,
        "Accepted": accepted, "Rejected": 2, "Stale": 0, "Difficulty Accepted": total, "Difficulty Rejected": 786_432.0,
        "Difficulty Stale": 0.0, "Hardware Errors": 0, "Total MH": mhs * elapsed_s, **changed,
    }  # fmt: skip
    return {"STATUS": status(11, "Summary"), "SUMMARY": [row], "id": 1}


def pools(accepted, difficulty):
    row = {
        "POOL": 0,
        "URL": "stratum+tcp://pool.example.com:4444",
        "User": "wallet.worker",
        "Password": "hush",
        "Status": "Alive",
        "Priority": 0,
        "Accepted": accepted,
        "Rejected": 2,
        "Stale": 0,
        "Stratum Active": True,
        "Stratum Difficulty": difficulty,
        "Work Difficulty": difficulty,
        "Difficulty Accepted": accepted * difficulty,
    }
    return {"STATUS": status(7, "1 Pool(s)"), "POOLS": [row], "id": 1}


def chips(count, degrees):
    return " " + "  ".join(str(degrees + index % 5) for index in range(count))


def a1246(elapsed_s=24_600, ps="0 1214 1316 242 3189 1320 3504", work="In Work", mpo=3200):
    """Firmware 21072802: one capture whose three powers give 40.0, 40.2 and 44.0 J/TH at 79,656 GH/s."""
    text = (
        f"Ver[1246-83-21072802_4ec6bb0_211fc46] DNA[0201000011223344] MEMFREE[1200000.0] NETFAIL[0 0 0 0 0 0 0 0] "
        f"SYSTEMSTATU[Work: {work}, Hash Board: 3 ] Elapsed[{elapsed_s}] BOOTBY[0x08.00000000] LW[24000000] "
        f"MH[900 700 1000] HW[2600] DH[2.500%] Temp[29] TMax[78] TAvg[65] Fan1[5300] Fan2[5310] Fan3[5320] "
        f"Fan4[5330] FanR[70%] Vo[325] PS[{ps}] GHSspd[81000.50] DHspd[2.500%] GHSmm[83900.00] GHSavg[79656.63] "
        f"WU[1112800.00] Freq[500.25] Led[0] MGHS[26900.00 26050.00 26706.63] MTmax[78 77 76] MTavg[66 65 64] TA[360] "
        f"Core[A3201] PING[100] SoftOFF[0] ECHU[0 0 0] ECMM[0] PVT_T0[{chips(120, 60)}] PVT_T1[{chips(120, 61)}] "
        f"PVT_T2[{chips(119, 62)}  0] PVT_V0[305 312] FACOPTS0[] ATAOPTS0[--avalon10-freq 448:468 --hash-asic 120 ] "
        f"MPO[{mpo}] MVL[87] WORKMODE[0]"
    )
    row = {"STATS": 0, "ID": "AVA100", "Elapsed": elapsed_s, "MM ID0": text, "MM Count": 1, "Nonce Mask": 25}
    return {
        "version": version("AvalonMiner 1246-83", "1246-83", "21072802_4ec6bb0_211fc46"),
        "summary": summary(elapsed_s, 79_500_000.0, 3_500, 131_072.0),
        "estats": {"STATUS": status(70, "CGMiner stats"), "STATS": [row], "id": 1},
        "pools": pools(3_500, 131_072.0),
    }


def a1346(elapsed_s=7_000):
    """Firmware 23042501 in the text form, with commas within brackets."""
    head = f"STATUS=S,When={elapsed_s},Code=70,Msg=CGMiner stats,Description=cgminer 4.11.1|"
    text = (
        "Ver[1346-116-23042501_6d4cd98_d3a493a] SYSTEMSTATU[Work: In Work, Hash Board: 3 ] Temp[31] TMax[80] TAvg[70] "
        "Fan1[4100] Fan2[4150] FanR[60%] PS[0 1226 1443 215 3150 1443 3320] GHSspd[118850.1] DHspd[0.000%] "
        "GHSmm[120000.00] GHSavg[117900.00] Freq[495.5] MGHS[39300.0 39300.0 39300.0] TA[360] ECHU[0 512 0] ECMM[0] "
        "MPO[3100] WORKMODE[1]"
    )
    return {
        "version": f"STATUS=S,When={elapsed_s},Code=22,Msg=CGMiner versions,Description=cgminer 4.11.1|VERSION,"
        "CGMiner=4.11.1,API=3.7,PROD=AvalonMiner 1346-116,MODEL=1346-116,HWTYPE=MM4v1_X3,VERSION=23042501_6d4cd98,"
        "DNA=0201000055667788,MAC=0200b4a2eb40,UPAPI=2| ",
        "summary": f"STATUS=S,When={elapsed_s},Code=11,Msg=Summary,Description=cgminer 4.11.1|SUMMARY,"
        f"Elapsed={elapsed_s},MHS av=117900000.00,MHS 30s=118850000.00,Accepted=700,Rejected=0,Stale=0,"
        "Difficulty Accepted=183500800.00000,Difficulty Rejected=0.00000000,Total MH=825300000000.0| ",
        "estats": f"{head}STATS=0,ID=AVA100,Elapsed={elapsed_s},Calls=0,MM ID0={text},MM Count=0,Nonce Mask=0| ",
        "pools": f"STATUS=S,When={elapsed_s},Code=7,Msg=1 Pool(s),Description=cgminer 4.11.1|POOL=0,"
        "URL=stratum+tcp://pool.example.com:4444,Status=Alive,Priority=0,Accepted=700,Rejected=0,User=wallet.worker,"
        "Stratum Active=true,Work Difficulty=262144.00000000|",
    }


def a1566(elapsed_s=975):
    """Firmware 24102401: the wall power has a name of its own."""
    text = (
        f"Ver[15-194-24102401_25462b2_9ddf522] SYSTEMSTATU[Work: In Work, Hash Board: 3 ] Elapsed[{elapsed_s}] HW[0] "
        "DH[1.299%] Temp[31] TMax[78] TAvg[70] Fan1[4250] Fan2[4260] FanR[48%] Vo[297] "
        "PS[0 1209 1187 297 3520 1188 3730] WALLPOWER[3730] GHSspd[199100.07] DHspd[1.299%] GHSmm[201900.42] "
        "GHSavg[184000.00] WU[2570000.00] Freq[346.50] MGHS[59400.0 61400.0 63200.0] MTmax[77 78 77] MTavg[69 70 71] "
        "TA[480] Core[A3197S] ECHU[0 0 0] ECMM[0] MPO[3700] WORKMODE[0] WORKLEVEL[0]"
    )
    row = {"STATS": 0, "ID": "AVA100", "Elapsed": elapsed_s, "MM ID0": text}
    return {
        "version": version("AvalonMiner 15-194", "15-194", "24102401_25462b2_9ddf522"),
        "summary": summary(elapsed_s, 192_000_000.0, 160, 262_144.0),
        "estats": {"STATUS": status(70, "CGMiner stats"), "STATS": [row], "id": 1},
        "pools": pools(160, 262_144.0),
    }


def q_idle(elapsed_s=37_700):
    """An Avalon Q that was put to sleep: averages that go on, 146 W at the input, quoted text in `stats` only."""
    text = (
        "'STATS':{Ver[Q-25052801_14a19a2] LVer[25052801_14a19a2] CPU[K230] FW[Release] STATE[2] SSID[] "
        f"SYSTEMSTATU[Work: In Idle, Hash Board: 1] Elapsed[{elapsed_s}] DH[2.449%] ITemp[26] HBITemp[27] HBOTemp[27] "
        "TMax[0] TAvg[0] TarT[65] Fan1[0] Fan2[0] Fan3[0] Fan4[0] FanR[0%] PS[0 1222 4 0 0 2245 146] PCOMM_E[0] "
        "GHSspd[0.00] DHspd[0.000%] GHSmm[55000.00] GHSavg[44500.00] WU[621600.00] Freq[283.00] MGHS[44500.00] "
        "TA[160] Core[A3197S] SoftOFF[4] ECHU[0] ECMM[0] WORKMODE[0] WORKLEVEL[0] MPO[800] Nonce Mask[25]}"
    )
    row = {"STATS": 0, "ID": "AVALON0", "Elapsed": elapsed_s, "MM ID0:Summary": text,
           "HBinfo": f"'HB0':{{PVT_T0[{chips(160, 58)}] PVT_V0[282 278] MW0[526 664]}}"}  # fmt: skip
    row |= {"MHS": 0}
    zero = {"MHS 5s": 0.0, "MHS 1m": 0.0, "MHS 5m": 0.06}
    product = {"LVERSION": "25052801_14a19a2", "HWTYPE": "Q_MM1v1_X1"}
    return {
        "version": version("Avalon Q", "Q", "", product),
        "summary": summary(elapsed_s, 44_540_000.0, 890, 414_000.0, **zero),
        "stats": {"STATUS": status(70, "CGMiner stats"), "STATS": [row, {"STATS": 1, "ID": "POOL0"}], "id": 1},
        "pools": pools(890, 524_288.0),
    }


def nano3(elapsed_s=5_000, model="Nano3", ps="0 0 0 3 2792 89 324"):
    """A Nano 3: 27.92 V, 3.24 A, 89 W from its adapter; JSON with an unquoted nan."""
    text = (
        f"Ver[{model}-25021401_56abae7] SYSTEMSTATU[Work: In Work, Hash Board: 1] Elapsed[{elapsed_s}] OTemp[40] "
        f"TMax[90] TAvg[85] Fan1[1540] FanR[40%] PS[{ps}] GHSspd[3990.1] GHSmm[4100.0] GHSavg[3961.0] Freq[400.0] "
        "MGHS[3961.0] TA[10] Core[A3197S] ECHU[0] ECMM[0] WORKMODE[2] WORKLEVEL[0] MPO[140]"
    )
    estats = (
        '{"STATUS":[{"STATUS":"S","When":5000,"Code":70,"Msg":"CGMiner stats"}],"STATS":[{"STATS":0,"ID":"AVANANO0",'
        f'"Elapsed":{elapsed_s},"Wait":nan,"MM ID0":"{text}"}}],"id":1}}'
    )
    return {
        "version": version(f"Avalon {model}", model, "25021401_56abae7"),
        "summary": summary(elapsed_s, 3_961_000.0, 300, 15_400.0),
        "estats": estats,
        "pools": pools(300, 16_384.0),
    }
