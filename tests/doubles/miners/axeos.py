"""AxeOS on loopback: its telemetry by version, and its pools, which can be set and take effect at a restart.

The keys of each version are those of ESP-Miner's own source at that version; the numbers are invented.
"""

import copy
import threading
import time

from doubles.miners.web import FakeWebMiner

VERSIONS = ("v2.1.10", "v2.4.1", "v2.9.0", "v2.12.2", "v2.15.0")
SLOTS = 8


def _first(unit):
    """The keys that every version has."""
    return {
        "power": round(unit.power_w, 3), "voltage": 5031.25, "current": 14562.5, "temp": 58.25, "vrTemp": 61.0,
        "hashRate": unit.shown_h_s / 1e9, "bestDiff": "61.3M", "bestSessionDiff": "2.14M", "freeHeap": 8300112,
        "coreVoltage": 1150, "coreVoltageActual": 1143, "frequency": 525, "ssid": "lab", "hostname": "axe-7",
        "wifiStatus": "Connected!", "sharesAccepted": unit.accepted, "sharesRejected": 3,
        "uptimeSeconds": int(unit.elapsed_s), "asicCount": 1, "smallCoreCount": 2040, "ASICModel": "BM1370",
        "boardVersion": "601", "runningPartition": "ota_0", "flipscreen": 1, "overheat_mode": 0, "invertscreen": 0,
        "invertfanpolarity": 1, "autofanspeed": 1, "fanspeed": 45, "fanrpm": 4210,
    }  # fmt: skip


def info(unit, version="v2.15.0", pools=None, **changes):
    """Return the reply to `/api/system/info` of one version."""
    pools = pools or DEFAULT_POOLS
    number = tuple(int(part) for part in version.removeprefix("v").split("."))
    document = _first(unit) | {"version": version}
    for prefix, pool in (("stratum", pools[0]), ("fallbackStratum", pools[1])):
        if prefix == "stratum" or number >= (2, 4, 0):
            document |= {f"{prefix}URL": pool["url"], f"{prefix}Port": pool["port"], f"{prefix}User": pool["user"]}
    if number >= (2, 4, 0):
        document |= {"macAddr": "02:4A:00:11:22:33", "isUsingFallbackStratum": 0}
    if number >= (2, 9, 0):
        del document["asicCount"]
        document |= {
            "maxPower": 40, "nominalVoltage": 5, "expectedHashrate": 1071.0, "poolDifficulty": unit.difficulty,
            "sharesRejectedReasons": [{"message": "Above target", "count": 3}], "axeOSVersion": version,
            "overclockEnabled": 0, "responseTime": 21.5, "stratumSuggestedDifficulty": 1000,
        }  # fmt: skip
    if number >= (2, 12, 0):
        means = {f"hashRate_{name}": unit.mean_shown_h_s / 1e9 for name in ("1m", "10m", "1h")}
        chip = {"total": unit.shown_h_s / 1e9, "domains": [unit.shown_h_s / 4e9] * 4, "errorCount": 2}
        document |= {
            **means, "temp2": -1, "bestDiff": 61312345, "bestSessionDiff": 2140123, "errorPercentage": 0.31,
            "fan2rpm": 0, "hashrateMonitor": {"asics": [chip]}, "wifiRSSI": -51,
        }  # fmt: skip
    if number >= (2, 15, 0):
        document |= {
            "actualFrequency": 524.8, "miningPaused": unit.paused, "totalHashes": unit.hashes + 3.1e18,
            "totalUptimeSeconds": int(unit.elapsed_s) + 3_000_000, "sharesPending": 0, "useFallbackStratum": 0,
        }  # fmt: skip
    return document | changes


def nerd_info(unit, model="NerdQAxe++", **changes):
    """Return the reply to `/api/system/info` of a NerdAxe board."""
    means = {f"hashRate_{name}": unit.mean_shown_h_s / 1e9 for name in ("1m", "10m", "1h", "1d")}
    return {
        "asicCount": 4, "smallCoreCount": 2040, "deviceModel": model, "hostip": "192.0.2.9",
        "macAddr": "02:4A:00:44:55:66", "wifiRSSI": -60, "power": round(unit.power_w, 3), "maxPower": 130.0,
        "minPower": 52.0, "current": 6390.0, "currentA": 6.39, "temp": 57.3, "vrTemp": 66.0, "vrTempInt": 68.0,
        "hashRateTimestamp": 4500123, "hashRate": unit.shown_h_s / 1e9, **means, "coreVoltage": 1150,
        "coreVoltageActual": 1149, "fanspeed": 61, "fanrpm": 2710, "fanrpm2": 2690, "fanspeed2": 60, "fanCount": 2,
        "shutdown": unit.paused, "duplicateHWNonces": 0, "poolDifficulty": unit.difficulty,
        "sharesAccepted": unit.accepted, "sharesRejected": 1, "bestDiff": 912345678.0,
        "stratum": {"poolMode": 0, "activePoolMode": 0, "poolBalance": 50, "totalBestDiff": 9.1e9},
        "coinbaseVerifyMode": 0, "coinbaseVerifyForce": False, "asicTemps": [56.1, 57.3, 55.0, 56.6],
        "fans": [{"label": "Fan 1", "rpm": 2710, "speedPerc": 61}, {"label": "Fan 2", "rpm": 2690, "speedPerc": 60}],
        "stratumURL": "pool.example.com", "stratumPort": 3333, "stratumUser": "worker.1",
        "fallbackStratumURL": "", "fallbackStratumPort": 3333, "fallbackStratumUser": "", "voltage": 12010.0,
        "frequency": 600, "ASICModel": "BM1370", "uptimeSeconds": int(unit.elapsed_s), "version": "v1.1.0",
        "overheat_temp": 70, "otp": False,
    } | changes  # fmt: skip


