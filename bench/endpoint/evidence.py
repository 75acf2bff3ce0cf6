"""What a run against an endpoint showed besides its rate: latencies, codes and the evidence for the record."""

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict

from bench.endpoint.device import is_local
from bench.endpoint.figures.latency import DEFINITIONS
from bench.endpoint.figures.summary import Requests
from bench.endpoint.load.messages import Request
from bench.endpoint.server.checks import (
    Client,
    check_client,
    check_requests,
    check_schedule,
    check_server,
    schedule_lag_s,
)
from bench.endpoint.server.counters import COUNT_AT_END, difference
from bench.endpoint.server.watch import Reading
from bench.endpoint.workload import LlmServeEndpoint
from bench.results.evidence.endpoint import ClientCeiling, ClientLoad, EndpointEvidence, ServerCounts, TokenCounts
from bench.results.record import Metric, Reason
from bench.workloads.protocol import Evidence

Spans = Sequence[tuple[float, float]]


def evidence(workload: LlmServeEndpoint, spans: Spans) -> Evidence:
    """Return latencies, codes and the evidence of a run.

    Parameters
    ----------
    workload
        The workload, after its load has ended.
    spans
        Start and end of each window [s, monotonic].
    """
    requests = workload.split(spans)
    latencies = requests.latencies()
    local = is_local(workload.setting.target.host)
    return Evidence(
        _once(_reasons(workload, spans, requests, latencies, local=local)),
        latencies,
        endpoint=_part(workload, requests, local=local),
    )


def _reasons(
    workload: LlmServeEndpoint, spans: Spans, requests: Requests, latencies: Mapping[str, Metric], *, local: bool
) -> Iterator[Reason]:
    setting, readings = workload.setting, workload.readings
    prompt_tokens = None if setting.texts or len(setting.prompt_lengths) > 1 else setting.prompt_lengths[0]
    yield from check_requests(
        requests, setting.concurrency, free_length=setting.free_length, prompt_tokens=prompt_tokens
    )
    yield from check_server(readings, _own_tokens(workload, readings), requests, setting.concurrency)
    tpot = latencies.get("tpot_q50")
    client = Client(
        workload.cpu_frac,
        workload.client.largest_lag_s,
        local,
        sum(workload.work_between(*span) for span in spans) / math.fsum(end - start for start, end in spans),
        None if workload.ceiling is None else workload.ceiling.tokens_per_s,
    )
    yield from check_client(client, tpot.value if tpot is not None else None)
    if setting.concurrency is None:
        yield from check_schedule(requests, workload.in_flight)
    if not workload.settled:
        yield Reason(code="not_settled")


def _part(workload: LlmServeEndpoint, requests: Requests, *, local: bool) -> EndpointEvidence:
    ended = [request for window in requests.windows for request in window.ended]
    prompts = [request.prompt_tokens for request in ended if request.prompt_tokens is not None]
    cached = [request.cached_tokens for request in ended if request.cached_tokens is not None]
    chunks = sum(request.chunks for request in ended)
    tokens = math.fsum(request.output_tokens for request in ended)
    return EndpointEvidence(
        loop="open" if workload.setting.concurrency is None else "closed",
        input_tokens=tuple(requests.other_work()["input_token"]),
        outcomes=requests.outcomes,
        unfinished=sum(request.unfinished for request in workload.requests),
        tokens_from=workload.capabilities.source,
        counts=_counts(ended),
        tokens_per_chunk=tokens / chunks if chunks else 0.0,
        prompt_tokens_mean=statistics.fmean(prompts) if prompts else None,
        output_tokens_mean=tokens / len(ended) if ended else 0.0,
        cached_prompt_tokens=float(sum(cached)) if cached else None,
        definitions=DEFINITIONS,
        server=_server_counts(workload, workload.readings),
        client=_client(workload, requests, ended, local=local),
    )


def _once(reasons: Iterator[Reason]) -> tuple[Reason, ...]:
    """Return the first reason of each code: a fact that the replies tell is not told again by the counters."""
    first: dict[str, Reason] = {}
    for reason in reasons:
        first.setdefault(reason.code, reason)
    return tuple(first.values())


def _counts(ended: Sequence[Request]) -> TokenCounts:
    stated = [request.stated_tokens for request in ended]
    return TokenCounts(
        counted=math.fsum(request.output_tokens for request in ended),
        requested=sum(request.requested_tokens for request in ended),
        stated=None if None in stated else sum(tokens or 0 for tokens in stated),
        chunks=sum(request.chunks for request in ended),
        characters=sum(request.characters for request in ended),
    )


def _client(workload: LlmServeEndpoint, requests: Requests, ended: Sequence[Request], *, local: bool) -> ClientLoad:
    slots, starts_ns = workload.setting.concurrency, sorted(request.start_ns for request in workload.requests)
    return ClientLoad(
        processes=workload.processes,
        cpu_s=workload.client.cpu_s,
        largest_lag_s=workload.client.largest_lag_s,
        local=local,
        new_connections=sum(request.connect_ns > 0 for request in ended),
        start_spread_s=(starts_ns[:slots][-1] - starts_ns[0]) * 1e-9 if slots is not None and starts_ns else None,
        schedule_lag_s=schedule_lag_s(requests) if slots is None else None,
        ceiling=None if workload.ceiling is None else ClientCeiling(**asdict(workload.ceiling)),
    )


def _own_tokens(workload: LlmServeEndpoint, readings: Sequence[Reading]) -> float:
    """Return the output tokens between the first and the last reading, as this server counts them: see COUNT_AT_END."""
    if not readings:
        return 0.0
    start_s, end_s = readings[0].time_s, readings[-1].time_s
    if readings[0].counters.server not in COUNT_AT_END:
        return workload.work_between(start_s, end_s)
    ended = (r for r in workload.requests if not r.unfinished and start_s <= r.end_ns * 1e-9 < end_s)
    return math.fsum(request.output_tokens for request in ended)


def _server_counts(workload: LlmServeEndpoint, readings: Sequence[Reading]) -> ServerCounts | None:
    if len(readings) < 2:
        return None
    counted = difference(readings[0].counters, readings[-1].counters)
    running = [reading.counters.running for reading in readings if reading.counters.running is not None]
    waiting = [reading.counters.waiting for reading in readings if reading.counters.waiting is not None]
    return ServerCounts(
        server=readings[0].counters.server,
        seconds=readings[-1].time_s - readings[0].time_s,
        readings=len(readings),
        own_output_tokens=_own_tokens(workload, readings),
        output_tokens=None if counted is None else counted.output_tokens,
        prompt_tokens=None if counted is None else counted.prompt_tokens,
        prefix_hits=None if counted is None else counted.prefix_hits,
        preemptions=None if counted is None else counted.preemptions,
        running_mean=statistics.fmean(running) if running else None,
        waiting_mean=statistics.fmean(waiting) if waiting else None,
        queue_s_mean=None if counted is None or not counted.queued else (counted.queue_s or 0.0) / counted.queued,
    )
