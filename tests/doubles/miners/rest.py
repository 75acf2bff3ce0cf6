"""Replies of Braiins OS, VNish, ePIC and Proto over HTTP; keys as captured or described, numbers invented."""

import functools

from doubles.miners.web import FakeWebMiner


def routes(unit, family, prefix, **settings):
    """Return the routes of a family, each document made anew from the unit at every request."""
    names = FAMILIES[family](unit, **settings)
    return {f"GET {prefix}{name}": functools.partial(_one, unit, family, settings, name) for name in names}


def _one(unit, family, settings, name, _body):
    return FAMILIES[family](unit, **settings)[name]


def braiins_rest(unit, version="26.04"):
    """Return the documents of the REST interface; its long windows divide by their whole length."""
    windows = {"5s": 5, "15s": 15, "30s": 30, "1m": 60, "5m": 300, "15m": 900, "30m": 1800, "1h": 3600, "24h": 86400}

    def stats(share):
        real = {
            f"last_{name}": {"gigahash_per_second": unit.over_whole_window_h_s(window_s) * share / 1e9}
            for name, window_s in windows.items()
        } | {"since_restart": {"gigahash_per_second": unit.mean_shown_h_s * share / 1e9}}
        best = {"best_share": 400123456} | ({"best_share_str": "400123456"} if version >= "26.04" else {})
        return best | {
            "error_hashrate": {"megahash_per_second": 0.0}, "found_blocks": 0, "real_hashrate": real,
            "nominal_hashrate": {"gigahash_per_second": unit.rate_now_h_s * 1.01 * share / 1e9},
        }  # fmt: skip

    shares = {"accepted_shares": unit.accepted, "rejected_shares": 4, "stale_shares": 1, "last_difficulty": 65536,
              "generated_work": 1234567890, "best_share": 400123456}  # fmt: skip
    board = {
        "board_name": "BHB56801", "board_temp": {"degree_c": 54.5}, "chip_type": "BM1366", "chips_count": 110,
        "current_frequency": {"hertz": 485000000.0}, "current_voltage": {"volt": 12.9}, "enabled": True,
        "highest_chip_temp": {"id": 1, "location": 1, "temperature": {"degree_c": 69.5}},
        "highest_outlet_temp": {"degree_c": 54.5}, "lowest_inlet_temp": {"degree_c": 39.0}, "stats": stats(1 / 3),
        "serial_number": "B00000000000001",
    }  # fmt: skip
    old = version == "25.07"
    group = {
        "name": "Default", "strategy": {"quota": {"value": 1}},
        "pools": [
            {"uid": "aa", "active": True, "alive": True, "enabled": True, "url": "stratum+tcp://pool.example.com:3333",
             "user": "secretname.worker7", "stats": shares},
            {"uid": "bb", "active": False, "alive": False, "enabled": True, "user": "secretname.worker7",
             "url": "stratum+tcp://backup.example.com:3333", "stats": shares | {"accepted_shares": 0}},
        ],
    } | ({} if old else {"uid": "0"})  # fmt: skip
    profile = {"created": None, "target": {"watt": 3100}, "estimated_power_consumption": {"watt": 3090}}
    target = {"current_target": {"watt": 3100}, "profile": profile}
    return {
        "miner/stats": {
            "miner_stats": stats(1.0), "pool_stats": shares,
            "power_stats": {"approximated_consumption": {"watt": round(unit.power_w)},
                            "efficiency": {"joule_per_terahash": 30.0}},
        },
        "miner/details": {
            "bos_version": {"current": f"2026-01-01-0-abcdef01-{version}-plus", "bos_plus": True},
            "bosminer_uptime_s": int(unit.elapsed_s), "hostname": "Antminer", "mac_address": "02:00:00:a9:b6:4a",
            "miner_identity": {"brand": 1, "miner_model": "Antminer S19 XP", "name": "Antminer S19 XP"},
            "serial_number": None if old else "B00000000000000", "status": 3 if unit.paused else 2,
            "sticker_hashrate": {"gigahash_per_second": 141000.0}, "uid": "abcdEFGH12345678",
        },
        "miner/hw/hashboards": {"hashboards": [board | {"id": str(number)} for number in (1, 2, 3)]},
        "performance/tuner-state": {"overall_tuner_state": 3 if unit.tuning else 2 if old else 5,
                                    "mode_state": {"powertargetmodestate": target}},
        "cooling/state": {"fans": [{"position": 0, "rpm": 5880, "target_speed_ratio": 0.92}]},
        "pools": [group],
    }  # fmt: skip


