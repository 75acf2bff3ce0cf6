"""Pools of AxeOS: one pool and a fallback before 2.15 and on NerdAxe boards, eight slots from 2.15 on.

Before 2.15 a PATCH without `stratumPassword` keeps the stored password, so that no password is read or written. From
2.15 on the firmware answers 200 to the old keys and ignores them; a free slot is used instead, and no other slot is
touched.
Settings are stored at once and used from the next restart on, which only the uptime shows.

References
----------
bitaxeorg/ESP-Miner 2.9.0 to 2.15.0: main/http_server/http_server.c (`PATCH_update_settings`, `DELETE_system_pool`),
main/nvs_config.c.
"""

from typing import Any

from bench.miners.parsing.nested import inside, rows_inside
from bench.miners.pools import Pools, Snapshot
from bench.miners.pools.writes import ANY_PASSWORD, PoolConflictError, Target, Write
from bench.miners.reply import Replies, Section, section
from hardware_profiles.errors import InputError

_FLAT = ("stratumURL", "stratumPort", "stratumUser", "stratumTLS", "stratumProtocol")
_INDEXES = ("primaryPoolIndex", "secondaryPoolIndex", "useFallbackStratum")
_SLOTS = 8
_RESTART = Write("restart the miner", "POST", "/api/system/restart", restarts=True)


def snapshot(replies: Replies) -> Snapshot:
    """Return the pools of a unit.

    Raises
    ------
    InputError
        The unit divides its work or refuses a pool of ours: its pool is then set by hand.
    """
    info = section(replies, "info")
    _refuse_what_would_not_work(info)
    slots = {str(row.whole("id")): row.text("stratumURL") for row in rows_inside(info, "pools")}
    keys = _INDEXES if "pools" in info.values else _FLAT
    return {
        "uptime_s": info.number("uptimeSeconds"),
        "settings": {key: info.get(key) for key in keys if info.get(key) is not None},
        "slots": slots if "pools" in info.values else None,
        "slot_pools": [dict(row.values) for row in rows_inside(info, "pools")],
    }


def to_set(before: Snapshot, now: Snapshot, target: Target, since_write_s: float | None) -> tuple[Write, ...]:
    """Return the writes that make a unit work for the target."""
    if since_write_s is None and _works_for(before, target):
        return ()
    if before["slots"] is None:
        goal = _flat(before["settings"], target)
        return _patched(now, goal, {}, since_write_s, f"set the pool to {target.host}:{target.port}")
    slot = _slot(before)
    goal = {"primaryPoolIndex": slot} | ({"useFallbackStratum": False} if _falls_back(before) else {})
    pool = _slot_pool(slot, target)
    further = {} if _holds(now, slot, target) else {"pools": [pool]}
    return _patched(now, goal, further, since_write_s, f"set the pool to {target.host}:{target.port} in slot {slot}")


def to_restore(before: Snapshot, now: Snapshot, target: Target, since_write_s: float | None) -> tuple[Write, ...]:
    """Return the writes that bring the former pool back.

    Raises
    ------
    PoolConflictError
        The pool is neither the former one nor the target.
    """
    if _works_for(before, target):
        return ()
    if before["slots"] is None:
        ours = before["settings"] | _flat(before["settings"], target)
        foreign = [key for key in _differing(now, before["settings"]) if now["settings"].get(key) != ours[key]]
        if foreign:
            raise PoolConflictError("the pool of the miner is neither the former one nor ours: nothing is changed")
        return _patched(now, before["settings"], {}, since_write_s, "bring the former pool back")
    slot, says = _slot(before), "use the former pool slot again"
    if now["settings"].get("primaryPoolIndex") not in {slot, before["settings"].get("primaryPoolIndex")}:
        raise PoolConflictError("the miner uses a slot that is neither the former one nor ours: nothing is changed")
    if not _holds(now, slot, target):
        return _patched(now, before["settings"], {}, since_write_s, says)
    # The firmware shows the index in use, not the stored one, and clears only a slot that it is not to use: the PATCH
    # comes first, whatever the index shows, and the restart last.
    return (
        Write(says, "PATCH", "/api/system", before["settings"]),
        Write(f"clear pool slot {slot}, which was empty before", "DELETE", f"/api/system/pools/{slot}"),
        _RESTART,
    )


