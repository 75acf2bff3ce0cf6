"""Replies of Whatsminers with API 1, 2 and 3: the keys and quirks of captures, invented figures."""


def status(code, message):
    return [{"STATUS": "S", "When": 1780000000, "Code": code, "Msg": message, "Description": "cgminer 4.9.2"}]


def message(content, description=""):
    return {"STATUS": "S", "When": 1780000000, "Code": 131, "Msg": content, "Description": description}


def pools(accepted, difficulty=None):
    of_active = (
        {} if difficulty is None else {"Difficulty Accepted": accepted * difficulty, "Stratum Difficulty": difficulty}
    )
    return {
        "STATUS": status(7, "2 Pool(s)"),
        "POOLS": [
            {"POOL": 1, "URL": "stratum+tcp://pool.example.com:3333", "User": "wallet.worker", "Status": "Alive",
             "Priority": 0, "Stratum Active": True, "Accepted": accepted, "Rejected": 0, **of_active},
            {"POOL": 2, "URL": "stratum+tcp://192.168.7.9:3333", "User": "wallet.worker", "Status": "Alive",
             "Priority": 1, "Stratum Active": False, "Accepted": 0, "Rejected": 0},
        ],
        "id": 1,
    }  # fmt: skip


def v1(elapsed_s=10_000, mhs=67_000_000.0, accepted=2_300, power=3_400):
    """API 1.4.0 of 2021: every share counter, power without a word on where it is measured, numbered error codes."""
    devices = [
        {"ASC": index, "Slot": index, "Name": "SM", "Status": "Alive", "Temperature": 70.0 + index,
         "Chip Frequency": 650, "Chip Temp Min": 71.0, "Chip Temp Avg": 83.0, "Chip Temp Max": 90.0 + index,
         "Effective Chips": 105, "Hardware Errors": 10 + index, "MHS av": mhs / 3, "MHS 5s": mhs / 3,
         "PCB SN": f"H5M14S0000000K1000{index}", "Upfreq Complete": 1}
        for index in range(3)
    ]  # fmt: skip
    summary = {
        "Accepted": accepted, "Rejected": 0, "Stale": 0, "Difficulty Accepted": accepted * 65_536.0,
        "Difficulty Rejected": 0.0, "Difficulty Stale": 0.0, "Elapsed": elapsed_s, "Uptime": elapsed_s + 640,
        "Error Code 0": 110, "Error Code 1": 600, "Error Code Count": 2, "Factory Error Code Count": 0,
        "Factory GHS": 68_000, "Fan Speed In": 6450, "Fan Speed Out": 6480, "Firmware Version": "'20210322.22.REL'",
        "HS RT": mhs * 0.99, "Hardware Errors": 69, "Hash Deviation%": 0.1, "Hash Stable": True,
        "Hash Stable Cost Seconds": 1538, "MAC": "02:00:00:00:A4:19", "MHS 15m": mhs, "MHS 1m": mhs * 0.995,
        "MHS 5m": mhs * 0.99, "MHS 5s": mhs * 1.05, "MHS av": mhs, "Power": power, "Power Current": 261,
        "Power Fanspeed": 9060, "Power Limit": 3500, "Power Mode": "Normal", "Power_RT": power + 10,
        "Target Freq": 625, "Target MHS": 65_000_000, "Temperature": 71.5, "Chip Temp Min": 71.0,
        "Chip Temp Avg": 84.1, "Chip Temp Max": 92.5, "Total MH": mhs * elapsed_s, "Voltage": 1180,
    }  # fmt: skip
    return {
        "get_version": message({"api_ver": "whatsminer v1.4.0", "fw_ver": "20210322.22.REL"}, "whatsminer v1.4.0"),
        "summary": {"STATUS": status(11, "Summary"), "SUMMARY": [summary], "id": 1},
        "devs": {"STATUS": status(9, "3 ASC(s)"), "DEVS": devices, "id": 1},
        "devdetails": {"STATUS": status(69, "Device Details"), "DEVDETAILS": [{"Model": "M21S_V20"}], "id": 1},
        "pools": pools(accepted, 65_536.0),
        "get_psu": message({"name": "P21", "model": "P21-12-3600-E", "hw_version": "", "sw_version": "102220.009"}),
        "status": message({"Firmware Version": "'20210322.22.REL'", "btmineroff": "false"}),
    }


SUPPLY = {
    "name": "P222B",
    "model": "P222B",
    "hw_version": "V01",
    "sw_version": "V01.00.V01.03",
    "iin": "14060",
    "vin": "23000",
    "pin": "3210",
    "fan_speed": "6000",
    "serial_no": "0123456789",
    "vendor": "1",
    "temp0": "33.5",
}


