"""The clock of the controller follows this machine's, or that of a twin."""

import asyncio
import time

import pytest
from doubles.feeds.web import WebSource
from doubles.twin.running import running_twin

from bench.control.clock import TwinClock, WallClock, open_clock
from bench.errors import RunFailedError
from hardware_profiles.errors import InputError


def test_the_clock_of_this_machine_sleeps_until_its_time():
    clock = open_clock(None)
    assert isinstance(clock, WallClock)
    at_s = time.time() + 0.05
    asyncio.run(clock.sleep_until(at_s))
    assert time.time() >= at_s
    asyncio.run(clock.sleep_until(at_s - 100.0))


def test_the_clock_of_a_stepped_twin_shows_its_time_and_wakes_when_it_is_stepped():
    with running_twin(units=1) as twin:
        clock = TwinClock(f"http://{twin.served.pages}/clock")
        before_s = clock.now_s()

        async def sleep():
            sleeper = asyncio.ensure_future(clock.sleep_until(before_s + 30.0))
            await asyncio.sleep(0.05)
            assert not sleeper.done()
            twin.step(30.0)
            await asyncio.wait_for(sleeper, 20.0)

        asyncio.run(sleep())
        assert clock.now_s() == before_s + 30.0
        assert clock.simulated


def test_between_two_looks_a_fast_clock_goes_on_at_its_speed():
    web = WebSource(lambda *_: (200, {}, b'{"now_s": 1000.0, "speed": 1000.0}'))
    clock = TwinClock(web.url)
    began = time.monotonic()
    asyncio.run(clock.sleep_until(1100.0))
    assert 0.09 < time.monotonic() - began < 10.0
    assert clock.now_s() >= 1100.0
    web.close()


def test_a_twin_that_is_gone_ends_the_run_with_a_line():
    with running_twin(units=1) as twin:
        clock = TwinClock(f"http://{twin.served.pages}/clock")
    with pytest.raises(RunFailedError, match="the twin does not answer any more"):
        clock.now_s()


@pytest.mark.parametrize(
    ("url", "message"),
    [("http://10.0.0.9/clock", "on this machine"), ("http://127.0.0.1:1/clock", "--clock: http://127.0.0.1:1")],
)
def test_a_clock_elsewhere_or_that_does_not_answer_is_refused(url, message):
    with pytest.raises(InputError, match=message):
        TwinClock(url)
