"""Checks of a run against an endpoint: each finds one way in which its figures would mislead, and returns its code.

Method rule 21.
"""

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from bench import limits
from bench.endpoint.figures.summary import Requests, shares
from bench.endpoint.load.messages import Request
from bench.endpoint.server.counters import difference
from bench.endpoint.server.watch import Reading
from bench.measure import stats
from bench.results.record import Reason


@dataclass(frozen=True, slots=True)
class Client:
    """What the client did and how busy it was."""

    cpu_frac: float  # [-] time for which a process was busy or waited for a core, over that of the windows
    largest_lag_s: float  # [s] by which an event loop was late, at most
    local: bool  # whether the server runs on this machine
    tokens_per_s: float = 0.0  # that came in the windows
    ceiling_per_s: float | None = None  # tokens that the same client takes from a null server


def check_requests(
    requests: Requests, concurrency: int | None, *, free_length: bool, prompt_tokens: int | None = None
) -> Iterator[Reason]:
    """Yield the codes of the requests themselves.

    Parameters
    ----------
    requests
        The requests of the windows.
    concurrency
        Requests at a time, of a closed loop.
    free_length
        Whether the model may end before the requested length.
    prompt_tokens
        Requested length of the prompts [token]; None for the user's own.
    """
    ended = [request for window in requests.windows for request in window.ended]
    failed = {name: share for name, share in shares(requests.outcomes).items() if name not in ("ok", "short")}
    if sum(failed.values()) > limits.FAILED_REQUESTS_FRAC:
        words = ", ".join(f"{name} {share:.1%}" for name, share in sorted(failed.items()))
        example = next((request.error for request in ended if request.error), "")
        yield Reason(code="requests_failed", detail=f"{words}: {example}" if example else words)
    if not free_length:
        yield from _check_lengths(requests, ended)
    if concurrency is not None and len(ended) < limits.REQUESTS_PER_SLOT * concurrency:
        yield Reason(code="few_requests", detail=f"{len(ended)} requests ended, with {concurrency} at a time")
    prompts = sum(request.prompt_tokens or 0 for request in ended)
    cached = sum(request.cached_tokens or 0 for request in ended)
    if prompts and cached / prompts >= limits.PREFIX_CACHED_FRAC:
        yield Reason(code="prefix_cached", detail=f"{cached / prompts:.1%} of the prompt tokens")
    chunks, tokens = sum(request.chunks for request in ended), math.fsum(request.output_tokens for request in ended)
    if chunks and tokens / chunks > limits.ONE_TOKEN_CHUNKS:
        yield Reason(code="several_tokens_per_chunk", detail=f"{tokens / chunks:.2f} tokens a chunk")
    yield from _check_counts(ended, prompt_tokens)


def _check_lengths(requests: Requests, ended: Sequence[Request]) -> Iterator[Reason]:
    """Compare the lengths of the answers with those requested."""
    short = shares(requests.outcomes).get("short", 0.0)
    sound = [request for request in ended if request.outcome == "ok"]
    long = sum(r.output_tokens > r.requested_tokens + 1 for r in sound)  # the token that ends it may be counted or not
    words = [f"{short:.1%} of the answers are shorter than requested"] * (short > limits.FAILED_REQUESTS_FRAC)
    if long > limits.FAILED_REQUESTS_FRAC * len(ended):
        words.append(f"{long / len(ended):.1%} of the answers are longer than requested")
    if words:
        yield Reason(code="length_ignored", detail="; ".join(words))


def _check_counts(ended: Sequence[Request], prompt_tokens: int | None) -> Iterator[Reason]:
    """Compare the counts that the replies themselves state."""
    both = [
        (r.output_tokens, r.stated_tokens) for r in ended if r.source == "token_ids" and r.stated_tokens is not None
    ]
    ids, stated = math.fsum(ids for ids, _ in both), sum(stated for _, stated in both)
    if abs(ids - stated) > max(limits.TOKEN_MISMATCH_FRAC * stated, len(both)):  # a last token may carry no id
        yield Reason(code="token_mismatch", detail=f"{ids:,.0f} ids of tokens came, and the totals say {stated:,}")
    prompts = [r.prompt_tokens for r in ended if r.prompt_tokens is not None]
    if prompt_tokens is not None and prompts:
        mean = statistics.fmean(prompts)
        allowed = max(limits.PROMPT_LENGTH_FRAC * prompt_tokens, limits.PROMPT_LENGTH_TOKENS)
        if abs(mean - prompt_tokens) > allowed:
            yield Reason(code="prompt_length", detail=f"{mean:.1f} tokens on average instead of {prompt_tokens}")


