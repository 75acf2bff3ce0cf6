"""The pool of a miner set for a measurement and brought back in every ending: the only writes that perwatt ever does.

Each write follows from what the miner shows, and the miner is read again after it. No write is sent twice: if the miner
does not take one, the rest is left to the user.
"""

import contextlib
import json
import time
from collections.abc import Callable, Iterator

from bench.errors import RunFailedError
from bench.machine.endings import endings_raise, endings_wait
from bench.miners.pools import Next, Pools, Snapshot, pools_of
from bench.miners.pools.writes import Target, Write
from bench.miners.reader import Miner, MinerError
from bench.miners.wire import exchange
from bench.network.errors import ReadFailedError
from bench.network.http import Device
from bench.network.tcp import HostPort
from bench.workloads.asic.journal import Entry, Journal
from hardware_profiles.errors import InputError, shown

WRITE_S = 10.0  # [s] for one write
RESTART_S = 180.0  # [s] longest wait until a miner has restarted
LOOK_S = 1.0  # [s] pause after a failed look, besides the time between two readings


def check_family(family: str) -> Pools:
    """Return how the pools of a family are changed.

    Raises
    ------
    InputError
        perwatt does not change them; the message says what is missing.
    """
    pools = pools_of(family)
    if pools.secret:
        raise InputError.at(
            "--set-pool",
            expected="a miner whose pools come back without their passwords (axeos, luxos); enter the pool by hand",
            got=family,
        )
    return pools


@contextlib.contextmanager
def pool_set(miner: Miner, target: Target, say: Callable[[str], None]) -> Iterator[None]:
    """Let a miner work for the target within the body, and bring its former pool back however the body ends.

    SIGTERM and SIGHUP end the body as Ctrl-C does; while the pool is brought back, all three wait.

    Raises
    ------
    InputError
        The family or the state of the miner does not allow it, or an earlier pool is still to be brought back.
    RunFailedError
        The miner does not take the pool, or does not give the former one back; the journal stays then.
    """
    pools, journal = check_family(miner.family.name), Journal(miner.address.shown)
    before = pools.snapshot(miner.poll().replies)
    entry = Entry(miner.address.shown, miner.family.name, target, before)
    with endings_raise():
        journal.write(entry)
        try:
            for words in pools.side_effects:
                _tell(say, words)
            _carry_out(miner, pools, pools.to_set, entry, say)
            yield
        finally:
            with endings_wait():
                restore(miner, entry, journal, say)


def restore(miner: Miner, entry: Entry, journal: Journal, say: Callable[[str], None]) -> None:
    """Bring the former pool back, see that it is there, and remove the journal.

    Raises
    ------
    RunFailedError
        The miner does not give it back; the journal stays.
    """
    pools = check_family(entry.family)
    try:
        _carry_out(miner, pools, pools.to_restore, entry, say)
    except (AttributeError, KeyError, TypeError):  # what the journal holds is not a pool
        raise InputError.at(journal.path, "before", expected="a pool as the miner showed it, to bring back") from None
    except (InputError, RunFailedError, ReadFailedError) as error:
        raise RunFailedError(
            f"the former pool of {entry.host} is not back: {error}; run `perwatt miner restore {entry.host}`, or enter "
            f"it by hand: {journal.path} has it"
        ) from None
    journal.remove()
    _tell(say, "the former pool is back")


def _tell(say: Callable[[str], None], words: str) -> None:
    """Tell the user; output that nobody reads any more must not keep the former pool away."""
    with contextlib.suppress(OSError):
        say(f"set-pool   {words}")


def _carry_out(miner: Miner, pools: Pools, step: Next, entry: Entry, say: Callable[[str], None]) -> None:
    """Read, write and read again until no write is left."""
    sent: list[str] = []
    wrote_s, restarts = None, False
    while True:
        now = _look(miner, pools, restarting=restarts)
        since_s = None if wrote_s is None else time.monotonic() - wrote_s
        writes = step(entry.before, now, entry.target, since_s)
        if not writes:
            return
        repeated = [write for write in writes if _key(write) in sent]
        if repeated:
            if not restarts or since_s is None or since_s > RESTART_S:
                raise RunFailedError(f"the miner took the write and shows no change ({repeated[0].says})")
            time.sleep(LOOK_S)  # it has not restarted yet
            continue
        for write in writes:
            sent.append(_key(write))
            _tell(say, write.says)
            _send(miner, write)
            wrote_s, restarts = time.monotonic(), write.restarts


def _key(write: Write) -> str:
    return json.dumps([write.method, write.place, write.body], sort_keys=True)


def _look(miner: Miner, pools: Pools, *, restarting: bool) -> Snapshot:
    """Return the pools that the miner shows; one that restarts may take its time."""
    until_s = time.monotonic() + RESTART_S
    while True:
        try:
            return pools.snapshot(miner.poll().replies)
        except MinerError:
            if not restarting or time.monotonic() >= until_s:
                raise
        time.sleep(LOOK_S)


def _send(miner: Miner, write: Write) -> None:
    """Send one write once; the connection of one that restarts the miner may end without an answer."""
    remote = HostPort(miner.address.host, miner.address.port or miner.family.port)
    try:
        with miner.lock:
            if write.method == "4028":
                _check(_command(remote, write))
                return
            body = None if write.body is None else json.dumps(write.body).encode()
            device = Device(remote.host, remote.port, miner.login)
            answer = device.ask(write.place, WRITE_S, body=body, method=write.method)
        if not 200 <= answer.status < 300:
            raise RunFailedError(f"the miner refuses to {write.says}: HTTP status {answer.status}")
    except ReadFailedError as error:
        if not write.restarts:
            raise RunFailedError(f"the miner did not answer when it was to {write.says}: {error}") from None


def _command(remote: HostPort, write: Write) -> bytes:
    request = {"command": write.place, "parameter": write.body}
    return exchange(remote, json.dumps(request, separators=(",", ":")).encode(), WRITE_S)


def _check(raw: bytes) -> None:
    from bench.miners.reply import Reply

    reply = Reply.of("set-pool", raw)
    if reply.fault:
        raise RunFailedError(f"the miner refuses: {shown(reply.fault)}")
