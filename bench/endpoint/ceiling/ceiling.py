"""The ceiling of a client on this machine: the same processes and streams against a null server on the loopback."""

import contextlib
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace

from bench import limits
from bench.endpoint.ceiling.null_server import Answer, chunk
from bench.endpoint.load.load import Load
from bench.endpoint.load.plan import LoadPlan
from bench.errors import RunFailedError
from bench.machine.processes import start_python

SECONDS = 0.5  # [s] for which all streams run
LONGEST_START_S = 20.0  # [s] until all streams run, on however busy a machine
MOST_TOKENS_PER_CHUNK, LARGEST_CHUNK = 4096, 2**20  # [token], [byte] of a chunk of the null server
MOST_CHUNKS_PER_WRITE = 1024
LOOPBACK = "127.0.0.1"
_TICK_S = 0.01
_CODE = "from bench.endpoint.ceiling.null_server import main\nmain()\n"


@dataclass(frozen=True, slots=True)
class Replies:
    """The replies of a run, on average."""

    tokens: float  # of a reply
    tokens_per_chunk: float
    chunk_bytes: float  # [byte] of a chunk on the wire
    chunks_per_read: float = 1.0


@dataclass(frozen=True, slots=True)
class Ceiling:
    """What a client took from the null server."""

    tokens_per_s: float
    chunks_per_s: float
    streams: int
    chunk_bytes: int
    chunks_per_write: int
    seconds: float


def measure_ceiling(plans: Sequence[LoadPlan], replies: Replies, tokens_per_s: float) -> Ceiling | None:
    """Return what a client takes from null servers that write as fast as it reads, or None if that fails.

    Parameters
    ----------
    plans
        The closed loops of its processes; each gets a null server of its own, in a process of its own.
    replies
        The replies of the run, which the null servers imitate.
    tokens_per_s
        The rate of the run [token/s]. If the client seems to be the limit of it, it drives the null servers once more,
        because other work may have slowed it; the faster drive counts.
    """
    answer = Answer(
        tokens=max(1, round(replies.tokens)),
        tokens_per_chunk=min(max(1, round(replies.tokens_per_chunk)), MOST_TOKENS_PER_CHUNK),
        chunk_bytes=min(round(replies.chunk_bytes), LARGEST_CHUNK),
        chunks_per_write=min(max(1, round(replies.chunks_per_read)), MOST_CHUNKS_PER_WRITE),
        chat=plans[0].service.interface == "chat",
    )
    chunks_per_s = drive(plans, answer)
    if tokens_per_s > limits.CLIENT_CEILING_FRAC * chunks_per_s * replies.tokens_per_chunk:
        chunks_per_s = max(chunks_per_s, drive(plans, answer))
    if chunks_per_s <= 0.0:
        return None
    return Ceiling(
        tokens_per_s=chunks_per_s * replies.tokens_per_chunk,
        chunks_per_s=chunks_per_s,
        streams=sum(len(plan.slots) for plan in plans),
        chunk_bytes=len(chunk(answer)),
        chunks_per_write=answer.chunks_per_write,
        seconds=SECONDS,
    )


def drive(plans: Sequence[LoadPlan], answer: Answer) -> float:
    """Return the chunks that clients take from null servers in a second [1/s]; 0 if that fails."""
    try:
        with _null_servers(len(plans), answer) as ports:
            load = Load([_towards(plan, port) for plan, port in zip(plans, ports, strict=True)])
            try:
                start_s, end_s = _run(load, sum(len(plan.slots) for plan in plans))
            finally:
                load.stop()
    except (RunFailedError, OSError, ValueError):
        return 0.0
    return load.tokens_between(start_s, end_s) / answer.tokens_per_chunk / (end_s - start_s)


def _run(load: Load, streams: int) -> tuple[float, float]:
    """Wait until all streams run, and then for `SECONDS`; return start and end [s, monotonic]."""
    deadline_s = time.monotonic() + LONGEST_START_S
    while load.state.in_flight < streams and time.monotonic() < deadline_s:
        load.check()
        time.sleep(_TICK_S)
    start_s = time.monotonic()
    time.sleep(SECONDS)
    load.check()
    return start_s, time.monotonic()


def _towards(plan: LoadPlan, port: int) -> LoadPlan:
    """Return the plan with the null server as its server; no key goes there."""
    service = replace(plan.service, host=LOOPBACK, port=port, path="", api_key="")
    return replace(plan, service=service, ip=LOOPBACK, tls=False, ca_file="", stagger_s=0.0)


@contextlib.contextmanager
def _null_servers(count: int, answer: Answer) -> Iterator[list[int]]:
    """Run null servers and yield their ports."""
    processes = [start_python(_CODE, json.dumps(asdict(answer))) for _ in range(count)]
    try:
        yield [int(process.stdout.readline()) if process.stdout is not None else 0 for process in processes]
    finally:
        for process in processes:
            process.kill()
        for process in processes:
            process.communicate()
