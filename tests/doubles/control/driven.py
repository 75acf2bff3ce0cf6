"""A controller that drives a stepped twin over sockets, with prices that a test sets."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

from bench.control.clock import TwinClock
from bench.control.drive import drive
from bench.control.driving.run import Run
from bench.control.inputs import InputTables, PriceTable
from bench.control.policy import policy_of
from bench.control.setup.arm import read_arm
from bench.control.setup.read import read_control
from bench.device_rates import resolve_device
from bench.twin.files import write_files
from sites.control.planned import plan_of
from sites.dispatch.year import site_year
from sites.file.build import load_site

QUARTER_S = 900
CHEAP, DEAR = 5.0, 900.0  # [USD/MWh]
_PRICES = {"source": "file:prices.csv", "value": "p", "time": "t", "unit": "USD/MWh", "minutes": 15}


@cache
def _plan(text, path, start_s):  # noqa: ARG001 (the text of the file is what makes two plans differ)
    site = load_site(path, resolve_device)
    return site.name, plan_of(site_year(site, hourly=True), start_s=start_s, hours=48)


class Driven:
    """The files of a twin, and runs of the controller on it.

    Parameters
    ----------
    twin
        A running twin whose clock is stepped.
    folder
        For all files.
    """

    def __init__(self, twin, folder):
        self.twin, self.folder = twin, folder
        self.files = write_files(folder / "twin", twin.twin, twin.served)
        self.clock = TwinClock(f"http://{twin.served.pages}/clock")
        self.start_s = self.clock.now_s()
        self.site, self.plan = _plan(self.files["site"].read_text(), self.files["site"], self.start_s)
        self.control = read_control(self.files["control"])
        self.rules = replace(self.control.rules, windows_down=1, windows_up=1)
        self.rows = []
        self.price(CHEAP)

    def price(self, *by_quarter):
        """Write prices from the start on, one for each quarter of an hour; the last one goes on for a day."""
        prices = [*by_quarter, *[by_quarter[-1]] * 96]
        times = (datetime.fromtimestamp(self.start_s + QUARTER_S * at, UTC).isoformat() for at in range(len(prices)))
        lines = [f"{time},{price}" for time, price in zip(times, prices, strict=True)]
        (self.folder / "twin" / "prices.csv").write_text("\n".join(["t,p", *lines, ""]))

    def run(self, *, armed=False, **changes):
        """Return a run; armed by the file that the twin wrote."""
        permit = expires_s = None
        if armed:
            fits = read_arm(self.files["arm"], self.control, self.site, self.clock.now_s())
            assert not fits.reason
            permit, expires_s = fits.permit, fits.expires_s
        setup = self.control.setup(self.site, policy_of(self.plan, self.rules), permit)
        tables = InputTables(PriceTable.model_validate(_PRICES), (), self.control.path, self.folder / "inputs")
        log = self.folder / ("armed" if armed or changes.get("restoring") else "shadow")
        run = Run(
            setup, self.plan, self.rules, self.control.devices, tables, self.control.feeder, self.control.sha256, log,
            mode_reason="as the test says", simulated=True, expires_s=expires_s,
        )  # fmt: skip
        return replace(run, **changes)

    def drive(self, run, cycles, step_s=30.0, on_row=None, **keys):
        """Drive a run; the twin's clock goes on by `step_s` after each cycle."""

        def tell(row):
            self.rows.append(row)
            if on_row is not None:
                on_row(row)
            self.twin.step(step_s)

        return asyncio.run(drive(run, self.clock, tell, cycles=cycles, **keys))

    @property
    def changes(self):
        """What the sockets of the units received that could change anything."""
        return self.twin.page("/bytes")["change_bytes"]