def check_server(
    readings: Sequence[Reading], own_tokens: float, requests: Requests, concurrency: int | None
) -> Iterator[Reason]:
    """Yield the codes that the server's own counters give away.

    Parameters
    ----------
    readings
        The counters before, during and after the windows.
    own_tokens
        The output tokens that the client counted between the first and the last reading.
    requests
        The requests of the windows.
    concurrency
        Requests at a time, of a closed loop.
    """
    if len(readings) < 2:
        yield Reason(code="no_server_counters")
        return
    counted = difference(readings[0].counters, readings[-1].counters)
    steps = pairwise(reading.counters for reading in readings)
    if counted is None or any(difference(before, after) is None for before, after in steps):
        yield Reason(code="server_restarted")
        return
    if counted.output_tokens is not None and own_tokens > 0.0:
        gap = counted.output_tokens / own_tokens - 1.0
        allowed = limits.TOKEN_MISMATCH_FRAC + _edge_frac(readings)
        if gap > allowed:
            yield Reason(code="endpoint_shared", detail=f"the server made {gap:.1%} more tokens than came here")
        elif gap < -allowed:
            yield Reason(code="token_mismatch", detail=f"the server counts {-gap:.1%} fewer tokens than the client")
    if counted.preemptions:
        yield Reason(code="preempted", detail=f"{counted.preemptions:g} requests")
    if counted.prefix_hits is not None:
        looked_up = counted.prefix_queries or counted.prefix_hits + (counted.prompt_tokens or 0.0)
        told = any(request.cached_tokens for window in requests.windows for request in window.ended)
        if looked_up and counted.prefix_hits / looked_up >= limits.PREFIX_CACHED_FRAC and not told:
            yield Reason(code="prefix_cached", detail=f"{counted.prefix_hits / looked_up:.1%} by the server's counters")
    if concurrency is not None:
        yield from _check_running(readings, requests, concurrency)


def check_client(client: Client, tpot_s: float | None) -> Iterator[Reason]:
    """Yield the codes of a client that was too slow, or that shared the server's machine."""
    if client.local:
        yield Reason(code="client_local")
    ceiling_per_s = client.ceiling_per_s
    if ceiling_per_s is not None and client.tokens_per_s > limits.CLIENT_CEILING_FRAC * ceiling_per_s:
        share = f"{client.tokens_per_s / ceiling_per_s:.0%} of the {ceiling_per_s:,.0f}"
        detail = f"{client.tokens_per_s:,.0f} tokens/s are {share} that it takes from a server without work"
        yield Reason(code="client_bound", detail=detail)
    elif client.cpu_frac > limits.CLIENT_CPU_FRAC:
        yield Reason(code="client_bound", detail=f"its processes were busy for {client.cpu_frac:.0%} of the time")
    elif tpot_s is not None and client.largest_lag_s > max(limits.CLIENT_LAG_FRAC * tpot_s, limits.CLIENT_LAG_S):
        yield Reason(code="client_bound", detail=f"its loop was {client.largest_lag_s * 1e3:.1f} ms late")


def check_schedule(requests: Requests, in_flight: Mapping[float, int]) -> Iterator[Reason]:
    """Yield the codes of an open loop.

    Parameters
    ----------
    requests
        The requests of the windows.
    in_flight
        Requests under way by time [s, monotonic].
    """
    begun, late_s = sum(len(window.begun) for window in requests.windows), schedule_lag_s(requests)
    if late_s > limits.SCHEDULE_LAG_S:
        yield Reason(code="schedule_late", detail=f"one request in 100 was sent {late_s * 1e3:.0f} ms late or more")
    times, counts = list(in_flight), [float(count) for count in in_flight.values()]
    slope = stats.slope_interval(times, counts)
    if slope is None or slope[0] <= 0.0:
        return
    grown = counts[-1] - counts[0]
    by_chance = 4.0 * math.sqrt(begun)  # nearly three standard deviations of arrivals less departures
    if grown > limits.UNSERVED_FRAC * begun + by_chance:
        yield Reason(code="over_saturated", detail=f"{counts[0]:g} requests under way at first, {counts[-1]:g} at last")


def schedule_lag_s(requests: Requests) -> float:
    """Return the time by which one request in 100 of a schedule was sent late [s]."""
    lags_s = sorted((r.sent_ns - r.start_ns) * 1e-9 for window in requests.windows for r in window.begun)
    return max(0.0, lags_s[int(0.99 * (len(lags_s) - 1))]) if lags_s else 0.0


def _check_running(readings: Sequence[Reading], requests: Requests, concurrency: int) -> Iterator[Reason]:
    """Compare the requests that the server works on with those under way at the client, by Little's law."""
    running = [reading.counters.running for reading in readings if reading.counters.running is not None]
    waiting = [reading.counters.waiting for reading in readings if reading.counters.waiting is not None]
    if len(running) < limits.READINGS_FOR_RUNNING:
        return
    mean, error = statistics.fmean(running), 2.0 * statistics.stdev(running) / math.sqrt(len(running))
    busy_s = math.fsum(request.e2e_s or 0.0 for window in requests.windows for request in window.ended)
    under_way = min(float(concurrency), busy_s / math.fsum(window.duration_s for window in requests.windows))
    if waiting and statistics.fmean(waiting) > limits.WAITING_FRAC * concurrency:
        yield Reason(code="server_queues", detail=f"{mean:.1f} run and {statistics.fmean(waiting):.1f} wait")
    elif mean + error < limits.RUNNING_FRAC * under_way:
        yield Reason(code="hidden_cap", detail=f"the server works on {mean:.1f} of {under_way:.1f} requests")
    elif mean - error > concurrency / limits.RUNNING_FRAC:
        yield Reason(code="endpoint_shared", detail=f"the server works on {mean:.1f} requests, {concurrency} are ours")


def _edge_frac(readings: Sequence[Reading]) -> float:
    """Return the share of the time by which the readings at the edges may be off [-]."""
    return limits.COUNTER_EDGE_S / max(readings[-1].time_s - readings[0].time_s, limits.COUNTER_EDGE_S)
