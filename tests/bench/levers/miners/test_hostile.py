"""No lever of a miner raises for what a device answers, and none writes what JSON cannot hold."""

import asyncio
import copy
import json
import random

import pytest
from doubles.miners import antminer, avalon, axeos, descendants, rest, whatsminer
from doubles.miners.unit import Unit

from bench.levers.miners.device.line import RefusedError
from bench.levers.reasons import WORDS
from bench.levers.registry import open_lever
from bench.miners.reply import Reply
from bench.network.errors import ReadFailedError

JUNK = (None, True, 0, -1, 1e308, 10**400, "", "nan", "x" * 200, [], {}, [[]], [{}], {"a": 1}, "12 W", "²", 3.7)
LEVELS = ("off", "on", "2000W", "60%", "mode1", "low", "400MHz", "²W", "1" * 40 + "W", "")
STORED = (
    {}, {"works": "yes"}, {"works": False}, {"works": True, "mode": 7, "profile": 3, "preset": [], "frequency": "x"},
)  # fmt: skip
SEEDS = 20


def documents(family):
    """Return right answers of a family by the name of the request."""
    unit = Unit()
    return {
        "luxos": lambda: descendants.luxos(unit) | {
            "session": {"SESSION": [{"SessionID": ""}]}, "logon": {"SESSION": [{"SessionID": "abc"}]},
        },
        "antminer": lambda: antminer.s21() | {"get_miner_conf": antminer.MINER_CONF, "": antminer.SYSTEM_INFO},
        "braiins": lambda: rest.braiins_rest(unit) | {
            "auth/login": {"token": "t"}, "configuration/miner": {"dps": {"enabled": True}},
            "performance/mode": {"tunermode": {"target": {"powertarget": {"power_target": {"watt": 3100}}}}},
        },
        "vnish": lambda: rest.vnish(unit) | {
            "unlock": {"token": "t"}, "autotune/presets": [{"name": "3000", "status": "tuned"}],
            "settings": {"restart_required": True},
        },
        "epic": lambda: rest.epic(unit) | {"miner": {"result": True}},
        "proto": lambda: rest.proto(unit) | {"login": {"access_token": "t"}},
        "axeos": lambda: {"info": axeos.info(unit), "asic": {"frequencyOptions": [400, 525]}},
        "whatsminer": lambda: {
            **{name: reply for name, reply in whatsminer.v2().items() if not isinstance(reply, bytes)},
            "get_token": whatsminer.message({"time": "1", "salt": "a", "newsalt": "b"}),
        },
        "whatsminer-v3": lambda: {
            "device": whatsminer.v3()["get.device.info"], "summary": whatsminer.v3()["get.miner.status summary"],
        },
        "avalon": avalon.a1246,
    }[family]()  # fmt: skip


def spoilt(dice, value, share):
    """Return a value of which a share of the parts is replaced or missing."""
    if dice.random() < share:
        return copy.deepcopy(dice.choice(JUNK))
    if isinstance(value, dict):
        return {key: spoilt(dice, part, share) for key, part in value.items() if dice.random() > share / 2}
    if isinstance(value, list):
        return [spoilt(dice, part, share) for part in value if dice.random() > share / 2]
    return value


class Spoilt:
    """The answers of a device, spoilt; it stands in the place of every request of a line."""

    def __init__(self, family, seed):
        self._right, self._dice = documents(family), random.Random(seed)
        self._share = self._dice.choice((0.0, 0.01, 0.05, 0.3))

    async def ask(self, name, *_request, optional=False, **_settings):
        parts = {part: [self._right.get(part, {})] for part in name.split("+")}
        whole = parts if "+" in name else self._right.get(name, {})
        raw = json.dumps(spoilt(self._dice, whole, self._share)).encode()
        if self._dice.random() < self._share / 4:
            raw = raw[: len(raw) // 2]
        try:
            reply = Reply.of(name, raw)
        except ReadFailedError as error:
            if optional:
                return Reply(name, fault=str(error))
            raise
        if reply.fault and not optional:
            raise RefusedError(reply.fault)
        return reply


async def use(lever):
    """Call every method of a lever, with right and with wrong arguments."""
    seen, setting = await lever.observe(1e9), await lever.as_found()
    assert set(seen.reasons) <= WORDS.keys()
    json.dumps(setting)
    for level in LEVELS:
        lever.can(level)
        await lever.to(level, 5.0)
        lever.confirm(level, seen, 1e9)
    for stored in (*STORED, *([setting] if setting else [])):
        await lever.restore(stored, 5.0)
    await lever.observe(1e9 + 60.0)
    assert all(level.name for level in lever.levels)


@pytest.mark.parametrize("family", [
    "luxos", "antminer", "braiins", "vnish", "epic", "proto", "axeos", "whatsminer", "whatsminer-v3", "avalon",
])  # fmt: skip
def test_spoilt_answers_are_observations_and_answers_and_never_exceptions(family, monkeypatch):
    monkeypatch.setattr("bench.levers.miners.avalon.PAUSE_S", 0.0)
    monkeypatch.setenv("MINER_PASSWORD", "correct horse")
    for seed in range(SEEDS):
        lever = open_lever(family, "127.0.0.1", {"password_env": "MINER_PASSWORD"})
        spoiler = Spoilt(family, seed)
        lever.line.ask = lever.line.web = lever.line.ask_frame = spoiler.ask
        asyncio.run(use(lever))
