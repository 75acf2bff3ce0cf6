"""Replies of LuxOS, Braiins OS, Sealminer and Auradine on TCP 4028; keys and quirks as captured, numbers invented."""

import functools


def status(program, code, message, kind="S"):
    return [{"STATUS": kind, "When": 1790000000, "Code": code, "Msg": message, "Description": program}]


def reply(program, code, name, rows, message=""):
    return {"STATUS": status(program, code, message or name), name: rows, "id": 1}


def commands(unit, family, **settings):
    """Return the replies of a family by command, each made anew from the unit at every request."""
    names = FAMILIES[family](unit, **settings)
    return {name: functools.partial(_one, unit, family, settings, name) for name in names}


def _one(unit, family, settings, name):
    return FAMILIES[family](unit, **settings)[name]


def luxos(unit, version="2026.1.30.101500-0a1b2c3d", *, psu=False, boards=3, watts_of_profile=None, curtailed=False):
    """Return the replies of LuxOS; its `total rate` is one board's, and its `Total MH` is a rate."""
    program = f"LUXminer {version}"
    of_board = unit.shown_h_s / boards
    mean = unit.mean_shown_h_s
    day_h_s = mean * 0.97
    devs = [
        {
            "ASC": index, "ID": index, "Accepted": unit.accepted // boards, "Board": "BHB42801", "Device Elapsed": 7180,
            "Difficulty Accepted": unit.accepted_difficulty / boards, "Enabled": "Y", "Hardware Errors": index,
            "IsRamping": unit.tuning, "IsUserShutdown": False, "MHS 15m": of_board / 1e6, "MHS 1m": of_board / 1e6,
            "MHS 30m": of_board / 1e6, "MHS 5m": of_board / 1e6, "MHS 5s": of_board * 1.02 / 1e6,
            "MHS 60m": of_board / 1e6, "MHS av": mean / boards / 1e6, "Nominal MHS": unit.rate_now_h_s / boards / 1e6,
            "Profile": "400MHz", "Status": "Alive", "Temperature": 55.0, "Total MH": mean / boards / 1e6,
        }
        for index in (2, 0, 1)[:boards]
    ]  # fmt: skip
    stats = {
        "Elapsed": int(unit.elapsed_s), "GHS 5s": unit.shown_h_s / 1e9, "GHS av": mean / 1e9, "ID": "BTM_SOC0",
        "chain_acn4": 0, "chain_rate4": "0", "freq4": 0.0, "fan_num": 4, "frequency": 400, "rate_unit": "GH",
        "total rate": mean / boards / 1e9, "total_acn": 4, "total_rateideal": unit.rate_now_h_s / 1e9,
    }  # fmt: skip
    for chain in range(1, boards + 1):
        stats |= {f"chain_acn{chain}": 77, f"chain_rate{chain}": f"{mean / boards / 1e9:.2f}", f"freq{chain}": 400.0}
    summary = {
        "Accepted": unit.accepted, "Best Share": 65536, "Device Hardware%": 0.0,
        "Difficulty Accepted": unit.accepted_difficulty, "Difficulty Rejected": unit.difficulty, "Difficulty Stale": 0,
        "Elapsed": int(unit.elapsed_s), "GHS 15m": unit.shown_h_s / 1e9, "GHS 1m": unit.shown_h_s / 1e9,
        "GHS 24h": day_h_s / 1e9, "GHS 30m": unit.shown_h_s / 1e9, "GHS 5m": unit.shown_h_s / 1e9,
        "GHS 5s": unit.shown_h_s * 1.02 / 1e9, "GHS av": mean / 1e9, "Hardware Errors": 3, "Rejected": 1, "Stale": 0,
        "Total MH": mean / 1e6, "Utility": 20.1, "Work Utility": 9.7,
    }  # fmt: skip
    config = {
        "ASC Count": boards, "CurtailMode": "Sleep" if curtailed or unit.paused else "None", "FeeStatus": "Ok",
        "IsAtmEnabled": False, "IsPowerSupplyOn": True, "IsTuning": unit.tuning, "MACAddr": "02:00:00:aa:bb:cc",
        "Model": "Antminer S19k Pro", "NameplateTHS": 120.0, "OS": "LuxOS", "PSULabel": "APW12", "Profile": "400MHz",
        "SerialNumber": "LUX0000001", "SystemStatus": "Normal",
    }  # fmt: skip
    profiles = [
        {"Profile Name": "290MHz", "Frequency": 290, "Watts": 1200, "Hashrate": 62.0, "Step": "-12", "IsTuned": False},
        {"Profile Name": "400MHz", "Frequency": 400, "Watts": watts_of_profile or round(unit.power_w), "Step": "0",
         "Hashrate": 100.0, "IsTuned": True},
    ]  # fmt: skip
    labels = {
        corner: {"Label": f"Board {label}", "Position": [0, 0]}
        for corner, label in (("TopLeft", "Exhaust (top)"), ("BottomRight", "Intake (bottom)"))
    }
    temps = [{"ID": index, "TEMP": index, "TopLeft": 55.0, "TopRight": 0, "BottomLeft": 56.0, "BottomRight": 38.0}
             for index in range(boards)]  # fmt: skip
    named = {"API": "3.7", "LUXminer": version, "Miner": version.partition("-")[0], "Type": "Antminer S19k Pro"}
    return {
        "version": reply(program, 22, "VERSION", [named]),
        "summary": reply(program, 11, "SUMMARY", [summary]),
        "devs": reply(program, 9, "DEVS", devs),
        "config": reply(program, 33, "CONFIG", [config]),
        "power": reply(program, 311, "POWER", [{"PSU": psu, "Watts": round(unit.power_w)}]),
        "pools": reply(program, 7, "POOLS", [
            pool_row(unit, 0, "pool.example.com:3333", active=True) | {"Diff": "65K", "GROUP": 0},
            pool_row(unit, 1, "backup.example.com:3333", active=False) | {"Diff": "0", "GROUP": 0},
        ]),
        "stats": {"STATUS": status(program, 70, "LUXminer stats"), "STATS": [{"Type": "Antminer S19k Pro"}, stats],
                  "id": 1},
        "temps": reply(program, 201, "TEMPS", temps) | {"METADATA": [labels]},
        "fans": reply(program, 202, "FANS", [{"FAN": "FAN1", "ID": 0, "RPM": 4200, "Speed": 60},
                                             {"FAN": "FAN2", "ID": 1, "RPM": 4230, "Speed": 60}]),
        "profiles": reply(program, 320, "PROFILES", profiles),
    }  # fmt: skip


