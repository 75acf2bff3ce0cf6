"""The tags of a token rate that only a live server's load determines."""

from collections.abc import Sequence

from bench.endpoint.figures.summary import Limits
from bench.endpoint.load.messages import Request


def latency_limit(limits: Limits, requests: Sequence[Request], since_s: float, *, free_length: bool) -> str:
    """Return the limits in words, and how many requests kept them, because a rate may have been reached without.

    Parameters
    ----------
    limits
        The limits of a good request.
    requests
        All requests of the load.
    since_s
        End of the warm-up [s, monotonic]; 0 before.
    free_length
        Whether the model may end before the requested length.
    """
    stated = [("ttft", limits.ttft_s), ("tpot", limits.tpot_s)]
    text = ", ".join(f"{name} <= {value * 1e3:g} ms" for name, value in stated if value is not None)
    ended = [request for request in requests if not request.unfinished and request.end_ns * 1e-9 >= since_s > 0.0]
    if not text or not ended:
        return text or "none"
    wanted = ("ok", "short") if free_length else ("ok",)
    kept = sum(1 for request in ended if request.outcome in wanted and limits.keeps(request))
    return f"{text} (kept by {kept / len(ended):.0%})"
