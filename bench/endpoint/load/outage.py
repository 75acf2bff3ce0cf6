"""Servers that send no more tokens during a load: each ends the run in one line that says what came instead."""

import math
import time
from collections.abc import Sequence

from bench.endpoint.errors import ServerFailedError, ServerOverloadedError, ServerSilentError
from bench.endpoint.load.load import Load
from bench.endpoint.load.messages import Request
from bench.endpoint.stream.reply import what_went_wrong

GONE_REQUESTS = 4  # slots whose two rounds at least must fail
ERRORS_S = 10.0  # [s] in which nothing but errors came
SILENT_S = 120.0  # [s] in which nothing came


def check_server(load: Load, slots: int, since_s: float) -> None:
    """Raise if the server sends no more tokens.

    Parameters
    ----------
    load
        The load, which runs.
    slots
        Requests at a time; two rounds of them must have failed.
    since_s
        When the load became steady [s, monotonic].

    Raises
    ------
    ServerFailedError
        It refused the connections of two rounds of all slots, or nothing but errors came for ERRORS_S.
    ServerSilentError
        Nothing came for SILENT_S, although requests are under way.
    """
    most = 2 * max(slots, GONE_REQUESTS)
    last = load.requests[-most:]
    if len(last) >= 2 * GONE_REQUESTS and all(request.outcome == "refused" for request in last):
        raise ServerFailedError(f"the server answers no longer: {last[-1].error}")
    state = load.state
    text_s = max(state.last_text_s, since_s)
    silent_s = time.monotonic() - text_s
    if silent_s < ERRORS_S:
        return
    failed = _failed(load.requests, text_s)
    if len(failed) >= most:
        raise ServerFailedError(f"for {silent_s:.0f} s nothing but errors came: {_words(failed)}")
    if silent_s > SILENT_S and state.in_flight:
        raise ServerSilentError(f"for {silent_s:.0f} s nothing came, with {state.in_flight} requests under way")


def check_windows(load: Load, spans: Sequence[tuple[float, float]]) -> None:
    """Raise if no token came in a window.

    Parameters
    ----------
    load
        The load, which has ended.
    spans
        Start and end of each window [s, monotonic].

    Raises
    ------
    ServerFailedError
        Requests failed in it instead.
    ServerOverloadedError
        Tokens came after it.
    ServerSilentError
        Nothing came until the end of the load.
    """
    for index, (start_s, end_s) in enumerate(spans):
        if load.tokens_between(start_s, end_s) > 0.0:
            continue
        words = f"no token came in window {index}, of {end_s - start_s:.3g} s"
        if failed := _failed(load.requests, start_s, end_s):
            raise ServerFailedError(f"{words}, but errors: {_words(failed)}")
        if load.state.last_text_s > end_s:
            raise ServerOverloadedError(f"{words}: the requests take too long at this load")
        raise ServerSilentError(f"{words}, nor until the end of the load")


def _failed(requests: Sequence[Request], start_s: float, end_s: float = math.inf) -> list[Request]:
    """Return the requests that failed between two times [s, monotonic]."""
    return [
        request
        for request in requests
        if request.outcome not in ("ok", "short")
        and not request.unfinished
        and start_s < request.end_ns * 1e-9 <= end_s
    ]


def _words(failed: Sequence[Request]) -> str:
    """Return how many requests failed and what came for the last one."""
    return f"{len(failed)} requests failed, the last one so: {what_went_wrong(failed[-1].outcome, failed[-1].error)}"