def pool_row(unit, number, address, *, active):
    return {
        "POOL": number, "URL": f"stratum+tcp://{address}", "Stratum URL": address, "Status": "Alive" if active else
        "Dead", "Priority": number, "Quota": 1, "User": "secretname.worker7", "Stratum Active": active,
        "Accepted": unit.accepted if active else 0, "Rejected": 1 if active else 0, "Stale": 0,
        "Difficulty Accepted": unit.accepted_difficulty if active else 0,
        "Stratum Difficulty": unit.difficulty if active else 0, "Last Share Time": "00:00:01" if active else 0,
    }  # fmt: skip


def braiins(unit, version="boser-buildroot 0.1.0-45f356ea", *, key="BOSer"):
    """Return the replies of Braiins OS on TCP 4028; old versions name the program BOSminer, newer ones BOSer."""
    program = f"{key} {version}"
    windows = {f"MHS {name}": unit.shown_h_s / 1e6 for name in ("5s", "1m", "5m", "15m")}
    summary = windows | {
        "MHS 24h": unit.over_whole_window_h_s(86400.0) / 1e6, "MHS av": unit.mean_shown_h_s / 1e6,
        "Elapsed": int(unit.elapsed_s), "Accepted": unit.accepted, "Rejected": 2, "Stale": 1,
        "Difficulty Accepted": unit.accepted_difficulty, "Difficulty Rejected": 131072.0, "Difficulty Stale": 65536.0,
        "Hardware Errors": 12, "Total MH": unit.hashes / 1e6, "Found Blocks": 0,
    }  # fmt: skip
    ids = (6, 7, 8) if key != "BOSer" else (1, 2, 3)
    devs = [{"ASC": place, "ID": number, "MHS 1m": unit.shown_h_s / 3e6, "Nominal MHS": unit.rate_now_h_s / 3e6,
             "Hardware Errors": 4, "Status": "Alive"} for place, number in enumerate(ids)]  # fmt: skip
    details = [{"DEVDETAILS": place, "ID": number, "Chips": 76, "Cores": 672, "Frequency": 545, "Voltage": 13.4,
                "Model": "Antminer S19j Pro"} for place, number in enumerate(ids)]  # fmt: skip
    tuner_state = "Testing performance profile" if unit.tuning else "Stable"
    tuner = {
        "ApproximateMinerPowerConsumption": round(unit.power_w), "ApproximateChainPowerConsumption": 2870,
        "PowerLimit": 3100, "DynamicPowerScaling": "Disabled",
        "TunerChainStatus": [{"HashchainIndex": number, "Status": tuner_state} for number in ids],
    }  # fmt: skip
    return {
        "version": reply(program, 22, "VERSION", [{"API": "3.7", key: version}], f"{key} versions"),
        "summary": reply(program, 11, "SUMMARY", [summary]),
        "devs": reply(program, 9, "DEVS", devs),
        "devdetails": reply(program, 69, "DEVDETAILS", details),
        "tunerstatus": reply(program, 202, "TUNERSTATUS", [tuner]),
        "pools": reply(program, 7, "POOLS", [pool_row(unit, 0, "pool.example.com:3333", active=True)]),
        "temps": reply(program, 201, "TEMPS", [{"TEMP": 0, "ID": ids[0], "Board": 61.0, "Chip": 77.5}]),
        "fans": reply(program, 203, "FANS", [{"FAN": 0, "ID": 0, "RPM": 4350, "Speed": 71},
                                             {"FAN": 1, "ID": 1, "RPM": 0, "Speed": 71}]),
    }  # fmt: skip