def vnish(unit, version="1.3.4", *, metering=False, fee=2.0, hr_measure="GH/s"):
    """Return the documents of VNish, made after the descriptions of its interface: no capture of it is public."""
    scale = {"GH/s": 1e9, "MH/s": 1e6}[hr_measure]
    state = "stopped" if unit.paused else "auto-tuning" if unit.tuning else "mining"
    status = {"miner_state": state, "miner_state_time": int(unit.elapsed_s)}
    newer = {"throttled": 0} if version >= "1.3" else {}
    pool = {"asic_boost": True, "diff": "65.5K", "diffa": unit.accepted_difficulty, "ls_diff": 65536.0,
            "ls_time": "0:00:02", "ping": 31, "rejected": 1, "stale": 0, "status": "active"}  # fmt: skip
    chains = [
        {"id": number, "frequency": 525.0, "voltage": 13200, "hashrate_rt": unit.shown_h_s / 3 / scale,
         "hashrate_ideal": unit.rate_now_h_s / 3 / scale, "hashrate_percentage": 99.1, "hr_error": 0.2,
         "hw_errors": 3, "power_consumption": 1000, "pcb_temp": {"min": 41, "max": 55},
         "chip_temp": {"min": 56, "max": 70}, "chip_statuses": {"grey": 0, "orange": 1, "red": 0},
         "status": {"state": state}, "inlet_water_temp": None, "outlet_water_temp": None}
        for number in (1, 2, 3)
    ]  # fmt: skip
    miner = {
        "miner_type": "Antminer S19 XP (Vnish 1.3.4)", "miner_status": status | newer,
        "hr_realtime": unit.shown_h_s / scale, "hr_average": unit.mean_shown_h_s / scale,
        "hr_nominal": unit.rate_now_h_s / scale, "hr_stock": 141e12 / scale, "hr_error": 0.3, "hw_errors": 9,
        "instant_hashrate": unit.shown_h_s / 1e12, "average_hashrate": unit.mean_shown_h_s / 1e12,
        "power_consumption": round(unit.power_w), "power_efficiency": 30.0, "power_usage": 30.0, "found_blocks": 0,
        "psu": {"psu_power_metering": metering, "temps": None}, "devfee": 2.0, "devfee_percent": fee,
        "pools": [
            pool | {"id": 0, "url": "stratum+tcp://pool.example.com:3333", "user": "secretname.worker7",
                    "pool_type": "UserPool", "accepted": unit.accepted},
            pool | {"id": 1, "url": "DevFee", "user": "DevFee", "pool_type": "DevFee", "accepted": 7,
                    "status": "working"},
        ],
        "chains": chains,
        "cooling": {"fan_num": 2, "fan_duty": 65, "fans": [{"id": 0, "rpm": 5100, "max_rpm": 6000, "status": "ok"},
                                                           {"id": 1, "rpm": 0, "max_rpm": 6000, "status": "lost"}]},
    }  # fmt: skip
    info = {
        "fw_name": "Vnish", "fw_version": version, "build_name": "release", "build_time": "2026-01-01",
        "build_uuid": "0", "install_type": "nand", "platform": "am2-s17", "miner": "Antminer S19 XP",
        "model": "s19xp", "algorithm": "sha256d", "hr_measure": hr_measure, "serial": "V00000001",
        "system": {"os": "Linux", "uptime": "2 days", "network_status": {"mac": "02:00:00:00:00:09"}},
    }  # fmt: skip
    overclock = {"power_metering": metering} if version >= "1.3" else {}
    return {
        "info": info, "summary": {"miner": None if unit.paused and version < "1.3" else miner},
        "model": {"full_name": "Antminer S19 XP", "hr_measure": hr_measure, "overclock": overclock,
                  "chain": {"chips_per_chain": 110, "num_chains": 3}},
        "perf-summary": {"current_preset": {"name": "3000", "pretty": "3000 watt ~ 100 TH", "status": "tuned"},
                         "preset_switcher": {"enabled": False}},
    }  # fmt: skip


