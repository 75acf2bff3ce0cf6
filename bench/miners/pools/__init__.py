"""The pools of a miner: what is configured now, the writes that set one pool, and those that bring the former back.

Nothing here opens a connection. A caller reads the miner, asks for the next writes, carries them out one after the
other, reads again, and goes on until no write is left. The same loop works after a crash, from the snapshot that a
journal holds. No write is repeated blindly: each follows from what the miner shows. The caller limits the rounds,
because some firmware answers success and changes nothing.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, NamedTuple

from bench.miners.pools.writes import Target, Write
from bench.miners.reply import Replies
from hardware_profiles.errors import InputError

Snapshot = dict[str, Any]
"""The pools of a miner as JSON, complete enough to bring them back."""
Next = Callable[[Snapshot, Snapshot, Target, float | None], tuple[Write, ...]]
"""Writes that are next, from the snapshot before, the one of now, the pool to set, and the time since the last write.

The time [s] is None if no write is known. Without writes left, the result is empty.
"""


class Pools(NamedTuple):
    """How the pools of one family are changed."""

    replies: tuple[tuple[str, str], ...]  # name of each reply that a snapshot needs, with its path or command
    web: bool  # whether these are paths of HTTP, and not commands of port 4028
    login: bool  # whether reading and writing need the login of the user
    secret: bool  # whether the snapshot holds passwords of pools: then its file is readable for its owner only
    snapshot: Callable[[Replies], Snapshot]
    to_set: Next
    to_restore: Next
    side_effects: tuple[str, ...]  # in words, for the user before the first write


_MODULES = {"axeos": "axeos", "luxos": "luxos", "antminer": "antminer"}
_BY_HAND: Mapping[str, str] = {
    "whatsminer": "its write interface must be switched on and wants a password of its own",
    "avalon": "its write interface wants user and password of the web page in the command",
    "braiins": "it restarts its mining program and its tuner at every change of pools",
    "vnish": "its write interface wants a password",
    "epic": "its write interface wants a password",
    "sealminer": "its write interface is not described",
    "auradine": "its write interface wants a token",
    "proto": "its write interface wants a password",
}


def pools_of(family: str) -> Pools:
    """Return how the pools of a family are changed.

    Raises
    ------
    InputError
        perwatt does not change the pools of this family.
    """
    if family in _MODULES:
        pools: Pools = import_module(f"bench.miners.pools.{_MODULES[family]}").POOLS
        return pools
    reason = _BY_HAND.get(family, "perwatt does not know how")
    known = ", ".join(_MODULES)
    raise InputError.at(
        "--set-pool", expected=f"a miner whose pool perwatt sets ({known}); enter the pool by hand, because {reason}",
        got=family,
    )  # fmt: skip
