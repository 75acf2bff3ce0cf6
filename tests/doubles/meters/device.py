"""The load behind a meter, and the ways in which the meter misbehaves."""

import math

VOLTS = 230.0
KWH = 3.6e6
PASSWORD_NAME = "PERWATT_TEST_PASSWORD"  # the environment variable that holds it


def choices_of(table):
    """Return a value for each setting of a table: its default, else 1."""
    return {name: "1" if setting.default is None else setting.default for name, setting in table.settings.items()}


def settings_of(table):
    """Return the settings that a spec of this table must state."""
    needed = "".join(f",{name}=1" for name, setting in table.settings.items() if setting.default is None)
    return needed + (",period=1" if table.period.s > 5.0 else "") + login_of(table.transport)


def login_of(transport):
    """Return the settings of the login, for a transport whose devices all want one."""
    return f",user=reader@example.org,password_env={PASSWORD_NAME}" if transport == "tapo" else ""


class Device:
    """A load with a known energy; `mode` says how its meter misbehaves.

    Modes: `good`; `frozen` (every figure stands still); `silent` (no answer); `refusing` (the protocol's own error);
    `zero` (0 W while amps flow, where the meter has amps); `sentinel` (the pattern for "no value"); `decade` (ten times
    the power); `reset` (the counter begins anew); `jump` (the counter leaps ahead);
    `unauthorised` (the login is refused from now on).
    """

    def __init__(self, clock, power_w=lambda _t: 400.0, start_j=5000.0 * KWH):
        self.clock, self.power_w, self.mode = clock, power_w, "good"
        self._energy_j, self._counted_s = start_j, clock.monotonic()
        self.wraps_at_j = None
        self._frozen = None

    def figures(self):
        """Return every figure that a meter may have, in SI."""
        now_s = self.clock.monotonic()
        steps = max(1, math.ceil((now_s - self._counted_s) / 0.01))
        step_s = (now_s - self._counted_s) / steps
        self._energy_j += sum(self.power_w(self._counted_s + (i + 0.5) * step_s) * step_s for i in range(steps))
        self._counted_s = now_s
        power_w = self.power_w(now_s)
        energy_j = self._energy_j % self.wraps_at_j if self.wraps_at_j else self._energy_j
        figures = {
            "power": power_w, "energy": energy_j, "volts": VOLTS, "amps": power_w / VOLTS / 0.95,
            "power_factor": 0.95, "apparent_power": power_w / 0.95, "time": now_s,
        }  # fmt: skip
        if self.mode == "frozen":
            self._frozen = self._frozen or figures
            return self._frozen
        if self.mode == "zero":
            figures["power"] = 0.0
        elif self.mode == "decade":
            figures["power"] *= 10.0
        elif self.mode == "reset":
            figures["energy"] = 0.0
        elif self.mode == "jump":
            figures["energy"] += 100.0 * KWH
        return figures

    def share(self, point, points):
        """Return the figure of one point [SI]: phases share power, energy and amps equally."""
        figures = self.figures()
        alike = [other for other in points if other.quantity == point.quantity]
        shared = point.quantity in {"power", "energy", "apparent_power"} and len(alike) > 1
        amps_shared = point.quantity == "amps" and len(alike) > 1
        return figures[point.quantity] / (len(alike) if shared or amps_shared else 1)
