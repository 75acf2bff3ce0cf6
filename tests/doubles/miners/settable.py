"""LuxOS and a stock Antminer on loopback whose pools can be set."""

import json

from doubles.miners.descendants import commands, reply, status
from doubles.miners.server import FakeMiner, encoded
from doubles.miners.web import FakeWebMiner


class FakeLuxOS(FakeMiner):
    """LuxOS that adds, switches and removes pools; the first one by priority is in use."""

    def __init__(self, unit, *, groups=(0, 0)):
        self.pools = [
            {"URL": f"stratum+tcp://{name}.example.com:3333", "User": "worker.1", "GROUP": group}
            for name, group in zip(("pool", "backup"), groups, strict=True)
        ]
        super().__init__(commands(unit, "luxos"))

    def reply_to(self, request):
        document = json.loads(request)
        command, parameter = document["command"], document.get("parameter", "")
        write = {"addpool": self._add, "switchpool": self._switch, "removepool": self._remove}.get(command)
        if write is not None:
            return encoded(write(parameter))
        if command == "pools":
            rows = [{"POOL": number, "Priority": number, "Status": "Alive", "Stratum Active": number == 0, **pool}
                    for number, pool in enumerate(self.pools)]  # fmt: skip
            return encoded(reply("LUXminer", 7, "POOLS", rows))
        return super().reply_to(request)

    @property
    def pool_in_use(self):
        return self.pools[0]["URL"], self.pools[0]["User"]

    def _add(self, parameter):
        url, user, _password = parameter.split(",")
        self.pools.append({"URL": url, "User": user, "GROUP": 0})
        return _done(f"Added pool {len(self.pools) - 1}")

    def _switch(self, parameter):
        self.pools.insert(0, self.pools.pop(int(parameter)))
        return _done("Switching pool")

    def _remove(self, parameter):
        if parameter == "0":
            return {"STATUS": status("LUXminer", 68, "Cannot remove active pool", "E"), "id": 1}
        del self.pools[int(parameter)]
        return _done("Removed pool")


def _done(message):
    return {"STATUS": status("LUXminer", 55, message), "id": 1}


class FakeAntminerPages(FakeWebMiner):
    """The pages of a stock Antminer that show and take its whole configuration."""

    def __init__(self):
        self.conf = {
            "pools": [
                {"url": "stratum+tcp://pool.example.com:3333", "user": "worker.1", "pass": "first secret"},
                {"url": "stratum+tcp://backup.example.com:3333", "user": "worker.1", "pass": "second secret"},
                {"url": "", "user": "", "pass": ""},
            ],
            "api-listen": True, "api-network": True, "bitmain-fan-ctrl": True, "bitmain-fan-pwm": "70",
            "bitmain-work-mode": "0", "bitmain-freq-level": "80",
        }  # fmt: skip
        self.restarts, self.ignores = 0, False
        super().__init__(
            {
                "GET /cgi-bin/get_miner_conf.cgi": lambda _: self.conf,
                "POST /cgi-bin/set_miner_conf.cgi": self._set,
            }
        )

    @property
    def pool_in_use(self):
        return self.conf["pools"][0]["url"], self.conf["pools"][0]["user"]

    def _set(self, body):
        if not self.ignores:  # the S21+ answers success all the same
            read_as = {"miner-mode": "bitmain-work-mode", "freq-level": "bitmain-freq-level"}
            kept = {key: body[key] for key in self.conf if key in body}
            self.conf |= kept | {name: body[key] for key, name in read_as.items() if key in body}
            self.restarts += 1
        return {"stats": "success", "code": "M000", "msg": "OK!"}
