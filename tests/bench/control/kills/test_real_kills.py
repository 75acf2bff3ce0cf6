"""`perwatt control` on a twin over sockets, killed by SIGKILL again and again, at times that nobody chose.

A kill between the `logon` and the `logoff` of a LuxOS miner leaves its only session open: until the miner ends it, no
command gets through. Such a unit is listed with its reason; docs/miner-levers.md says so.
"""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from random import Random

import pytest
from doubles.twin.running import running_twin
from faults.command import ENVIRONMENT, ROOT, WHOLE

from bench.control.log.audit import AUDIT_FILE
from bench.twin.files import arm_toml, control_toml, write_files

KILLS = 30 if WHOLE else 1
SPEED = 300.0 if WHOLE else 900.0  # simulated seconds a second
QUARTER_S = 900
LIMIT_S = 300.0
_PRICES = '[price]\nsource = "file:prices.csv"\nvalue = "p"\ntime = "t"\nunit = "USD/MWh"\nminutes = 15\n'

pytestmark = pytest.mark.slow


class Killed:
    """A twin's files, and the command that is killed."""

    def __init__(self, twin, folder):
        self.twin, self.folder = twin, folder
        self.files = write_files(folder / "twin", twin.twin, twin.served)
        self.environment = os.environ | ENVIRONMENT | {"XDG_STATE_HOME": str(folder / "state"), "PYTHONPATH": str(ROOT)}
        head, _, rest = control_toml(twin.twin, twin.served).partition("[price]")
        units = rest.partition("\n[[unit]]")[2]
        control = f"{head}{_PRICES}\n[[unit]]{units}".replace("windows_down = 2", "windows_down = 1")
        control = control.replace("windows_up = 4", "windows_up = 1").replace("tick_s = 30", "tick_s = 60")
        control = control.replace("min_on_s = 900", "min_on_s = 300").replace("min_off_s = 600", "min_off_s = 300")
        self.files["control"].write_text(control)
        self.files["arm"].write_text(arm_toml(twin.twin, control))

    def now_s(self):
        return self.twin.page("/clock")["now_s"]

    def price(self, hours_dear):
        """Write prices: cheap and dear hours by turns, then cheap for good."""
        start_s = self.now_s() // QUARTER_S * QUARTER_S - QUARTER_S
        rows = ["t,p"]
        for quarter in range(4 * 24 * 3):
            hour = quarter // 4
            price = 900.0 if hour % 2 and hour < hours_dear else 5.0
            rows.append(f"{datetime.fromtimestamp(start_s + QUARTER_S * quarter, UTC).isoformat()},{price}")
        (self.folder / "twin" / "prices.csv").write_text("\n".join(rows) + "\n")
        return start_s + 3600 * hours_dear

    def command(self, *more):
        clock = f"http://{self.twin.served.pages}/clock"
        words = [str(self.files["site"]), "--units", str(self.files["control"]), "--clock", clock]
        return [sys.executable, "-m", "bench", "control", *words, "--out", str(self.folder / "results"), *more]

    @property
    def log(self):
        return self.folder / "results" / "control" / "twin-simulated" / "armed" / AUDIT_FILE

    def begin(self):
        """Start the command and wait until it has written a cycle of its own."""
        size = self.log.stat().st_size if self.log.exists() else 0
        arm = ("--arm", str(self.files["arm"]))
        child = subprocess.Popen(self.command(*arm), cwd=self.folder, env=self.environment, stdout=subprocess.PIPE)
        for _ in patiently():
            if child.poll() is not None:
                raise AssertionError(child.communicate()[0])
            if self.log.exists() and self.log.stat().st_size > size + 2000:
                return child
        raise AssertionError("no cycle")

    def ask(self, *more):
        keys = {"cwd": self.folder, "env": self.environment, "capture_output": True, "text": True}
        return subprocess.run(self.command(*more), check=False, **keys)

    def awake(self):
        return [self.twin.twin.units[at].level_w(self.now_s()) > 0.0 for at in range(len(self.twin.twin.units))]


def patiently():
    end_s = time.monotonic() + LIMIT_S
    while time.monotonic() < end_s:
        yield
        time.sleep(0.01)


def test_a_controller_that_is_killed_again_and_again_ends_where_it_should(tmp_path):
    draw = Random(11)
    with running_twin(units=6, speed=SPEED) as twin:
        site = Killed(twin, tmp_path)
        site.price(hours_dear=2 * KILLS)
        for _ in range(KILLS):
            child = site.begin()
            time.sleep(draw.uniform(0.0, 2.0))
            child.send_signal(signal.SIGKILL)
            child.communicate()
        end_s = site.price(hours_dear=2)
        child = site.begin()
        was_off = False
        for _ in patiently():
            was_off = was_off or not any(site.awake())
            if site.now_s() > end_s and (all(site.awake()) or site.now_s() > end_s + 4 * 3600.0):
                break
        assert was_off, "no unit was switched off by the last run"
        child.send_signal(signal.SIGTERM)
        child.communicate()
        assert child.returncode == 0
        done = site.ask("--restore", "--json")
        document = json.loads(done.stdout)
        listed = {**{unit["unit"]: unit["code"] for unit in document["units"]}, **document["listed"]}
        names = [unit.name for unit in twin.twin.units]
        asleep = {name for name, awake in zip(names, site.awake(), strict=True) if not awake}
        assert asleep == listed.keys(), (asleep, listed)
        assert (done.returncode, document["end"]) == ((1, "not_restored") if listed else (0, "restored"))
        assert len(listed) <= KILLS // 10
        assert all(listed.values())
        checked = site.ask("--verify")
        assert checked.returncode == 0, checked.stdout + checked.stderr
        assert "the same again" in checked.stdout
    assert len(list((tmp_path / "state").rglob("*.json"))) == len(listed), "what is not as found is in the journal"
