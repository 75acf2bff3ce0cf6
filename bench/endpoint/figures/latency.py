"""Latencies of requests, and the quantiles that enough requests allow.

References
----------
MLPerf inference rules, early stopping: the number of requests below which a quantile cannot be stated.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bench import limits
from bench.endpoint.figures.tokens import TokenTimes
from bench.endpoint.stream.reply import Reply

DEFINITIONS = {
    "ttft_s": "first non-empty text - start; start is the scheduled time (open loop) or the free slot (closed loop)",
    "tpot_s": "(last token - first token) / (tokens - tokens of the first read); absent if all came in one read",
    "itl_s": "gap between chunks, only where no chunk carries more than one token",
    "e2e_s": "last token - start",
}
REQUESTS_FOR_Q90, REQUESTS_FOR_Q99 = 64, 662  # early stopping at 0.99 confidence
_S = 1e-9


@dataclass(frozen=True, slots=True)
class Latency:
    """The latencies of one request [s]; what cannot be observed is None."""

    ttft_s: float
    answer_s: float | None  # to the first text that is not reasoning
    tpot_s: float | None
    e2e_s: float
    gaps_s: tuple[float, ...] | None  # between tokens; None if chunks carry several


def latency(reply: Reply, tokens: TokenTimes, start_ns: int) -> Latency | None:
    """Return the latencies of a reply, or None if no text came.

    Parameters
    ----------
    reply, tokens
        The reply and its tokens.
    start_ns
        The scheduled time, or the time at which the slot was free [ns, monotonic].
    """
    if reply.first_text_ns is None:
        return None
    first_ns, last_ns = tokens.times_ns[0], tokens.times_ns[-1]
    later = tokens.total - tokens.first_read
    chunks = len(tokens.times_ns)
    single = chunks > 1 and 0.0 < tokens.total / chunks <= limits.ONE_TOKEN_CHUNKS
    answer_ns = reply.first_answer_ns
    return Latency(
        ttft_s=(first_ns - start_ns) * _S,
        answer_s=None if answer_ns is None else (answer_ns - start_ns) * _S,
        tpot_s=(last_ns - first_ns) * _S / later if later > 0.0 and last_ns > first_ns else None,
        e2e_s=(last_ns - start_ns) * _S,
        gaps_s=tuple((after - before) * _S for before, after in zip(tokens.times_ns, tokens.times_ns[1:], strict=False))
        if single
        else None,
    )


def quantile(values: Sequence[float], level: float) -> float | None:
    """Return a quantile, or None if there are too few values to state it.

    Notes
    -----
    The median needs one value; q90 needs 64 and q99 662, so that it holds with 0.99 confidence.
    """
    needed = 1 if level <= 0.5 else REQUESTS_FOR_Q90 if level <= 0.9 else REQUESTS_FOR_Q99
    if len(values) < needed:
        return None
    ordered = sorted(values)
    position = level * (len(ordered) - 1)
    low = math.floor(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (position - low) * (ordered[high] - ordered[low])