DEFAULT_POOLS = (
    {"url": "pool.example.com", "port": 3333, "user": "worker.1", "password": "first secret"},
    {"url": "backup.example.com", "port": 4333, "user": "worker.1", "password": "second secret"},
)


class FakeAxeOS(FakeWebMiner):
    """AxeOS whose pools are set by PATCH and used from the next restart on.

    `pool_in_use` is the pool that the firmware works for; `on_pool` is called with it at every start, so that a test
    can let a client of the work server connect to it. A restart takes `restart_s`, in which nothing is answered.
    """

    def __init__(self, unit, version="v2.15.0", *, asic_path=True, on_pool=None, restart_s=0.0):
        self.unit, self.version, self.on_pool, self.restart_s = unit, version, on_pool, restart_s
        self._back_s, self._starting = 0.0, None
        self.stored = [dict(pool) for pool in DEFAULT_POOLS]  # what the flash memory holds
        self.slots = {index: dict(pool) for index, pool in enumerate(DEFAULT_POOLS)}
        self.primary, self.secondary = 0, 1
        self.fail_patch = self.ignore_patch = False
        self.pool_in_use = None
        routes = {
            "GET /api/system/info": lambda _: self.document(),
            "PATCH /api/system": self.patch,
            "POST /api/system/restart": lambda _: self.restart(),
            "POST /api/system/pause": lambda _: self.pause(True),
            "POST /api/system/resume": lambda _: self.pause(False),
        }
        if self.has_slots:
            routes |= {f"DELETE /api/system/pools/{index}": self._clearing(index) for index in range(SLOTS)}
        if asic_path:
            asic = {"ASICModel": "BM1370", "deviceModel": "Gamma", "asicCount": 1, "frequencyOptions": [525, 600]}
            routes["GET /api/system/asic"] = asic
        super().__init__(routes, page="<html><title>AxeOS</title></html>")
        self._start()

    @property
    def has_slots(self):
        return self.version == "v2.15.0"

    def document(self):
        """Return the reply to `/api/system/info`: the stored pool, from 2.15 on the slots and the indexes in use."""
        if not self.has_slots:
            return info(self.unit, self.version, self.stored)
        pools = [self.slots.get(index, {"url": "", "port": 0, "user": ""}) for index in self.running]
        rows = [
            {"id": index, "stratumProtocol": "SV1", "stratumURL": pool["url"], "stratumPort": pool["port"],
             "stratumUser": pool["user"], "stratumPassword": "*****", "stratumSuggestedDifficulty": 0,
             "stratumExtranonceSubscribe": False, "stratumTLS": 0, "stratumCert": "", "stratumDecodeCoinbase": True}
            for index, pool in sorted(self.slots.items())
        ]  # fmt: skip
        changes = {"pools": rows, "primaryPoolIndex": self.running[0], "secondaryPoolIndex": self.running[1]}
        return info(self.unit, self.version, pools) | changes

    def patch(self, body):
        """Store settings; a value of a wrong type refuses all of them."""
        if self.fail_patch or not isinstance(body, dict):
            return 400, b"Wrong API input"
        if self.ignore_patch:
            return 200, b""
        for key, kind in (("stratumURL", str), ("stratumPort", int), ("stratumUser", str), ("stratumPassword", str)):
            for pool, name in ((0, key), (1, "fallbackS" + key[1:])):
                if name in body and not isinstance(body[name], kind):
                    return 400, b"Wrong API input"
                if name in body and not self.has_slots:
                    self.stored[pool][key.removeprefix("stratum").lower()] = body[name]
        if self.has_slots and not self._patch_slots(body):
            return 400, b"Wrong API input"
        return 200, b""

    def _patch_slots(self, body):
        slots = copy.deepcopy(self.slots)
        for row in body.get("pools", ()):
            index, url, user = row.get("id"), row.get("stratumURL"), row.get("stratumUser")
            if not isinstance(index, int) or not 0 <= index < SLOTS or not url or not user:
                return False
            password = row.get("stratumPassword", "x")
            if password == "*****":  # keeps the stored one
                password = slots.get(index, {}).get("password", "x")
            slots[index] = {"url": url, "port": row["stratumPort"], "user": user, "password": password}
        self.slots = slots
        self.primary = body.get("primaryPoolIndex", self.primary)
        self.secondary = body.get("secondaryPoolIndex", self.secondary)
        return True

    def _clearing(self, index):
        def clear(_body):
            if index in {self.primary, self.secondary}:
                return 400, b"Cannot delete a pool that is currently selected as primary or fallback"
            self.slots.pop(index, None)
            return {"message": "Pool cleared successfully"}

        return clear

    def restart(self):
        """Restart: counters at zero, and the stored pool in use."""
        self.unit.restart()
        if self.restart_s:
            self._back_s = time.monotonic() + self.restart_s
            self._starting = threading.Timer(self.restart_s, self._start)
            self._starting.start()
        else:
            self._start()
        return {"message": "System will restart shortly."}

    @property
    def offline(self):
        return time.monotonic() < self._back_s

    @offline.setter
    def offline(self, _value):
        """Take the value of the class below, which is never offline."""

    def close(self):
        if self._starting is not None:
            self._starting.cancel()
            self._starting.join()
        super().close()

    def pause(self, paused):
        self.unit.pause(paused)
        return {"message": "Mining paused" if paused else "Mining resumed"}

    def _start(self):
        self.running = (self.primary, self.secondary)  # what the firmware shows, whatever is stored
        pool = self.slots.get(self.primary, {}) if self.has_slots else self.stored[0]
        self.pool_in_use = (pool.get("url"), pool.get("port"), pool.get("user"))
        if self.on_pool is not None:
            self.on_pool(self.pool_in_use)