def sealminer(unit, firmware="2025110203", *, boards=3):
    """Return the replies of a Sealminer: `MHS 5s` is far off, and long windows divide by their whole length."""
    program = "bdminer 4.11.1"
    summary = {
        "Accepted": unit.accepted, "Difficulty Accepted": unit.accepted_difficulty, "Difficulty Rejected": 393216.0,
        "Difficulty Stale": 0.0, "Elapsed": int(unit.elapsed_s), "Hardware Errors": 61,
        "MHS 15m": unit.shown_h_s * 0.96 / 1e6, "MHS 1m": unit.shown_h_s / 1e6, "MHS 5m": unit.shown_h_s / 1e6,
        "MHS 5s": unit.shown_h_s * 1.78 / 1e6, "MHS av": unit.mean_shown_h_s / 1e6, "Rejected": 3, "Stale": 0,
        "Total MH": unit.hashes / 1e6, "Work Utility": 2888123.1,
    }  # fmt: skip
    counted_h_s = unit.shown_h_s * 1.06  # `stats` counts otherwise
    windows = {"30s": 30, "1m": 60, "2m": 120, "5m": 300, "15m": 900, "30m": 1800, "1h": 3600, "2h": 7200}
    stats = {
        f"MHS({name})": counted_h_s * min(unit.elapsed_s / window_s, 1.0) / 1e6 for name, window_s in windows.items()
    } | {
        "MHS(Avg)": counted_h_s / 1e6, "MHS(Ideal)": unit.rate_now_h_s * 1.07 / 1e6,
        "MHS(Rated)": unit.rate_now_h_s * 1.1 / 1e6, "MHS(Sample)": counted_h_s / 1e6, "Elapsed": int(unit.elapsed_s),
        "Board Count": boards, "Chip Count": 153 * boards, "Model": "A2", "ASIC": "Seal02-V1", "Firmware": firmware,
        "Software Version": "4.11.1-08801-gabcdef01", "Ctrl Board SN": "S000000000000001", "MAC": "02:d4:48:00:00:01",
        "Mining Mode": unit.mode.capitalize(), "PM State": "Stopped" if unit.paused else "Running",
        "PSU Efficiency": 0.9225, "PSU Fan Speed": 4390, "PSU Input Power": round(unit.power_w),
        "PSU Input Voltage": 241.0, "PSU Output Power": round(unit.power_w * 0.9225), "PSU Temp AMB": 27,
        "Power Limit": 3500, "Raise Freq Done": not unit.tuning, "Boot Time": 220.5, "Coarse Tune Time": 630.1,
        "Tune Status": "Coarse Tuning" if unit.tuning else "Fine Tuning Done", "Fan Count": 4, "3 PWM": 112,
        "3 Speed": 3700,
    }  # fmt: skip
    for board in range(boards):
        stats |= {
            f"{board} Bad Chip Count": board, f"{board} Chip Count": 153, f"{board} Freq": 350,
            f"{board} MHS(Ideal)": unit.rate_now_h_s / 3e6, f"{board} MHS(Sample)": unit.shown_h_s / 3e6,
            f"{board} Online": True, f"{board} PWM": 112, f"{board} SN": f"S00000000000010{board}",
            f"{board} Speed": 3710, f"{board} Temp 0": 55, f"{board} Temp 1": 52, f"{board} Temp 2": 70,
            f"{board} Temp 3": 68, f"{board} Tune Status": "Fine Tuning Done",
        }  # fmt: skip
    return {
        "version": reply(program, 22, "VERSION", [{"API": "3.7", "BDMiner": "4.11.1"}], "BDMiner versions"),
        "summary": reply(program, 11, "SUMMARY", [summary]),
        "stats": reply(program, 70, "STATS", [stats], "BDMiner stats"),
        "pools": reply(program, 7, "POOLS", [pool_row(unit, 0, "pool.example.com:3333", active=True)]),
    }