def v2(elapsed_s=25_000, supply=SUPPLY, power=3_200, off="false"):
    """API 2.0.5 of 2023: few counters, the supply with its own input power, a list of error codes."""
    devices = [
        {"ASC": index, "Slot": index, "Name": "SM", "Status": "Alive", "Temperature": 65.0 + index,
         "Chip Frequency": 600, "Chip Temp Max": 80.0, "Effective Chips": 135, "Factory GHS": 42_000,
         "MHS av": 41_500_000.0, "PCB SN": f"BHM5000000000K3000{index}"}
        for index in range(3)
    ]  # fmt: skip
    summary = {
        "Accepted": 5_400, "Elapsed": elapsed_s, "Uptime": elapsed_s + 500, "Env Temp": 28.5, "Factory GHS": 126_000,
        "Chip Temp Min": 62.0, "Chip Temp Avg": 72.5, "Chip Temp Max": 81.0, "Fan Speed In": 5400,
        "Fan Speed Out": 5280, "HS RT": 124_500_000.0, "Hash Stable": True, "MAC": "02:00:00:03:04:05",
        "MHS av": 124_400_000.0, "Power": power, "Power Limit": 3300, "Power Mode": "Low", "Target Freq": 600,
    }  # fmt: skip
    return {
        "get_version": message({"api_ver": "2.0.5", "fw_ver": "20230803.11.REL", "platform": "H616", "chip": "K16"}),
        "summary": {"STATUS": status(11, "Summary"), "SUMMARY": [summary], "id": 1},
        "edevs": {"STATUS": status(9, "3 ASC(s)"), "DEVS": devices, "id": 1},
        "devdetails": {"STATUS": status(69, "Device Details"), "DEVDETAILS": [{"Model": "M50S_VJ10"}], "id": 1},
        "pools": pools(5_400),
        "get_psu": message(supply),
        "status": message({"mineroff": off, "power_mode": "low", "hash_percent": "0", "power_limit_set": "3600"}),
        "get_error_code": b'{"STATUS":"S","When":1780000000,"Code":131,"Msg":{"error_code":'
        b'["218":"2024-06-15 10:30:00"]},"Description":""}',
        "get_miner_info": message({"hostname": "WhatsMiner", "mac": "02:00:00:03:04:05", "ip": "10.0.0.8"}),
    }


def v3(elapsed_s=50_000, realtime=171.0, raised=1):
    """API 3.0.2 of 2025: everything in TH/s, pools without counters, no input power."""
    device = {
        "error-code": [{"270": "2026-05-23 09:19:11", "reason": "Power input over-voltage warning."}],
        "miner": {"type": "M60S_VK40", "miner-sn": "BTM3000000", "board-num": "3", "pcbsn0": "BKM0", "working": "true",
                  "hash-board": "K40", "detect-hash-rate": "61434:53890:65727"},
        "network": {"ip": "10.0.0.9", "mac": "02:01:00:8C:36:00", "hostname": "WhatsMiner"},
        "power": {"fanspeed": 6344, "model": "P221B", "mode": "1", "sn": "1436B0000000000", "vendor": "1"},
        "salt": "abcdefgh",
        "system": {"api": "3.0.2", "apiswitch": "1", "fwversion": "20251209.16.Rel2", "platform": "H616"},
    }  # fmt: skip
    summary = {
        "elapsed": elapsed_s, "bootup-time": 1323, "hash-realtime": realtime, "hash-1min": 171.2, "hash-15min": 170.5,
        "hash-average": 170.8, "factory-hash": 181.0, "power-realtime": 3156.0, "power-5min": 3100.0,
        "power-limit": 3600, "power-rate": 17.6, "up-freq-finish": raised, "fan-speed-in": 5400,
        "fan-speed-out": 5280, "freq-avg": 625, "board-temperature": [41.1, 40.1, 41.5], "chip-temp-min": 68.0,
        "chip-temp-avg": 75.5, "chip-temp-max": 82.0, "environment-temperature": 28.5, "Debug": "",
    }  # fmt: skip
    boards = [
        {"id": index, "status": "alive", "hash-average": 57.0, "hash-realtime": 57.2, "factory-hash": 60.3,
         "freq": 625.0, "effective-chips": 75, "chip-temp-max": 80.0 + index}
        for index in range(3)
    ]  # fmt: skip
    listed = [
        {"account": "wallet.worker", "url": "stratum+tcp://pool.example.com:3333", "status": "alive",
         "pool-priority": 0, "stratum-active": True},
    ]  # fmt: skip

    def reply(content, description="get.miner.status"):
        return {"code": 0, "when": 1780000000, "msg": content, "desc": description}

    return {
        "get.device.info": reply(device, "get.device.info"),
        "get.miner.status summary": reply({"summary": summary}),
        "get.miner.status edevs": reply({"edevs": boards}),
        "get.miner.status pools": reply({"pools": listed}),
        "get.miner.status": {"code": -2, "when": 1780000000, "msg": "invalid param", "desc": "get.miner.status"},
    }
