"""Levers of miners on loopback."""

import asyncio
import itertools

import pytest

from bench.levers.protocol import Evidence


class Handle:
    """A lever, its device and a clock that a test moves."""

    def __init__(self, lever, fake):
        self.lever, self.fake = lever, fake
        self.now_s = 1_790_000_000.0
        self._runner = asyncio.Runner()

    def run(self, seconds):
        """Let time pass for the device and for the controller."""
        self.now_s += seconds
        self.fake.unit.run(seconds)

    def look(self):
        self.run(1.0)
        return self._runner.run(self.lever.observe(self.now_s))

    def look_at_once(self):
        """Look without time that passes."""
        return self._runner.run(self.lever.observe(self.now_s))

    def look_many(self, count):
        """Look so many times at once."""

        async def looks():
            await asyncio.gather(*(self.lever.observe(self.now_s) for _ in range(count)))

        self._runner.run(looks())

    def look_through(self, lever):
        """Look with another lever."""
        return self._runner.run(lever.observe(self.now_s))

    def as_found(self):
        return self._runner.run(self.lever.as_found())

    def to(self, level, deadline_s=30.0):
        return self._runner.run(self.lever.to(level, deadline_s))

    def restore(self, setting, deadline_s=30.0):
        return self._runner.run(self.lever.restore(setting, deadline_s))

    def shows(self, level):
        """Return the evidence of a fresh look for a level."""
        return self.lever.confirm(level, self.look(), self.now_s)

    def close(self):
        self._runner.run(self.lever.close())
        self._runner.close()
        self.fake.close()


@pytest.fixture
def handle():
    """Return a function that makes a handle of a lever and its device; both end with the test."""
    made = []

    def make(lever, fake):
        made.append(Handle(lever, fake))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def round_trip():
    """Return a check that a device goes off, on and back, that each is shown, and that the setting is the former."""

    def check(device, levels=()):
        device.look()
        before = device.as_found()
        assert before is not None
        assert device.as_found() == before, "the setting moves by itself"
        for level, other in itertools.pairwise(["off", *levels, "on", "off"]):
            assert device.to(level).reply in {"accepted", "silent"}
            assert device.shows(level) is Evidence.CONFIRMED
            assert device.shows(other) is Evidence.CONTRARY
        assert device.restore(before).reply in {"accepted", "silent"}
        assert device.shows("on") is Evidence.CONFIRMED
        assert device.as_found() == before
        return before

    return check
