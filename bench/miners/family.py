"""A family of miners: how its firmware is asked, and what its replies say."""

from collections.abc import Callable
from typing import NamedTuple

from bench.miners.link import Link
from bench.miners.record import MinerReading
from bench.miners.reply import Replies, Reply


class Family(NamedTuple):
    """One family.

    `read` asks and does not interpret; `parse` interprets and does not ask, so that replies on file are its tests.
    """

    name: str
    port: int  # the TCP port that a port of the user's address stands for
    poll_s: float  # [s] shortest time from the end of one poll to the next
    read: Callable[[Link], dict[str, Reply]]
    parse: Callable[[Replies], MinerReading]
