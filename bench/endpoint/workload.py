"""The workload of a live inference server: `llm_serve_endpoint`, whose work is the output tokens that came.

The server works by itself; `run` only waits. Tokens are counted at the time stamps of the socket, within the meters'
windows, also those of requests that are not finished at an edge.
"""

import math
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

from bench.endpoint.ceiling.ceiling import Ceiling, Replies, measure_ceiling
from bench.endpoint.client.probe import Capabilities
from bench.endpoint.client.prompts import PromptSource
from bench.endpoint.errors import ServerFailedError, TokensNotCountedError
from bench.endpoint.figures.summary import Requests, split
from bench.endpoint.load.load import ClientState, Load, split_arrivals, split_slots
from bench.endpoint.load.messages import Request
from bench.endpoint.load.outage import check_server, check_windows
from bench.endpoint.load.plan import LoadPlan
from bench.endpoint.load.warm_up import wait_until_steady
from bench.endpoint.server.watch import Reading, ServerWatch
from bench.endpoint.setting import Setting
from bench.endpoint.stream.reply import what_went_wrong
from bench.endpoint.tags import latency_limit
from bench.errors import RunFailedError
from bench.workloads.protocol import Batch, Check, Evidence

TICK_S = 0.05  # [s] length of one call of `run` for n = 1
STEADY_BLOCK_S = 1.0  # [s] the tokens of several such blocks must show no trend


