"""Pools of a stock Antminer: the whole configuration is written, with one pool in place of all.

References
----------
`/cgi-bin/get_miner_conf.cgi` and `set_miner_conf.cgi`, as MiningOS and the web page of the firmware use them: mode and
frequency are read as `bitmain-work-mode` and `bitmain-freq-level`, and written as `miner-mode` and `freq-level`.
"""

from collections.abc import Mapping
from typing import Any

from bench.miners.pools import Pools, Snapshot
from bench.miners.pools.writes import ANY_PASSWORD, PoolConflictError, Target, Write
from bench.miners.reply import Replies, section
from hardware_profiles.errors import InputError

GET_CONF, SET_CONF = "/cgi-bin/get_miner_conf.cgi", "/cgi-bin/set_miner_conf.cgi"
_WRITTEN_AS = {"bitmain-work-mode": "miner-mode", "bitmain-freq-level": "freq-level"}


def snapshot(replies: Replies) -> Snapshot:
    """Return the configuration; it holds the passwords of the pools.

    Raises
    ------
    InputError
        The reply has no list of pools: the firmware is older, and its pool is set by hand.
    """
    conf = dict(section(replies, "get_miner_conf").values)
    pools = conf.get("pools")
    if not isinstance(pools, list) or not pools or not all(isinstance(pool, dict) for pool in pools):
        raise InputError("get_miner_conf shows no list of pools: enter the pool by hand")
    return {"conf": conf}


def to_set(before: Snapshot, now: Snapshot, target: Target, _since_write_s: float | None) -> tuple[Write, ...]:
    """Return the write that makes the miner work for the target alone."""
    pools = _only(before, target)
    return _written(now, pools, f"set the only pool to {target.host}:{target.port}")


def to_restore(before: Snapshot, now: Snapshot, target: Target, _since_write_s: float | None) -> tuple[Write, ...]:
    """Return the write that brings the former pools back, with mode and fans as they are now.

    Raises
    ------
    PoolConflictError
        The pools are neither the former ones nor the target.
    """
    former = before["conf"]["pools"]
    if not _same(now, former) and not _same(now, _only(before, target)):
        raise PoolConflictError("the pools of the miner are neither the former ones nor ours: nothing is changed")
    return _written(now, former, "bring the former pools back")


def _only(before: Snapshot, target: Target) -> list[dict[str, Any]]:
    """Return as many pools as before, all but the first one empty."""
    ours = {"url": target.url, "user": target.user, "pass": ANY_PASSWORD}
    empty = {"url": "", "user": "", "pass": ""}
    return [ours, *(dict(empty) for _ in before["conf"]["pools"][1:])]


def _same(now: Snapshot, pools: list[dict[str, Any]]) -> bool:
    """Return whether pools are configured now; empty ones, which some firmware leaves out, do not count."""

    def stated(rows: list[dict[str, Any]]) -> list[tuple[Any, Any]]:
        return [(row.get("url"), row.get("user")) for row in rows if row.get("url")]

    return stated(now["conf"]["pools"]) == stated(pools)


def _written(now: Snapshot, pools: list[dict[str, Any]], says: str) -> tuple[Write, ...]:
    """Return the write of the whole configuration of now with other pools, unless these are configured."""
    if _same(now, pools):
        return ()
    body = as_written(now["conf"]) | {"pools": pools}
    return (Write(says, "POST", SET_CONF, body, restarts=True),)


def as_written(conf: Mapping[str, Any]) -> dict[str, Any]:
    """Return a whole configuration as the firmware takes it, with the other names of keys that it does not read back.

    Parameters
    ----------
    conf
        The configuration as `get_miner_conf.cgi` shows it.
    """
    return {**{_WRITTEN_AS[key]: value for key, value in conf.items() if key in _WRITTEN_AS}, **conf}


POOLS = Pools(
    replies=(("get_miner_conf", GET_CONF),),
    web=True,
    login=True,
    secret=True,
    snapshot=snapshot,
    to_set=to_set,
    to_restore=to_restore,
    side_effects=(
        "the mining program restarts twice, and the boards lose and regain power each time",
        "the configuration is written to the flash memory twice",
        "the file that brings the pools back holds their passwords, readable for you only",
        "some firmware answers success and changes nothing: the configuration is read again after each write",
    ),
)
