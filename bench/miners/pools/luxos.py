"""Pools of LuxOS: ours is added and made the first; the former ones stay as they are.

References
----------
docs.luxor.tech/firmware/api/luxminer: `addpool`, `switchpool` and `removepool` need no session. As in cgminer, a switch
moves one pool to the front and keeps the order of the others.
"""

from typing import Any

from bench.miners.pools import Pools, Snapshot
from bench.miners.pools.writes import ANY_PASSWORD, PoolConflictError, Target, Write
from bench.miners.reply import Replies, rows
from hardware_profiles.errors import InputError


def snapshot(replies: Replies) -> Snapshot:
    """Return the pools by priority.

    Raises
    ------
    InputError
        Groups share the work by quota: then no single pool gets all of it.
    """
    pools = [
        {
            "number": row.whole("POOL"),
            "url": row.text("URL"),
            "user": row.text("User"),
            "priority": row.whole("Priority"),
            "group": row.whole("GROUP") or 0,
        }
        for row in rows(replies, "pools", "POOLS")
    ]
    if not pools:
        raise InputError("the miner shows no pool: enter one by hand")
    if len({pool["group"] for pool in pools}) > 1:
        raise InputError("the miner divides its work between groups of pools: enter the pool by hand")
    return {"pools": sorted(pools, key=lambda pool: (pool["priority"] is None, pool["priority"]))}


def to_set(before: Snapshot, now: Snapshot, target: Target, _since_write_s: float | None) -> tuple[Write, ...]:
    """Return the next write that makes the miner work for the target."""
    del before
    ours = _find(now, target.url, target.user)
    if ours is None:
        parameter = f"{target.url},{target.user},{ANY_PASSWORD}"
        return (Write(f"add the pool {target.host}:{target.port}", "4028", "addpool", parameter),)
    return () if ours is now["pools"][0] else (_switch(ours, "work for our pool"),)


def to_restore(before: Snapshot, now: Snapshot, target: Target, _since_write_s: float | None) -> tuple[Write, ...]:
    """Return the next write that brings the former pool back.

    Raises
    ------
    PoolConflictError
        The former pool is not there any more.
    """
    first = before["pools"][0]
    former, ours = _find(now, first["url"], first["user"]), _find(now, target.url, target.user)
    if former is None:
        raise PoolConflictError("the former pool of the miner is not configured any more: nothing is changed")
    if now["pools"][0] is not former:
        if now["pools"][0] is not ours:
            raise PoolConflictError("the miner works for a pool that is neither the former one nor ours")
        return (_switch(former, "work for the former pool"),)
    if ours is None or _find(before, target.url, target.user) is not None:
        return ()
    return (Write("remove our pool", "4028", "removepool", str(ours["number"])),)


def _find(at: Snapshot, url: str, user: str) -> Any:
    """Return the pool with an address and a user, or None; numbers of pools change and tell nothing."""
    return next((pool for pool in at["pools"] if (pool["url"], pool["user"]) == (url, user)), None)


def _switch(pool: dict[str, Any], says: str) -> Write:
    return Write(says, "4028", "switchpool", str(pool["number"]))


POOLS = Pools(
    replies=(("pools", "pools"),),
    web=False,
    login=False,
    secret=False,
    snapshot=snapshot,
    to_set=to_set,
    to_restore=to_restore,
    side_effects=(
        "the miner does not restart; it changes pools within seconds",
        "if our work server stops answering, the miner goes to its former pools",
        "a share of the work that the firmware keeps as its fee still goes elsewhere",
    ),
)
