"""Replies of Antminers with stock firmware: the keys and quirks of captures, invented figures."""

NAMES = ("version", "summary", "stats", "pools")


def status(code, message):
    return [{"STATUS": "S", "When": 1780000000, "Code": code, "Msg": message, "Description": "cgminer 1.0.0"}]


def s19_pro(elapsed_s=50_000, ghs=108_000.0, accepted=4_000, difficulty=320_000.0):
    """Firmware of December 2022: rates in GHS, boards as numbered keys, ratios of zero, a timestamp as difficulty."""
    header = {"BMMiner": "1.0.0", "Miner": "49.0.1.3", "CompileTime": "Tue Dec  6 16:12:30 CST 2022",
              "Type": "Antminer S19 Pro"}  # fmt: skip
    boards = {}
    for index in (1, 2, 3):
        boards |= {
            f"chain_acn{index}": 114,
            f"chain_acs{index}": " ooo" * 38 if index != 2 else " oxo" + " ooo" * 37,
            f"chain_hw{index}": 100 + index,
            f"chain_rate{index}": f"{ghs / 3:.2f}",
            f"freq{index}": 525,
            f"temp_pcb{index}": "70-45-64-65",
            f"temp_chip{index}": "78-50-69-70",
            f"temp_pic{index}": "60-35-54-55",
        }
    empty = {"chain_acn4": 0, "chain_acs4": "", "chain_hw4": 0, "chain_rate4": "", "freq4": 0,
             "temp_pcb4": "0-0-0-0", "temp_chip4": "0-0-0-0"}  # fmt: skip
    figures = {
        "STATS": 0, "ID": "BTM_SOC0", "Elapsed": elapsed_s, "Mode": 2, "GHS 5s": ghs, "GHS av": ghs,
        "rate_30m": ghs, "rate_unit": "GH", "miner_id": "7f00aa11bb22cc33", "total rate": ghs,
        "total_rateideal": 110_000.0, "fan_num": 4, "fan1": 6000, "fan2": 5880, "fan3": 5040, "fan4": 5040,
        **boards, **empty,
    }  # fmt: skip
    total = accepted * difficulty
    counters = {"Accepted": accepted, "Rejected": 11, "Stale": 1, "Difficulty Accepted": total,
                "Difficulty Rejected": 2_490_368.0, "Difficulty Stale": 0.0}  # fmt: skip
    pool = {
        "POOL": 0, "URL": "stratum+tcp://pool.example.com:3333", "User": "wallet.worker", "Status": "Alive",
        "Priority": 0, "Diff": "320K", "Last Share Difficulty": difficulty, "Last Share Time": "0:00:03",
        "Stratum Active": True, "Stratum URL": "pool.example.com", "Pool Stale%%": 0.0, **counters,
    }  # fmt: skip
    spare = {**pool, "POOL": 1, "URL": "stratum+tcp://user:hush@10.0.0.9:700", "Stratum Active": False, "Diff": "",
             "Accepted": 0, "Last Share Difficulty": 0.0}  # fmt: skip
    return {
        "version": {"STATUS": status(22, "CGMiner versions"), "VERSION": [{"API": "3.1", **header}], "id": 1},
        "summary": {
            "STATUS": status(11, "Summary"),
            "SUMMARY": [{
                "Elapsed": elapsed_s, "GHS 5s": ghs * 0.99, "GHS 30m": ghs, "GHS av": ghs, "Hardware Errors": 562,
                "Total MH": ghs * 1000 * elapsed_s, "Best Share": 12_900_000_000, "Pool Rejected%": 0.0, **counters,
            }],
            "id": 1,
        },
        "stats": {"STATUS": status(70, "CGMiner stats"), "STATS": [header, figures], "id": 1},
        "pools": {"STATUS": status(7, "2 Pool(s)"), "POOLS": [pool, spare], "id": 1},
    }  # fmt: skip