def epic(unit, version="PowerPlay-BMS v1.5.13", *, current_a=0.0, true_power=None, disabled=(0,)):
    """Return the documents of ePIC: with an input current of 0, its input power cannot be measured."""
    boards = [number for number in range(3) if number not in disabled]
    state = "Idling" if unit.paused else "AdjustingClockVoltage" if unit.tuning else "Mining"
    at_input = {"Input Current": current_a, "Input Power": unit.power_w, "Input Voltage": 240.0 if current_a else 0.0}
    supply = at_input | {"Output Current": 0.0, "Output Power": 0.0, "Output Voltage": 12.6, "Target Voltage": 12600}
    hashing = [
        {"Index": number, "Core Clock": [], "Core Clock Avg": 487.5, "Input Voltage": 12.6, "Temperature": 66.5,
         "Hashrate": [unit.shown_h_s / len(boards) / 1e6, 101.0, 0.7], "Input Power": 0.0, "Output Power": 0.0}
        for number in boards
    ]  # fmt: skip
    session = {"Accepted": unit.accepted, "Active HBs": len(boards), "Average MHs": unit.mean_shown_h_s / 1e6,
               "Difficulty": unit.difficulty, "Rejected": 2, "Submitted": unit.accepted + 2,
               "Uptime": int(unit.elapsed_s), "LastAverageMHs": None}  # fmt: skip
    tune = {"VoltageOptimizer": {"Optimized": not unit.tuning, "Target": 101, "Unit": "TH/s", "Throttle Target": None}}
    psu = {"FW": 25, "Max Vout": 15182, "Min Vout": 11877, "PSU Type": 118}
    return {
        "summary": {
            "Software": version, "Hostname": "miner-1", "HBs": hashing, "Session": session,
            "HBStatus": [{"Index": number, "Detected": True, "Enabled": number not in disabled} for number in range(3)],
            "Fans": {"Fan Mode": {"Auto": {"Target Temperature": 60}}, "Fans Speed": 80},
            "Fans Rpm": {f"Fans Speed {number}": 5900 if number < 5 else None for number in range(1, 13)},
            "PerpetualTune": {"Running": True, "Algorithm": tune}, "Power Supply Stats": supply,
            "PresetInfo": {"Target Power": 3000}, "Mining": {"Algorithm": "SHA-256", "Coin": "BTC"},
            "Status": {"Operating State": state, "Last Error": None, "Last Command": None},
            "Stratum": {"Config Id": 0, "Current Pool": "pool.example.com:3333", "Current User": "secretname.worker7",
                        "IsPoolConnected": not unit.paused},
            "StratumConfigs": [{"pool": "stratum+tcp://pool.example.com:3333", "login": "secretname.worker7",
                                "password": "secret password"}],
        },
        "capabilities": {
            "Model": "AntMiner S19 XP", "Default Hashrate": 143, "Performance Estimator": {"Chip Count": 110},
            "Control Board Version": {"cpuSerial": "E00000001"},
            "Psu Info": psu if true_power is None else psu | {"True Power": true_power},
        },
    }  # fmt: skip


def proto(unit, version="1.8.0", *, input_factor=1.0):
    """Return the documents of a Proto Rig, after the public replies of its simulator."""
    mining = {
        "status": "Stopped" if unit.paused else "Mining", "hashrate_ghs": unit.shown_h_s / 1e9,
        "average_hashrate_ghs": unit.mean_shown_h_s / 1e9, "ideal_hashrate_ghs": unit.rate_now_h_s / 1e9,
        "power_usage_watts": unit.power_w, "power_target_watts": 3400, "mining_uptime_s": int(unit.elapsed_s),
        "hw_errors": 0, "average_asic_temp_c": 71.9, "average_hb_temp_c": 55.6, "hashboards_installed": 4,
    }  # fmt: skip
    supplies = [
        {"index": index, "serial_number": f"P{index}", "power": {"unit": "W", "input": unit.power_w * share *
         input_factor, "output": unit.power_w * share * 0.93}, "temperature": {"ambient": 31.0, "hotspot": 46.0}}
        for index, share in ((0, 0.52), (1, 0.48))
    ]  # fmt: skip
    boards = [
        {"index": index, "serial_number": f"H{index}", "hashrate": {"unit": "TH/s", "value": unit.shown_h_s / 4e12},
         "power": {"unit": "W", "value": 700.0}, "voltage": {"unit": "V", "value": 14.4},
         "temperature": {"average": 48.0, "inlet": 39.5, "outlet": 55.0, "unit": "°C"}}
        for index in range(4)
    ]  # fmt: skip
    hardware = [{"hb_sn": f"H{index}", "mining_asic_count": 120, "slot": index + 1} for index in range(4)]
    return {
        "system": {"system-info": {"manufacturer": "Proto", "product_name": "Proto Rig", "model": "Rig",
                                   "cb_sn": "P-CB-1", "os": {"name": "ProtoOS", "version": version}}},
        "mining": {"mining-status": mining},
        "hardware": {"hardware-info": {"cb-info": {"serial_number": "P-CB-1"}, "hashboards-info": hardware}},
        "cooling": {"cooling-status": {"fans": [{"slot": 1, "rpm": 4346, "speed_percentage": 60}]}},
        "pools": {"pools": [{"id": 0, "priority": 0, "url": "stratum+tcp://pool.example.com:3333", "accepted": 1234,
                             "rejected": 10, "difficulty": "1048576", "status": "Active", "user": "secretname.7",
                             "connection_status": "Active"}]},
        "telemetry": {"miner": {"power": {"unit": "W", "value": unit.power_w}}, "hashboards": boards, "psus": supplies},
    }  # fmt: skip


FAMILIES = {"braiins_rest": braiins_rest, "vnish": vnish, "epic": epic, "proto": proto}
PAGES = {"vnish": "<html><title>AnthillOS</title></html>", "proto": "<html><title>Proto OS</title></html>"}
LOGIN = {"path": "/api/v1/auth/login", "body": {"username": "root", "password": "correct horse"}}


def serve(unit, family, **settings):
    """Start a miner of one of these families."""
    if family == "braiins_rest":
        return FakeWebMiner(routes(unit, family, "/api/v1/", **settings), login=LOGIN)
    prefix = "/" if family == "epic" else "/api/v1/"
    return FakeWebMiner(routes(unit, family, prefix, **settings), page=PAGES.get(family, "<html></html>"))
