"""A controller as a process of its own, armed on the files of a twin whose clock it steps: one JSON line a cycle.

Its policy asks the intent of the plan, and then wants every unit off: so each wave is as large as the limits allow.
"""

import asyncio
import json
import resource
import sys
import time
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from bench.cli.control.sites import plan_of_year, read_site
from bench.control.clock import TwinClock
from bench.control.decision.terms import Intended
from bench.control.drive import drive
from bench.control.driving.run import Run
from bench.control.inputs import InputTables
from bench.control.policy import policy_of
from bench.control.setup.arm import read_arm
from bench.control.setup.read import read_control
from sites.control.model import OFF


def main(folder, pages, cycles, armed):
    clock = TwinClock(f"{pages}/clock")
    controlled = read_control(folder / "control.toml")
    path = folder / "site.toml"
    site = read_site(str(path))
    plan = plan_of_year(site, clock.now_s(), str(path) if len(controlled.units) >= 1000 else "")
    permit, expires_s = None, None
    if armed:
        arm = read_arm(folder / "arm.toml", controlled, site.name, clock.now_s())
        permit, expires_s = arm.permit, arm.expires_s
    asked = policy_of(plan, controlled.rules)

    def policy(inputs, views, now_s):
        intended = asked(inputs, views, now_s)
        return Intended({view.unit.name: OFF for view in views}, intended.codes, intended.plan_w, intended.intended_w)

    run = Run(
        controlled.setup(site.name, policy, permit), plan, controlled.rules, controlled.devices,
        InputTables(controlled.price, controlled.targets, controlled.path, folder / "inputs"), controlled.feeder,
        controlled.sha256, folder / "log", "a test", True, expires_s,
    )  # fmt: skip
    asyncio.run(drive(run, clock, teller(pages), cycles=cycles))


def teller(pages):
    """Return what prints a cycle and steps the clock of the twin."""
    page, last = urlsplit(pages), [time.perf_counter(), time.process_time()]

    def tell(row):
        now = [time.perf_counter(), time.process_time()]
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        line = {"cycle_s": now[0] - last[0], "cpu_s": now[1] - last[1], "peak_mb": peak_mb, "commands": row["commands"],
                "states": row["states"], "mode": row["mode"]}  # fmt: skip
        sys.stdout.write(f"{json.dumps(line)}\n")
        sys.stdout.flush()
        connection = HTTPConnection(page.hostname, page.port, timeout=60.0)
        connection.request("POST", "/clock?step=600")
        connection.getresponse().read()
        connection.close()
        last[:] = [time.perf_counter(), time.process_time()]

    return tell


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4] == "armed")
