"""The hook: real processes that answer, refuse, hang, flood and fail, and none of them outlives its call."""

import asyncio
import json
import shlex
import sys
import time
from pathlib import Path

import psutil
import pytest
from doubles import levers as doubles

from bench.levers.hook import parse_levels
from bench.levers.protocol import Evidence, Reply
from bench.levers.registry import open_lever
from hardware_profiles.errors import InputError
from sites.control.model import UnitState

SCRIPT = Path(doubles.__file__).with_name("hook.py")


@pytest.fixture
def hook(tmp_path):
    file = tmp_path / "rack.json"
    file.write_text(json.dumps({"level": "eco", "fans": 40}))

    def make(habit="honest", **options):
        address = shlex.join([sys.executable, "-I", str(SCRIPT), str(file), habit])
        return open_lever("hook", address, {"levels": "off:30 eco:1800 on:3300", **options})

    make.file = file
    return make


def test_a_hook_is_seen_set_and_brought_back(hook):
    lever = hook()

    async def run():
        found, seen = await lever.as_found(), await lever.observe(7.0)
        assert (seen.state, seen.level, seen.identity, seen.power_w) == (UnitState.RUNNING, "eco", "rack-7", 30.0)
        assert lever.confirm("eco", seen, 8.0) is Evidence.CONFIRMED
        assert (await lever.to("off", 5.0)).reply is Reply.ACCEPTED
        assert lever.confirm("off", await lever.observe(9.0), 9.0) is Evidence.CONFIRMED
        assert (await lever.restore(found, 5.0)).reply is Reply.ACCEPTED
        await lever.close()
        return found

    assert asyncio.run(run()) == json.loads(hook.file.read_text()) == {"level": "eco", "fans": 40}


@pytest.mark.parametrize(
    ("habit", "reply", "says"),
    [
        ("refuses", Reply.REFUSED, "locked by a person"),
        ("babbles", Reply.SILENT, "no answer of the command: exit status 0"),
        ("fails", Reply.SILENT, "no answer of the command: exit status 1: the rack does not answer: password=***"),
        ("hangs", Reply.SILENT, "no answer of the command: it was stopped: no end within 0.5 s"),
        ("floods", Reply.SILENT, "no answer of the command: it was stopped: more than 65536 bytes of output"),
    ],
)
def test_a_hook_that_does_not_answer_may_have_worked_and_says_nothing_of_the_device(hook, habit, reply, says):
    lever = hook(habit, timeout_s="0.5" if habit == "hangs" else "20")

    async def run():
        answer, seen = await lever.to("off", 20.0), await lever.observe(1.0)
        assert await lever.as_found() is None
        return answer, seen

    answer, seen = asyncio.run(run())
    assert (answer.reply, answer.says) == (reply, says)
    assert (seen.state, seen.level, seen.power_w) == (UnitState.UNKNOWN, None, None)
    assert not _left(hook.file)


def test_a_hook_that_nobody_waits_for_any_more_is_ended_with_its_children(hook):
    async def run():
        call = asyncio.create_task(hook("hangs").to("off", 60.0))
        while not _left(hook.file):  # noqa: ASYNC110 (no event: the process says nothing)
            await asyncio.sleep(0.01)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    asyncio.run(run())
    assert not _left(hook.file)


def test_a_figure_that_is_not_a_number_is_missing_and_a_level_that_is_not_stated_is_unknown(hook):
    hook.file.write_text(json.dumps({"level": "turbo"}))
    seen = asyncio.run(hook("zeroed").observe(1.0))
    assert (seen.power_w, seen.level, seen.reasons) == (None, None, ("unknown_level",))
    assert hook().can("turbo") == "unknown_level: one of off, eco, on"
    assert asyncio.run(hook().to("turbo", 1.0)).reply is Reply.REFUSED


@pytest.mark.parametrize("text", ["", "on", "on off", "off", "off on on", "off:x on", "off on:1:2", "off o\u0301n"])
def test_levels_that_are_none_are_refused(text):
    with pytest.raises(InputError, match="key levels"):
        parse_levels(text)


@pytest.mark.parametrize("timeout", ["0", "x", "1e9", "nan"])
def test_a_time_limit_that_is_none_is_refused(timeout):
    with pytest.raises(InputError, match="key timeout_s"):
        open_lever("hook", "true", {"timeout_s": timeout})


def _left(file):
    """Return the processes of this hook that still run."""
    end_s = time.monotonic() + 0.2
    while True:
        left = [p for p in psutil.process_iter(["cmdline"]) if str(file) in (p.info["cmdline"] or [])]
        left = [p for p in left if p.status() != psutil.STATUS_ZOMBIE]
        if left or time.monotonic() > end_s:
            return left
