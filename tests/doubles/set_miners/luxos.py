"""LuxOS that is curtailed, changes profiles and holds one session."""

import json
import re

from doubles.miners import descendants
from doubles.miners.server import FakeMiner
from doubles.miners.unit import Unit

PROFILES = {"290MHz": (1200, 0.62), "340MHz": (2100, 0.8), "400MHz": (3000, 1.0)}


class FakeLuxOS(FakeMiner):
    """LuxOS; `lies` names what it does wrong.

    `no_effect`: writes are acknowledged only. `no_joined`: one command a request. `zeroed`, `tenfold`, `nan`: what its
    figures show. `says_asleep`: that it sleeps, whatever it does. `hidden_rate`: no rate.
    """

    def __init__(self, unit=None, *, lies=(), atm=False, session="", **settings):
        self.unit, self.lies, self.atm, self.session = unit or Unit(tuning_s=0.0), set(lies), atm, session
        self.profile, self.commands, self.sessions = "400MHz", [], 0
        super().__init__({}, **settings)

    def reply_to(self, request):
        document = json.loads(request)
        command, parameter = document["command"], document.get("parameter", "")
        if "+" in command and "no_joined" not in self.lies:
            parts = {name: [self.one(name, "")] for name in command.split("+")}
            return self.shown(parts | {"id": 1})
        return self.shown(self.one(command, parameter))

    def shown(self, document):
        text = json.dumps(document)
        return (re.sub(r'"(GHS \w+)": [^,]+', r'"\1": NaN', text) if "nan" in self.lies else text).encode()

    def one(self, command, parameter):
        if command in {"session", "logon", "logoff", "curtail", "atmset", "profileset"}:
            return self.write(command, parameter)
        factor = {True: 10.0}.get("tenfold" in self.lies, 1.0)
        self.unit.lie(0.0 if self.lies & {"zeroed", "hidden_rate"} else factor)
        replies = descendants.luxos(self.unit)
        if command not in replies:
            return {"STATUS": [{"STATUS": "E", "Code": 14, "Msg": "Invalid command"}], "id": 1}
        reply = replies[command]
        if command == "config":
            reply["CONFIG"][0] |= {"Profile": self.profile, "IsAtmEnabled": self.atm, "NameplateTHS": None}
            if "says_asleep" in self.lies:
                reply["CONFIG"][0]["CurtailMode"] = "Sleep"
        if command == "profiles":
            reply["PROFILES"] = [
                {"Profile Name": name, "Watts": watts, "Hashrate (TH)": 100.0 * share, "IsTuned": True}
                for name, (watts, share) in PROFILES.items()
            ]
        if command == "power":
            reply["POWER"][0]["Watts"] = round(self.unit.power_w * (0.0 if "zeroed" in self.lies else factor))
        return reply

    def write(self, command, parameter):
        if command in {"session", "logon"}:
            return self.log_on(command)
        session, _, rest = parameter.partition(",")
        if session != self.session:
            return {"STATUS": descendants.status("LUXminer", 401, "Invalid session", "E")}
        if command == "logoff":
            self.session = ""
            return {"STATUS": descendants.status("LUXminer", 317, "Logged off")}
        self.commands.append((command, rest))
        if "no_effect" not in self.lies:
            refusal = self.act(command, rest)
            if refusal:
                return {"STATUS": descendants.status("LUXminer", 400, refusal, "E")}
        return {"STATUS": descendants.status("LUXminer", 335, "Curtailment command sent")}

    def log_on(self, command):
        if command == "logon" and self.session:
            return {"STATUS": descendants.status("LUXminer", 402, "Another session is active", "E")}
        if command == "logon":
            self.sessions += 1
            self.session = f"S{self.sessions}x"
        return {"STATUS": descendants.status("LUXminer", 316, "Session"), "SESSION": [{"SessionID": self.session}]}

    def act(self, command, rest):
        if command == "curtail":
            self.unit.pause(rest == "sleep")
        elif command == "atmset":
            self.atm = rest == "enabled=true"
        elif self.atm:
            return "Cannot set the profile while ATM is enabled"
        else:
            self.profile = rest
            watts, share = PROFILES[rest]
            self.unit.count()
            self.unit.power_now_w, self.unit.rate_now_h_s = watts, share * 100e12
        return ""
