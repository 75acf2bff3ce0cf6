"""Whatsminers of API 2 and 3 that are switched and take a share of power; both check the password."""

import base64
import hashlib
import json

from bench.levers.miners.whatsminer_cipher import opened, sealed, token
from doubles.miners import whatsminer
from doubles.miners.server import FakeMiner
from doubles.miners.unit import Unit

PASSWORD = "correct horse"


class _Switched(FakeMiner):
    """`lies`: `no_effect`; `hangs_up`: closes the connection after it has acted; `write_off`: writes are refused."""

    def __init__(self, *, lies=(), framed=False):
        self.unit, self.lies, self.percent, self.written = Unit(124e12, 3200.0, tuning_s=0.0), set(lies), 100, []
        super().__init__({}, framed=framed)

    def act(self, command, percent=None, service=None):
        self.written.append(command)
        if "no_effect" not in self.lies:
            if percent is not None:
                self.percent = int(percent)
            elif service is not None:
                self.unit.pause(service == "off")
        self.quirk = "hang_up" if "hangs_up" in self.lies else ""

    @property
    def share(self):
        return self.percent / 100.0


class FakeWhatsminer(_Switched):
    """API 2: commands and answers are sealed."""

    GIVEN = ("5626", "BQ5hoXV9", "jbzkfQls")

    def reply_to(self, request):
        self.quirk = ""
        document = json.loads(request)
        key, sign = token(PASSWORD, *self.GIVEN)
        if "enc" in document:
            try:
                command = json.loads(opened(document["data"], key))
            except ValueError:
                return json.dumps({"STATUS": "E", "Code": 23, "Msg": "enc json load err"}).encode()
            return json.dumps({"enc": sealed(self.write(command, sign), key)["data"]}).encode()
        name = document["cmd"]
        if name == "get_token":
            return json.dumps(
                whatsminer.message(dict(zip(("time", "salt", "newsalt"), self.GIVEN, strict=True)))
            ).encode()
        replies = whatsminer.v2(int(self.unit.elapsed_s), power=round(3200 * self.share),
                                off="true" if self.unit.paused else "false")  # fmt: skip
        row = replies["summary"]["SUMMARY"][0]
        row["HS RT"] = 0.0 if self.unit.paused else row["HS RT"] * self.share
        if self.unit.paused:
            row |= {"Power": 25, "MHS av": 0.0}
        return json.dumps(replies[name]).encode()

    def write(self, command, sign):
        if command["token"] != sign:
            return {"STATUS": "E", "Code": 135, "Msg": "check token err"}
        if "write_off" in self.lies:
            return {"STATUS": "E", "Code": 45, "Msg": "can't access write cmd"}
        name = command["cmd"]
        self.act(name, command.get("percent"), {"power_off": "off", "power_on": "on"}.get(name))
        return {"STATUS": "S", "When": 1, "Code": 131, "Msg": "API command OK", "Description": ""}


class FakeWhatsminerV3(_Switched):
    """API 3: frames, and a token of password, salt and time."""

    def __init__(self, **settings):
        super().__init__(framed=True, **settings)

    def reply_to(self, request):
        self.quirk = ""
        document = json.loads(request)
        name = document["cmd"]
        if name.startswith("set."):
            return json.dumps(self.write(name, document)).encode()
        replies = whatsminer.v3(int(self.unit.elapsed_s), realtime=0.0 if self.unit.paused else 171.0 * self.share)
        replies["get.device.info"]["msg"]["miner"]["working"] = "false" if self.unit.paused else "true"
        summary = replies["get.miner.status summary"]["msg"]["summary"]
        summary["power-realtime"] = 20.0 if self.unit.paused else 3156.0 * self.share
        return json.dumps(replies[f"{name} {document['param']}" if "param" in document else name]).encode()

    def write(self, name, document):
        word = f"{name}{PASSWORD}abcdefgh{document['ts']}".encode()
        if document["token"] != base64.b64encode(hashlib.sha256(word).digest()).decode()[:8]:
            return {"code": -1, "when": 1, "msg": "token error", "desc": name}
        param = document["param"]
        percent = param["percent"] if isinstance(param, dict) else None
        assert percent is None or isinstance(percent, str), "the firmware reads text"
        self.act(name, percent, {"stop": "off", "start": "on"}.get(param if isinstance(param, str) else ""))
        return {"code": 0, "when": 1, "msg": "ok", "desc": name}
