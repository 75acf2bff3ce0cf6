"""The command line, a meter whose power a test decides, a device on loopback, short plans, and a test's own locks."""

import dataclasses
import signal
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from doubles.crowded import lengthen
from doubles.device import FakeDevice

from bench.cli import main
from bench.measure.plans import Plan
from bench.measure.runner import Job
from bench.meters.protocol import MeterInfo, MeterKind, Tier
from bench.meters.stream import PolledMeter
from bench.network.errors import ReadFailedError

Perwatt = Callable[..., subprocess.CompletedProcess[str]]


class FakeMeter(PolledMeter):
    """Power over monotonic time by `watts`; a counter integrates it as if it were constant since the last reading."""

    def __init__(self, watts=lambda _t: 100.0, *, name="fake", kind=MeterKind.POWER, boundary="wall", tier=Tier.B,
                 accuracy=0.01, period_s=0.01, domains=None):  # fmt: skip
        info = MeterInfo(name, kind, boundary, tier, accuracy, "stated", period_s, poll_s=period_s,
                         domains=domains or (f"fake:{name}",))  # fmt: skip
        super().__init__(info)
        self.watts = watts
        self.broken = False
        self._total, self._last = 0.0, None

    def connect(self):
        return self._info

    def read_once(self):
        if self.broken:
            raise ReadFailedError("unplugged")
        now = self._clock()
        if self._info.kind is MeterKind.POWER:
            return self.watts(now), (now,), ()
        if self._last is not None:
            self._total += self.watts(now) * (now - self._last)
        self._last = now
        return self._total, None, ()


@pytest.fixture
def deadlines():
    """Leave the deadlines of the network as they are, for a test of them."""


@pytest.fixture(autouse=True)
def patient(request, monkeypatch):
    """Let no test fail because its own doubles answer late on a crowded machine."""
    if "deadlines" not in request.fixturenames:
        lengthen(monkeypatch)


@pytest.fixture(autouse=True)
def own_locks(tmp_path, monkeypatch):
    monkeypatch.setenv("PERWATT_LOCKS", str(tmp_path / "locks"))


@pytest.fixture(autouse=True)
def own_second_folders(tmp_path, monkeypatch):
    """Keep results that a test rescues out of the user's folders."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


@pytest.fixture
def fake_meter(clock):  # noqa: ARG001 (its readings come at the clock's moments)
    made = []

    def make(*args, **kwargs):
        meter = FakeMeter(*args, **kwargs)
        meter.open()
        made.append(meter)
        return meter

    yield make
    for meter in made:
        meter.close()


@pytest.fixture
def short_job(tmp_path, monkeypatch):
    """A job under a plan of the name given, its times cut to what a test can wait for."""
    monkeypatch.setattr("bench.limits.LEAD_FLOOR_S", 0.15)
    monkeypatch.setattr("bench.meters.stream.LOST_AFTER_S", 0.5)

    def make(name="quick", *, windows=3, window_s=0.4, idle_s=0.0, **changes):
        store = tmp_path / "results"
        store.mkdir(exist_ok=True)
        plan = Plan(name, window_s, window_s, windows, 0.5, idle_s, idle_s if name == "publish" else 0.0)
        return Job.start(dataclasses.replace(plan, **changes), store, ["run", "fake_cpu"])

    return make


@pytest.fixture
def device():
    made = []

    def make(routes, login=None):
        made.append(FakeDevice(routes, login))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def perwatt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Perwatt:
    """Run `perwatt` in an empty folder, in this process; what is about a process has tests that start one."""

    def call(
        *arguments: object, cwd: Path | None = None, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        words = list(map(str, arguments))
        capfd.readouterr()
        handler = signal.getsignal(signal.SIGINT)
        try:
            with monkeypatch.context() as changed:
                changed.chdir(cwd or tmp_path)
                for name, value in (env or {}).items():
                    changed.setenv(name, value)
                with pytest.raises(SystemExit) as ended:
                    main(words)
        finally:
            signal.signal(signal.SIGINT, handler)
        stdout, stderr = capfd.readouterr()
        return subprocess.CompletedProcess(words, int(ended.value.code), stdout, stderr)

    return call


@pytest.fixture
def refused(perwatt):
    """Run `perwatt`, expect exit status 2 and exactly one line on stderr, and return that line."""

    def call(*arguments: object, status: int = 2, **kwargs) -> str:
        done = perwatt(*arguments, **kwargs)
        assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
        lines = [line for line in done.stderr.splitlines() if not line.startswith("warning: ")]
        assert len(lines) == 1, done.stderr
        assert lines[0].startswith("error: ")
        return lines[0]

    return call
