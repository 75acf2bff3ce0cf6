"""The reports of a load process to the run, one JSON document a line."""

from dataclasses import dataclass
from typing import NamedTuple

from bench.endpoint.figures.latency import latency
from bench.endpoint.figures.tokens import TokenSource, token_times
from bench.endpoint.stream.reply import Outcome, Reply

BIN_NS = 1_000_000  # [ns] tokens are counted in bins of a millisecond, the resolution of a window's edges


class Tokens(NamedTuple):
    """The tokens of one millisecond."""

    bin: int  # monotonic time over BIN_NS
    tokens: float


@dataclass(frozen=True, slots=True)
class Request:
    """One request and what became of it."""

    index: int
    start_ns: int  # scheduled (open loop), or when its slot was free (closed loop)
    sent_ns: int
    end_ns: int
    outcome: Outcome
    error: str
    requested_tokens: int
    output_tokens: float
    source: TokenSource
    chunks: int
    prompt_tokens: int | None
    cached_tokens: int | None
    connect_ns: int
    reply_bytes: int = 0  # [byte] of the whole reply, on the wire
    reads: int = 0  # that brought chunks
    stated_tokens: int | None = None  # output tokens as the server's total states them
    characters: int = 0  # of all text
    ttft_s: float | None = None
    answer_s: float | None = None
    tpot_s: float | None = None
    e2e_s: float | None = None
    largest_gap_s: float | None = None
    unfinished: bool = False  # cut off at the end of the run


@dataclass(frozen=True, slots=True)
class Report:
    """What one process has to say since its last report."""

    requests: tuple[Request, ...]
    tokens: tuple[Tokens, ...]
    in_flight: int
    cpu_s: float  # CPU time of the process so far
    waited_s: float  # time so far for which it was ready and waited for a core
    largest_lag_s: float  # by which the event loop was late, at most, since the last report
    last_text_ns: int  # when the last text came so far [ns, monotonic]; 0 if none has


def request_of(  # noqa: PLR0913, PLR0917 (the facts of one request)
    index: int,
    start_ns: int,
    sent_ns: int,
    connect_ns: int,
    reply: Reply,
    requested_tokens: int,
    *,
    unfinished: bool,
    tokens_per_character: float = 0.0,
) -> tuple[Request, list[Tokens]]:
    """Return the report of one request, and its tokens by the millisecond."""
    tokens = token_times(reply, tokens_per_character if unfinished else 0.0)
    times = latency(reply, tokens, start_ns)
    request = Request(
        index=index,
        start_ns=start_ns,
        sent_ns=sent_ns,
        end_ns=reply.end_ns or sent_ns,
        outcome=reply.outcome(requested_tokens),
        error=reply.error,
        requested_tokens=requested_tokens,
        output_tokens=tokens.total,
        source=tokens.source,
        chunks=len(tokens.times_ns),
        prompt_tokens=reply.prompt_tokens,
        cached_tokens=reply.cached_tokens,
        connect_ns=connect_ns,
        reply_bytes=reply.read_bytes,
        reads=len(set(tokens.times_ns)),
        stated_tokens=reply.output_tokens,
        characters=sum(chunk.answer_chars + chunk.other_chars for chunk in reply.chunks),
        ttft_s=times.ttft_s if times else None,
        answer_s=times.answer_s if times else None,
        tpot_s=times.tpot_s if times else None,
        e2e_s=times.e2e_s if times else None,
        largest_gap_s=max(times.gaps_s) if times and times.gaps_s else None,
        unfinished=unfinished,
    )
    counted = [Tokens(at // BIN_NS, n) for at, n in zip(tokens.times_ns, tokens.tokens, strict=True) if n > 0.0]
    return request, counted