def _patched(
    now: Snapshot, goal: dict[str, Any], further: dict[str, Any], since_write_s: float | None, says: str
) -> tuple[Write, ...]:
    """Return the PATCH that is left, and the restart unless the unit has restarted since the last write."""
    differing = _differing(now, goal) | further
    if differing:
        return (Write(says, "PATCH", "/api/system", differing), _RESTART)
    uptime_s = now["uptime_s"]
    restarted = since_write_s is not None and uptime_s is not None and uptime_s < since_write_s
    return () if restarted else (_RESTART,)


def _differing(now: Snapshot, goal: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in goal.items() if now["settings"].get(key) != value}


def _flat(settings: dict[str, Any], target: Target) -> dict[str, Any]:
    """Return the settings for the target, each with the type that the firmware uses for it."""
    goal: dict[str, Any] = {"stratumURL": target.host, "stratumPort": target.port, "stratumUser": target.user}
    if settings.get("stratumTLS"):
        goal["stratumTLS"] = type(settings["stratumTLS"])(0)
    protocol = settings.get("stratumProtocol")
    if protocol not in {None, "SV1", 0}:
        goal["stratumProtocol"] = "SV1" if isinstance(protocol, str) else 0
    return goal


def _slot(before: Snapshot) -> int:
    """Return the first slot that was empty before."""
    free = [slot for slot in range(_SLOTS) if str(slot) not in before["slots"] or not before["slots"][str(slot)]]
    in_use = {before["settings"].get(key) for key in _INDEXES[:2]}
    free = [slot for slot in free if slot not in in_use]
    if not free:
        raise InputError(f"all {_SLOTS} pool slots of the miner are used: clear one, or enter the pool by hand")
    return free[0]


def _slot_pool(slot: int, target: Target) -> dict[str, Any]:
    return {
        "id": slot, "stratumProtocol": "SV1", "stratumURL": target.host, "stratumPort": target.port,
        "stratumUser": target.user, "stratumPassword": ANY_PASSWORD, "stratumTLS": 0,
    }  # fmt: skip


def _holds(now: Snapshot, slot: int, target: Target) -> bool:
    """Return whether a slot holds the target."""
    for pool in now["slot_pools"]:
        if pool.get("id") == slot:
            stated = (pool.get("stratumURL"), pool.get("stratumPort"), pool.get("stratumUser"))
            return stated == (target.host, target.port, target.user)
    return False


def _works_for(before: Snapshot, target: Target) -> bool:
    """Return whether the target was the pool before anything was written."""
    settings = before["settings"]
    if before["slots"] is None:
        return not _differing(before, _flat(settings, target))
    slot = settings.get("primaryPoolIndex")
    return isinstance(slot, int) and _holds(before, slot, target) and not _falls_back(before)


def _falls_back(before: Snapshot) -> bool:
    return bool(before["settings"].get("useFallbackStratum"))


def _refuse_what_would_not_work(info: Section) -> None:
    stratum = inside(info, "stratum")
    reasons = {
        "stratum.poolMode": ("works for two pools at once", bool(stratum.whole("poolMode", "activePoolMode"))),
        "coinbaseVerifyForce": (
            "refuses a pool whose coinbase does not pay its user",
            bool(info.truth("coinbaseVerifyForce") and info.whole("coinbaseVerifyMode")),
        ),
        "otp": ("wants a one-time password for every write", bool(info.truth("otp"))),
    }
    for key, (what, applies) in reasons.items():
        if applies:
            raise InputError(f"the miner {what} ({key}): switch that off, or enter the pool by hand")


POOLS = Pools(
    replies=(("info", "/api/system/info"),),
    web=True,
    login=False,
    secret=False,
    snapshot=snapshot,
    to_set=to_set,
    to_restore=to_restore,
    side_effects=(
        "the miner restarts twice: once for our pool, once for the former one",
        "its counters and means start anew at each restart",
        "if our work server stops answering, the miner goes to its fallback pool",
        "the password of the former pool is neither read nor changed",
    ),
)