def s9(elapsed_s=9_000):
    """Firmware of 2017 and later: the short rate is text, and the document has a comma too few."""
    stats = (
        b'{"STATUS":[{"STATUS":"S","When":1780000000,"Code":70,"Msg":"CGMiner stats"}],"STATS":['
        b'{"CGMiner":"4.9.0","Miner":"16.8.1.3","CompileTime":"Fri Nov 17 17:57:49 CST 2017","Type":"Antminer S9"}'
        b'{"STATS":0,"ID":"BC50","Elapsed":%d,"GHS 5s":"13512.11","GHS av":13498.50,"frequency":"650","fan3":4680,'
        b'"fan6":5880,"temp6":62,"temp2_6":77,"chain_acn6":63,"chain_acn7":0,"chain_acs6":" oooooooo oooooxoo",'
        b'"chain_rate6":"4503.21","chain_rate7":"","chain_hw6":3,"freq_avg6":650.00}],"id":1}' % elapsed_s
    )
    summary = {"Elapsed": elapsed_s, "GHS 5s": "13512.11", "GHS av": 13498.5, "Accepted": 900, "Rejected": 2,
               "Difficulty Accepted": 28_000_000.0, "Total MH": 121_486_500_000.0}  # fmt: skip
    version = {"CGMiner": "4.9.0", "API": "3.1", "Miner": "16.8.1.3", "Type": "Antminer S9"}
    return {
        "version": {"STATUS": status(22, "CGMiner versions"), "VERSION": [version], "id": 1},
        "summary": {"STATUS": status(11, "Summary"), "SUMMARY": [summary], "id": 1},
        "stats": stats,
        "pools": {"STATUS": [{"STATUS": "E", "Code": 45, "Msg": "Access denied to 'pools' command"}], "id": 1},
    }


def s21(elapsed_s=20_000, mode=0):
    """Firmware of 2025: boards only in the newer form of `stats`, mode as a number, power on a port of its own."""
    info = {"miner_version": "uart_trans.1.3", "CompileTime": "Thu Oct  9 18:55:45 CST 2025", "type": "Antminer S21"}
    chains = [
        {
            "index": index, "freq_avg": 490, "rate_ideal": 66_000.0, "rate_real": 65_800.0 + index, "asic_num": 108,
            "asic": " ooo" * 36, "temp_pic": [50, 45, 52, 47], "temp_pcb": [60, 55, 62, 57],
            "temp_chip": [70, 65, 72, 67], "hw": index, "eeprom_loaded": True, "sn": f"SN{index}", "hwp": 0.0,
            "tpl": [[1, 2, 3]],
        }
        for index in range(3)
    ]  # fmt: skip
    figures = {
        "elapsed": elapsed_s, "rate_5s": 198_500.0, "rate_30m": 197_900.0, "rate_avg": 197_400.0,
        "rate_ideal": 200_000.0, "rate_unit": "GH/s", "chain_num": 3, "fan_num": 4,
        "fan": [4500, 4510, 4490, 4505], "hwp_total": 0.0,
        "freq-level": "100", "miner-mode": mode, "chain": chains,
    }  # fmt: skip
    header = {"BMMiner": "1.0.0", "Miner": "uart_trans.1.3", "CompileTime": info["CompileTime"], "Type": "Antminer S21"}
    summary = {"Elapsed": elapsed_s, "GHS 5s": 198_500.0, "GHS av": 197_400.0, "Accepted": 3_600, "Rejected": 4,
               "Difficulty Accepted": 910_000_000.0, "Hardware Errors": 12}  # fmt: skip
    pool = {
        "index": 0,
        "url": "stratum+ssl://pool.example.com:443",
        "user": "wallet.worker",
        "status": "Alive",
        "priority": 0,
        "accepted": 3_600,
        "rejected": 4,
        "stale": 0,
        "diff": "262K",
        "diffa": 910_000_000,
    }
    return {
        "version": {"STATUS": status(22, "CGMiner versions"), "VERSION": [{"API": "3.1", **header}], "id": 1},
        "summary": {"STATUS": status(11, "Summary"), "SUMMARY": [summary], "id": 1},
        "stats": {"STATUS": status(70, "CGMiner stats"), "STATS": [header, {"ID": "BTM_SOC0", "Elapsed": elapsed_s}],
                  "id": 1},
        "stats new_api": {"STATUS": {"STATUS": "S", "Msg": "stats", "api_version": "1.0.0"}, "INFO": info,
                          "STATS": [figures]},
        "pools": {"STATUS": status(7, "1 Pool(s)"), "POOLS": [pool], "id": 1},
    }  # fmt: skip


def asleep():
    """Any firmware in its sleep mode: lists without rows."""
    replies = s21()
    return {
        **replies,
        "summary": {"STATUS": status(11, "Summary"), "SUMMARY": [], "id": 1},
        "stats": {"STATUS": status(70, "CGMiner stats"), "STATS": [], "id": 1},
    }


SYSTEM_INFO = {"minertype": "Antminer S21", "nettype": "DHCP", "macaddr": "02:00:00:12:34:56", "ipaddress": "10.0.0.7",
               "serinum": "SERIAL0123456789", "firmware_type": "Release"}  # fmt: skip
MINER_CONF = {"pools": [{"url": "stratum+tcp://pool.example.com:3333", "user": "wallet", "pass": "hush"}],
              "api-allow": "A:0/0,W:*", "bitmain-work-mode": "3", "bitmain-freq-level": "80"}  # fmt: skip
