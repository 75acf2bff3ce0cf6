"""An Avalon that is switched off and on softly and changes its work mode; it serves one connection at a time."""

import json

from doubles.miners import avalon
from doubles.miners.server import FakeMiner
from doubles.miners.unit import Unit

_SHARES = {"0": 1.0, "1": 1.15}


class FakeAvalon(FakeMiner):
    """`lies`: `no_effect`. After `softon` the connection closes without an answer, as on the real one."""

    def __init__(self, *, lies=(), mode="1", newer=False):
        self.unit, self.lies, self.mode, self.newer = Unit(80e12, 3500.0, tuning_s=0.0), set(lies), mode, newer
        self.written = []
        super().__init__({})

    def reply_to(self, request):
        self.quirk = ""
        document = json.loads(request)
        if document["command"] == "ascset":
            return json.dumps(self.write(document["parameter"])).encode()
        share = 0.0 if self.unit.paused else _SHARES[self.mode]
        work = "In Idle" if self.unit.paused else "In Work"
        supply = (
            "0 1222 4 0 0 1320 146"
            if self.unit.paused
            else f"0 1214 1316 242 {round(3189 * share)} 1320 {round(3504 * share)}"
        )
        replies = avalon.a1246(int(self.unit.elapsed_s), ps=supply, work=work, mpo=round(3200 * (share or 1.0)))
        row = replies["estats"]["STATS"][0]
        row["MM ID0"] = (
            row["MM ID0"]
            .replace("GHSspd[81000.50]", f"GHSspd[{81000.5 * share:.2f}]")
            .replace("SoftOFF[0]", f"SoftOFF[{4 if self.unit.paused else 0}]")
            .replace("WORKMODE[0]", f"WORKMODE[{self.mode}]{' WORKLEVEL[0]' if self.newer else ''}")
        )
        return json.dumps(replies[document["command"]]).encode()

    def write(self, parameter):
        self.written.append(parameter)
        _, word, *rest = parameter.split(",")
        if word in {"softoff", "softon"}:
            assert rest[0].startswith("1:")
            if "no_effect" not in self.lies:
                self.unit.pause(word == "softoff")
            self.quirk = "hang_up" if word == "softon" else ""
            stamp = rest[0].partition(":")[2]
            return {
                "STATUS": [avalon.status(118, f"ASC 0 set info: success {word}:{stamp}")[0] | {"STATUS": "I"}],
                "id": 1,
            }
        if (rest[0] == "set") != self.newer:
            return {"STATUS": [avalon.status(120, "ASC 0 set failed: invalid")[0] | {"STATUS": "E"}], "id": 1}
        if "no_effect" not in self.lies:
            self.mode = rest[-1]
        return {"STATUS": avalon.status(119, "ASC 0 set OK"), "id": 1}
