"""A stock Antminer whose mode is set: port 4028 and web pages with a digest login."""

import functools
import hashlib
import re
import threading

from doubles.miners import antminer
from doubles.miners.server import FakeMiner, encoded
from doubles.miners.unit import Unit
from doubles.miners.web import FakeWebMiner

USER, PASSWORD = "root", "correct horse"
_MODES = {"0": 1.0, "2": 1.1, "3": 0.8}


class FakeAntminer(FakeWebMiner):
    """The web pages; `rpc` is its port 4028. `lies` names what it does wrong.

    `late`: the answer to a write comes only when the test ends. `partial`: the configuration cannot be read.
    `no_effect`: `M000 OK` and nothing else. `wipes`: pools are lost by a write.
    """

    challenge = 'Digest realm="antMiner Configuration", nonce="nonce1", qop="auth", algorithm=MD5'

    def __init__(self, *, lies=(), kind="s21", mode_key="bitmain-work-mode", mode="0"):
        self.unit, self.lies, self.kind, self.mode_key = Unit(2e14, 3500.0, tuning_s=0.0), set(lies), kind, mode_key
        self.conf = {
            "pools": [
                {"url": "stratum+tcp://pool.example.com:3333", "user": "worker.1", "pass": "first secret"},
                {"url": "stratum+tcp://backup.example.com:3333", "user": "worker.1", "pass": "second secret"},
                {"url": "", "user": "", "pass": ""},
            ],
            "api-listen": True, "bitmain-fan-ctrl": False, "bitmain-fan-pwm": "100", mode_key: mode,
            "bitmain-freq-level": "100",
        }  # fmt: skip
        self.written, self.logins = [], 0
        self.hold = threading.Event()
        names = ("version", "stats", "stats new_api")
        self.rpc = FakeMiner({name: functools.partial(self.rpc_reply, name) for name in names})
        super().__init__({
            "GET /cgi-bin/get_miner_conf.cgi": lambda _: self.shown(),
            "GET /cgi-bin/get_system_info.cgi": lambda _: antminer.SYSTEM_INFO,
            "POST /cgi-bin/set_miner_conf.cgi": self.set,
        })  # fmt: skip

    @property
    def mode(self):
        return str(self.conf[self.mode_key])

    def rpc_reply(self, name):
        if self.mode == "1" and name != "version":
            return antminer.asleep()["stats"]
        kinds = {"s21": antminer.s21, "s19": antminer.s19_pro}
        replies = kinds[self.kind](int(self.unit.elapsed_s))
        text = encoded(replies.get(name, b"{}")).decode()
        if self.kind == "s21" and name == "stats new_api":
            text = text.replace("198500.0", str(198500.0 * _MODES[self.mode]))
        return text

    def shown(self):
        return {"success": False, "error": "busy"} if "partial" in self.lies else self.conf

    def set(self, body):
        self.written.append(body)
        if "no_effect" not in self.lies and "miner-mode" in body:  # the name that is read has no effect when written
            self.conf = {key: body[key] for key in self.conf if key in body} | {self.mode_key: body["miner-mode"]}
            if "freq-level" not in body:
                self.conf["bitmain-freq-level"] = "100"
            if "wipes" in self.lies:
                self.conf["pools"] = self.conf["pools"][:1]
            self.unit.restart()
        if "late" in self.lies:
            self.hold.wait(60.0)
        return {"stats": "success", "code": "M000", "msg": "OK!"}

    def reply(self, method, path, body, headers):
        stated = dict(re.findall(r'(\w+)="?([^",]+)"?', headers.get("Authorization") or ""))
        if not self._right(stated, method, path):
            return 401, b"", "text/html"
        return super().reply(method, path, body, headers)

    def _right(self, stated, method, path):
        if stated.get("nonce") != "nonce1":
            return False
        self.logins += 1
        secret = _md5(f"{USER}:antMiner Configuration:{PASSWORD}")
        middle = f"nonce1:{stated['nc']}:{stated['cnonce']}:auth"
        return stated["response"] == _md5(f"{secret}:{middle}:{_md5(f'{method}:{path}')}")

    def close(self):
        self.hold.set()
        self.rpc.close()
        super().close()


def _md5(text):
    return hashlib.md5(text.encode()).hexdigest()