def auradine(unit, version="2.2.0", *, key="GCMiner"):
    """Return the replies of an Auradine, whose supply sends texts with units."""
    program = f"{key}-{version}"
    windows = {f"MHS {name}": unit.shown_h_s / 1e6 for name in ("5s", "1m", "5m", "15m")}
    summary = windows | {
        "MHS av": unit.mean_shown_h_s / 1e6, "Elapsed": int(unit.elapsed_s), "Accepted": unit.accepted, "Rejected": 1,
        "Difficulty Accepted": unit.accepted_difficulty, "Difficulty Rejected": 32768, "Hardware Errors": 0,
        "Total MH": unit.hashes / 1e6,
    }  # fmt: skip
    psu = {
        "FanSpeed1": "4052.00 RPM", "FanSpeed2": "4144.00 RPM", "Iin": "12.60A", "Iout": "230.00A",
        "PoutMax": "3452.00W", "PowerIn": f"{unit.power_w:.2f}W", "PowerOut": f"{unit.power_w * 0.93:.2f}W",
        "Vin": "240.00V", "Vout": "11.53V", "VoutSet": "11.50V",
    }  # fmt: skip
    mode = {"Mode": "custom", "Power": 3000, "Sleep": "on" if unit.paused else "off", "Ths": 160}
    board = {"ID": 1, "Name": "Hash Board 1", "BoardTemp": [{"ID": 0, "Temperature": 41.5}],
             "ChipTemp": [{"ID": 0, "Temperature": 55.25}]}  # fmt: skip
    control = {"ID": 0, "Name": "Control Board", "BoardTemp": [{"ID": 0, "Temperature": 29.5}], "ChipTemp": None}
    return {
        "version": reply(program, 22, "VERSION", [{"API": "1.0", key: version}], f"{key} versions"),
        "summary": reply(program, 11, "SUMMARY", [summary]),
        "psu": reply(program, 570, "PSU", [psu]),
        "mode": reply(program, 540, "Mode", [mode]),
        "devs": reply(program, 9, "DEVS", [{"DEV": n, "ID": n, "MHS 5s": unit.shown_h_s / 3e6, "Status": "Alive"}
                                           for n in (1, 2, 3)]),
        "pools": reply(program, 7, "POOLS", [pool_row(unit, 0, "pool.example.com:3333", active=True)]),
        "temperature": reply(program, 590, "Temperature", [control, board]),
        "fan": reply(program, 510, "Fan", [{"ID": 1, "Max": 7700, "Speed": 7080, "Target": 7000}]),
        "ipreport": reply(program, 620, "IPReport", [{"SerialNo": "AU00000001", "mac": "02:00:00:0e:3b:2b",
                                                      "model": "AT1500", "version": "2023-12.27"}]),
    }  # fmt: skip


FAMILIES = {"luxos": luxos, "braiins": braiins, "sealminer": sealminer, "auradine": auradine}
