"""The end of the warm-up: every slot has ended a request, and the tokens per second show no trend."""

import time
from collections.abc import Sequence

from bench.endpoint.errors import ServerFailedError, ServerOverloadedError, ServerSilentError
from bench.endpoint.load.load import Load
from bench.endpoint.load.messages import Request
from bench.endpoint.load.outage import SILENT_S
from bench.endpoint.stream.reply import what_went_wrong
from bench.measure import stats

STEADY_BLOCKS = 6  # the tokens of so many blocks must show no trend
_TICK_S = 0.05


def wait_until_steady(load: Load, slots: int, longest_s: float, block_s: float) -> bool:
    """Return whether a load became steady within the time for it.

    Parameters
    ----------
    load
        The load, just started.
    slots
        Requests at a time; each slot must have ended one.
    longest_s
        Time for it [s].
    block_s
        Length of a block [s].

    Raises
    ------
    ServerFailedError
        The server ends none of the first requests well.
    ServerOverloadedError, ServerSilentError
        It ends too few within the time, or hangs.
    """
    block_s = min(block_s, longest_s / (4 * STEADY_BLOCKS))
    deadline_s = time.monotonic() + longest_s
    while len(load.requests) < 2 * slots:
        load.check()
        if time.monotonic() > deadline_s:
            words = f"the server ended {len(load.requests)} requests in {longest_s:g} s; the warm-up needs {2 * slots}"
            if time.monotonic() - load.state.last_text_s > min(SILENT_S, longest_s / 2):
                raise ServerSilentError(f"{words}, and nothing comes any more")
            raise ServerOverloadedError(words)
        if _only_failures(load.requests):
            last = load.requests[-1]
            raise ServerFailedError(f"the server answers no request well: {what_went_wrong(last.outcome, last.error)}")
        time.sleep(_TICK_S)
    begun_s = time.monotonic()
    while time.monotonic() < deadline_s:
        load.check()
        time.sleep(block_s)
        # the tokens of a request are known once it has ended, so the last blocks lack those under way
        request_s = max((r.e2e_s or 0.0) - (r.ttft_s or 0.0) for r in load.requests[-2 * slots :])
        now_s = time.monotonic() - block_s - request_s
        if int((now_s - begun_s) / block_s) >= STEADY_BLOCKS:
            first_s = now_s - STEADY_BLOCKS * block_s
            starts = [first_s + i * block_s for i in range(STEADY_BLOCKS)]
            slope = stats.slope_interval(starts, [load.tokens_between(at_s, at_s + block_s) for at_s in starts])
            if slope is None or slope[0] <= 0.0 <= slope[1]:
                return True
    return False


def _only_failures(requests: Sequence[Request]) -> bool:
    return len(requests) >= 3 and not any(request.outcome in ("ok", "short") for request in requests)