class LlmServeEndpoint:
    """A model that a server serves; the unit is one output token."""

    name = "llm_serve_endpoint"
    version = 1
    unit = "token"

    def __init__(self, setting: Setting, capabilities: Capabilities) -> None:
        self.setting, self.capabilities = setting, capabilities
        self.variant = ""
        self.watch: ServerWatch | None = None
        self.settled = False
        self.in_flight: dict[float, int] = {}  # requests under way by time [s, monotonic], of an open loop
        self.cpu_frac = 0.0  # [-] time for which a process of the client was busy or waited for a core
        self._busy = ClientState()
        self._rate_per_s = 0.0  # [token/s] since the load became steady
        self.ceiling: Ceiling | None = None  # what the same client takes from a null server, after the load
        self._plan: LoadPlan | None = None
        self._load: Load | None = None
        self._warm_up_s = 0.0
        self._ends_s = math.inf  # [s, monotonic] last request of a schedule
        self._steady_at = (0.0, 0.0)  # [s] time and the client's busy time when the load became steady

    def prepare(self) -> None:
        """Look for the server's counters."""
        self.watch = ServerWatch(self.setting.target)
        self.variant = self.watch.server or "openai"

    def verify(self) -> list[Check]:
        """See that the server counts its tokens and goes on to the requested length.

        Raises
        ------
        TokensNotCountedError
            Its tokens cannot be counted.
        """
        known = self.capabilities
        if known.source == "none":
            raise TokensNotCountedError("its replies have no `usage`, no running total and no token ids")
        checks = [Check("tokens", f"counted by {known.source.replace('_', ' ')}")]
        if known.honours_length:
            checks.append(Check("length", "the server goes on to the requested length"))
        return checks

    def start(self) -> None:
        """Start the load, and return once every slot has ended a request and the rate of tokens shows no trend.

        Raises
        ------
        RunFailedError
            The server ends no request within the time for it.
        """
        setting, known = self.setting, self.capabilities
        own = PromptSource(setting.seed, texts=setting.texts)
        prompts = own if setting.texts else known.prompts(setting.seed, *setting.prompt_lengths)
        target = setting.target
        plan = LoadPlan(
            known.service, known.ip, target.tls, target.ca_file, prompts, setting.output_lengths,
            timeout_s=setting.timeout_s,
        )  # fmt: skip
        self._plan, started_s = plan, time.monotonic()
        if setting.concurrency is not None:
            stagger_s = known.token_s * setting.output_tokens / setting.concurrency  # over one request, no opening wave
            staggered = replace(plan, stagger_s=stagger_s)
            schedule_s = math.inf
            self._load = Load(split_slots(staggered, setting.concurrency, setting.processes))
        else:
            times_s = setting.arrival_times_s()
            schedule_s = times_s[-1] if times_s else 0.0
            self._load = Load(split_arrivals(plan, times_s, setting.processes or 1))
        self._ends_s, slots = started_s + schedule_s, setting.concurrency or 1
        longest_s = min(setting.warm_up_s, schedule_s)
        self.settled = wait_until_steady(self._load, slots, longest_s, STEADY_BLOCK_S)
        self._warm_up_s = time.monotonic() - started_s
        if self.watch is not None:
            self.watch.start()
        self._load.forget_lag()
        self._steady_at = (time.monotonic(), self._load.state.busy_s)

    def run(self, n: int) -> Batch:
        """Wait `n` times 50 ms."""
        if self._load is not None:
            self._load.check()
            check_server(self._load, self.setting.concurrency or 1, self._steady_at[0])
            if time.monotonic() > self._ends_s:
                raise RunFailedError("the arrivals ended before the windows did; use a longer trace, or a shorter plan")
            self.in_flight[time.monotonic()] = self._load.state.in_flight
        time.sleep(n * TICK_S)
        return Batch(0.0)

    def stop(self) -> None:
        """End the load; the requests that are cut off keep the tokens that came."""
        if self.watch is not None:
            self.watch.stop()
        if self._load is not None and not self._load.stopped:
            self._busy = self._load.state
            (since_s, busy_s), end_s = self._steady_at, time.monotonic()
            self.cpu_frac = (self._busy.busy_s - busy_s) / max(end_s - since_s, 1e-9) / self.processes
            self._load.stop()
            self._rate_per_s = self.work_between(since_s, end_s) / max(end_s - since_s, 1e-9)

    def work_between(self, start_s: float, end_s: float) -> float:
        """Return the output tokens that came between two times [s, monotonic]."""
        return 0.0 if self._load is None else self._load.tokens_between(start_s, end_s)

    def check_windows(self, spans: Sequence[tuple[float, float]]) -> None:
        """See that tokens came in each window.

        Raises
        ------
        RunFailedError
            None came in one; the message and its code say what came instead.
        """
        if self._load is not None:
            check_windows(self._load, spans)

    def check_output(self) -> list[Check]:
        """See that requests ended well, and what the client carries against a null server.

        That comes after the windows and the idle power, so that it disturbs neither.

        Raises
        ------
        ServerFailedError
            None did.
        """
        requests = self.requests
        failed = [request for request in requests if request.outcome not in ("ok", "short") and not request.unfinished]
        if len(failed) == len(requests):
            last = failed[-1] if failed else None
            why = what_went_wrong(last.outcome, last.error) if last else "none was sent"
            raise ServerFailedError(f"no request ended well: {why}")
        self.ceiling = self._measure_ceiling([r for r in requests if r.chunks and not r.unfinished])
        return [Check("requests", f"{len(requests):,} sent, {len(failed):,} failed")]

    def parameters(self) -> Mapping[str, object]:
        """Return the load, and what the server accepts."""
        setting, known = self.setting, self.capabilities
        inputs, outputs = statistics.fmean(setting.prompt_lengths), statistics.fmean(setting.output_lengths)
        stated = setting.trace is not None and setting.trace.output_lengths is not None
        answers = f"{outputs:.0f}" if stated else f"{setting.output_tokens}±20%"
        spread = "free" if setting.free_length else answers
        prompts = "own" if setting.texts else f"{inputs:.0f}"
        return {
            "url": setting.target.url,
            "model": known.service.model,
            "interface": known.service.interface,
            "fields": ", ".join(sorted(known.service.fields)),
            "server_version": known.version,
            "input": None if setting.texts else round(inputs),
            "output": round(outputs) if stated else setting.output_tokens,
            "prompts": "own" if setting.texts else "unique token ids" if known.vocabulary else "unique text",
            "mix": setting.is_mix or None,
            "concurrency": setting.concurrency,
            "rate_per_s": setting.rate_per_s if setting.trace is None else round(setting.trace.rate_per_s, 6),
            "arrivals": setting.trace.words if setting.trace is not None else None,
            "burstiness": setting.burstiness if setting.rate_per_s else None,
            "seed": setting.seed,
            "tokens_from": known.source,
            "warm_up_s": round(self._warm_up_s, 3),
            "settled": self.settled,
            **{f"limit_{name}": value for name, value in asdict(setting.limits).items()},
            "token_basis": "output",
            "lengths": f"{prompts}:{spread}{' on average' if stated else ''}",
            "latency_limit": latency_limit(
                setting.limits, self.requests, self._steady_at[0], free_length=setting.free_length
            ),
        }

    def close(self) -> None:
        """End the load if it still runs."""
        self.stop()

    def other_work(self, spans: Sequence[tuple[float, float]]) -> dict[str, list[float]]:
        """Return what was counted besides output tokens, by its unit, one figure a window."""
        counted = self.split(spans).other_work()
        total = [n + self.work_between(*span) for n, span in zip(counted["input_token"], spans, strict=True)]
        return {**counted, "total_token": total}

    def evidence(self, spans: Sequence[tuple[float, float]]) -> Evidence:
        """Return latencies, codes and the evidence of these windows."""
        from bench.endpoint.evidence import evidence

        return evidence(self, spans)

    @property
    def client(self) -> ClientState:
        """How busy the client was when the load ended."""
        return self._busy

    @property
    def processes(self) -> int:
        """Number of processes of the client."""
        return 1 if self._load is None else self._load.processes

    @property
    def readings(self) -> list[Reading]:
        """The server's counters, from before the windows until after them."""
        return [] if self.watch is None else self.watch.readings

    @property
    def requests(self) -> list[Request]:
        """All requests so far."""
        return [] if self._load is None else self._load.requests

    def split(self, spans: Sequence[tuple[float, float]]) -> Requests:
        """Return the requests by window."""
        return split(self.requests, spans, self.setting.limits, free_length=self.setting.free_length)

    def _measure_ceiling(self, requests: Sequence[Request]) -> Ceiling | None:
        """Drive a null server with the processes, the streams and the chunks of the run."""
        chunks = sum(request.chunks for request in requests)
        tokens = math.fsum(request.output_tokens for request in requests)
        if self._plan is None or tokens <= 0.0:
            return None
        replies = Replies(
            tokens=tokens / len(requests),
            tokens_per_chunk=tokens / chunks,
            chunk_bytes=sum(request.reply_bytes for request in requests) / chunks,
            chunks_per_read=chunks / max(1, sum(request.reads for request in requests)),
        )
        streams = self.setting.concurrency or max(self.in_flight.values(), default=1)
        return measure_ceiling(split_slots(self._plan, max(1, streams), self.processes), replies, self._rate_per_s)
