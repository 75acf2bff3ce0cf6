"""Braiins OS, VNish, ePIC, Proto and AxeOS that are set over HTTP."""

from doubles.miners import rest
from doubles.miners.axeos import info
from doubles.miners.unit import Unit
from doubles.miners.web import FakeWebMiner

PASSWORD = "correct horse"


class _Set(FakeWebMiner):
    """`lies`: `no_effect`."""

    def __init__(self, routes, *, lies=(), **settings):
        self.lies, self.written = set(lies), []
        super().__init__(routes, **settings)

    def write(self, name, act, answer=True):
        def answered(body):
            self.written.append((name, body))
            if "no_effect" not in self.lies:
                act(body)
            return answer

        return answered


class FakeBraiins(_Set):
    """Braiins OS whose power target, dynamic power scaling and pause are set."""

    def __init__(self, *, dps=False, mode=None, **settings):
        self.unit, self.target_w, self.dps = Unit(100e12, 3100.0, tuning_s=0.0), 3100, dps
        self.mode = mode  # another than a power target
        watt = lambda: {"tunermode": {"target": {"powertarget": {"power_target": {"watt": self.target_w}}}}}  # noqa: E731
        limits = {key: {"watt": value} for key, value in (("min", 1500), ("default", 3100), ("max", 3500))}
        routes = rest.routes(self.unit, "braiins_rest", "/api/v1/") | {
            "GET /api/v1/performance/tuner-state": lambda _: self.tuner(),
            "GET /api/v1/performance/mode": lambda _: self.mode or watt(),
            "GET /api/v1/configuration/miner": lambda _: {"dps": {"enabled": self.dps}, "pool_groups": []},
            "GET /api/v1/configuration/constraints": {"tuner_constraints": {"power_target": limits}},
            "PUT /api/v1/performance/power-target": self.write("target", self.set_target),
            "PUT /api/v1/performance/mode": self.write("mode", self.set_mode),
            "PUT /api/v1/performance/dps": self.write("dps", self.set_dps),
            "PUT /api/v1/actions/pause": self.write("pause", lambda _: self.unit.pause()),
            "PUT /api/v1/actions/resume": self.write("resume", lambda _: self.unit.pause(False)),
        }
        super().__init__(routes, login=rest.LOGIN, **settings)

    def tuner(self):
        target = {"current_target": {"watt": self.target_w}}
        return {"overall_tuner_state": 2, "mode_state": {} if self.mode else {"powertargetmodestate": target}}

    def set_target(self, body):
        self.mode, self.target_w = None, body["watt"]
        self.unit.count()
        self.unit.power_now_w, self.unit.rate_now_h_s = body["watt"], body["watt"] / 31.0 * 1e12

    def set_mode(self, body):
        self.mode = body

    def set_dps(self, body):
        assert body["save_action"] == 2
        self.dps = body["enable"]


class FakeVNish(_Set):
    """VNish whose preset is set and whose mining stops and starts."""

    def __init__(self, *, switcher=False, **settings):
        self.unit, self.preset, self.switcher = Unit(100e12, 3000.0, tuning_s=0.0), "3000", switcher
        tuned = {"1500": "tuned", "2300": "untuned", "2400": "tuned", "3000": "tuned"}
        presets = [
            {"name": name, "pretty": f"{name} watt", "status": status, "modded_psu_required": False}
            for name, status in tuned.items()
        ]
        routes = rest.routes(self.unit, "vnish", "/api/v1/", metering=True) | {
            "GET /api/v1/perf-summary": lambda _: {
                "current_preset": {"name": self.preset}, "preset_switcher": {"enabled": self.switcher},
            },
            "GET /api/v1/autotune/presets": presets,
            "POST /api/v1/settings": self.write("settings", self.set, {"restart_required": True}),
            "POST /api/v1/mining/restart": self.write("restart", lambda _: self.unit.restart()),
            "POST /api/v1/mining/stop": self.write("stop", lambda _: self.unit.pause()),
            "POST /api/v1/mining/start": self.write("start", lambda _: self.unit.pause(False)),
        }  # fmt: skip
        login = {"path": "/api/v1/unlock", "body": {"pw": PASSWORD}}
        open_paths = [f"/api/v1/{name}" for name in ("info", "model", "summary", "perf-summary")]
        super().__init__(routes, login=login, open_paths=open_paths, **settings)

    def set(self, body):
        self.preset = body["miner"]["overclock"]["preset"]
        self.unit.count()
        self.unit.power_now_w, self.unit.rate_now_h_s = float(self.preset), float(self.preset) / 30.0 * 1e12


class FakeEpic(_Set):
    """ePIC that stops and starts."""

    def __init__(self, **settings):
        self.unit = Unit(100e12, 3000.0, tuning_s=0.0)
        routes = rest.routes(self.unit, "epic", "/") | {"POST /miner": self.set}
        super().__init__(routes, **settings)

    def set(self, body):
        if body["password"] != PASSWORD:
            return {"result": False, "error": "Invalid password"}
        self.written.append(body["param"])
        if "no_effect" not in self.lies:
            self.unit.pause(body["param"] == "Stop")
        return {"result": True, "error": None}


class FakeProto(_Set):
    """A Proto Rig that stops and starts."""

    def __init__(self, **settings):
        self.unit = Unit(200e12, 3400.0, tuning_s=0.0)
        routes = rest.routes(self.unit, "proto", "/api/v1/") | {
            "POST /api/v1/auth/login": lambda body: {"access_token": "token-of-the-session"}
            if body == {"password": PASSWORD} else (401, {}),
            "POST /api/v1/mining/stop": self.write("stop", lambda _: self.unit.pause()),
            "POST /api/v1/mining/start": self.write("start", lambda _: self.unit.pause(False)),
        }  # fmt: skip
        super().__init__(routes, **settings)


class FakeAxe(_Set):
    """AxeOS that is paused and changes its clock at once."""

    def __init__(self, *, version="v2.15.0", **settings):
        self.unit, self.clock, self.version = Unit(1.05e12, 17.0, difficulty=1024.0, tuning_s=0.0), 525, version
        options = {"frequencyOptions": [400, 425, 450, 475, 500, 525, 550, 575], "voltageOptions": [1100, 1150]}
        routes = {
            "GET /api/system/info": lambda _: self.document(),
            "GET /api/system/asic": options,
            "PATCH /api/system": self.write("patch", self.patch),
            "POST /api/system/pause": self.write("pause", lambda _: self.unit.pause()),
            "POST /api/system/resume": self.write("resume", lambda _: self.unit.pause(False)),
        }
        super().__init__(routes, **settings)

    def document(self):
        shown = {"frequency": self.clock, "expectedHashrate": 2.04 * self.clock}
        return info(self.unit, self.version, **shown)

    def patch(self, body):
        self.clock = body["frequency"]
        self.unit.count()
        self.unit.rate_now_h_s = 2.0e9 * self.clock
