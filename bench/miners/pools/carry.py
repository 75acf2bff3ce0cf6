"""The reading of the pools of a miner, and the sending of one write; the journal and the loop are the caller's."""

from bench.miners.link import Link
from bench.miners.pools import Pools, Snapshot
from bench.miners.pools.writes import Write
from bench.network.errors import ReadFailedError
from bench.network.http import LoginNeededError, LoginRefusedError, OtherAnswerError


def read_snapshot(pools: Pools, link: Link) -> Snapshot:
    """Return the pools that a miner shows.

    Parameters
    ----------
    pools
        How the pools of its family are changed.
    link
        The connections of one poll, new for each reading.

    Raises
    ------
    ReadFailedError
        The miner does not answer, or refuses.
    InputError
        Its pools are to be set by hand; the text says why.
    """
    return pools.snapshot(
        {
            name: link.web(name, place) if pools.web else link.ask(name, {"command": place})
            for name, place in pools.replies
        }
    )


def carry_out(write: Write, link: Link) -> None:
    """Send one write once; it is never sent again, and only a later reading shows whether it took effect.

    Parameters
    ----------
    write
        The write.
    link
        The connections of one poll, new for each write.

    Raises
    ------
    ReadFailedError
        The miner refuses, or does not answer although it does not restart.
    """
    if write.method == "4028":
        link.ask(write.place, {"command": write.place, "parameter": write.body})
        return
    try:
        link.web(write.place, write.place, plain=True, method=write.method, body=write.body)
    except (LoginNeededError, LoginRefusedError, OtherAnswerError):
        raise
    except ReadFailedError:
        if not write.restarts:  # a miner that restarts may close the connection before it answers
            raise
