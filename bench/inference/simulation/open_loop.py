"""Predictions for requests that arrive at random times: latency tails at a rate, and the largest rate within limits."""

from dataclasses import dataclass

import numpy as np

from bench.inference.power.activity import Load
from bench.inference.power.estimate import watts_of
from bench.inference.predict import Prediction, Scale
from bench.inference.serving import Setup
from bench.inference.simulation.arrivals import Drawn, draw
from bench.inference.simulation.largest import Target, largest_rate, steady
from bench.inference.simulation.server import Server
from bench.inference.simulation.spread import Estimate, Spread, spread
from hardware_profiles.errors import InputError
from sites.market.device_rate import TokenTags

LEAST_REQUESTS, MOST_REQUESTS = 10_000, 100_000
MOST_TOKENS = 100_000_000  # of all answers together, which bounds the time of a simulation
MOST_RATE_PER_S = 1e6


@dataclass(frozen=True, slots=True)
class Traffic:
    """Requests that arrive at random times, all of the same lengths."""

    input_len: int  # [token] of each prompt
    output_len: int  # [token] of each answer
    burstiness: float = 1.0  # 1 is a Poisson process, less is burstier
    seed: int = 0

    def drawn(self) -> Drawn:
        """Return the requests."""
        count = min(max(MOST_TOKENS // self.output_len, LEAST_REQUESTS), MOST_REQUESTS)
        return draw(count, (self.input_len, self.output_len), self.seed, burstiness=self.burstiness)


@dataclass(frozen=True, slots=True)
class OpenLoop:
    """Rate, latencies and energy of a model on a device for requests that arrive at random times."""

    prediction: Prediction  # with mean latencies
    rate_per_s: Estimate  # [1/s] requests; without a width if the rate was stated
    capacity_per_s: float  # [1/s] largest rate with which the server keeps up
    concurrent: float  # mean number of requests in service
    ttft: Spread
    tpot: Spread | None  # None for a single output token
    requests: int  # simulated requests that are counted
    traffic: Traffic


def capacity_per_s(setup: Setup, traffic: Traffic, scale: Scale | None = None) -> float:
    """Return the largest rate of requests with which the server keeps up [1/s].

    Raises
    ------
    InputError
        The lengths exceed the model's context, or not even one sequence fits in memory.
    """
    return _case(setup, traffic, scale).capacity_per_s


def open_loop(setup: Setup, traffic: Traffic, rate_per_s: float, scale: Scale | None = None) -> OpenLoop:
    """Return the latencies at a rate of requests.

    Raises
    ------
    InputError
        The rate is not above 0 or not below what the server can serve, the lengths exceed the model's context, or not
        even one sequence fits in memory.
    """
    case = _case(setup, traffic, scale)
    if not 0.0 < rate_per_s < MOST_RATE_PER_S:
        raise InputError.at("rate", expected=f"requests/s above 0 and below {MOST_RATE_PER_S:,.0f}", got=rate_per_s)
    if rate_per_s >= case.capacity_per_s:
        served = f"{case.capacity_per_s:.4g} requests/s of {traffic.input_len}:{traffic.output_len} tokens"
        expected = f"less than the {served} that it can serve, above which the queue only grows"
        raise InputError.at(f"rate of {_place(setup)}", expected=expected, got=rate_per_s)
    estimate = Estimate(rate_per_s, rate_per_s, rate_per_s)
    return _at(case, estimate, f"none (open loop, {rate_per_s:g} requests/s)")


def best_open_loop(setup: Setup, traffic: Traffic, target: Target, scale: Scale | None = None) -> OpenLoop:
    """Return the largest rate of requests whose latencies stay within limits, with its latencies.

    Raises
    ------
    InputError
        A lone request is served more slowly than a limit; otherwise as open_loop.
    """
    case, drawn = _case(setup, traffic, scale), traffic.drawn()
    rate_per_s = largest_rate(case.server, drawn, target, case.capacity_per_s)
    if rate_per_s is None:
        lone = case.server.serve(drawn.at(1.0, 1))
        tpot = "-" if traffic.output_len == 1 else f"{float(lone.tpot_s[0]) * 1e3:.1f} ms"
        alone = f"TTFT {float(lone.ttft_s[0]) * 1e3:.1f} ms, TPOT {tpot}"
        expected = f"more than the latencies of a lone request ({alone})"
        raise InputError.at(f"latency limit of {_place(setup)}", expected=expected, got=target.words)
    return _at(case, rate_per_s, target.words)


def _place(setup: Setup) -> str:
    return f"{setup.shape.name} on {setup.gpus} x {setup.device.slug}"


@dataclass(frozen=True, slots=True)
class _Case:
    """A server under some traffic."""

    setup: Setup
    server: Server
    traffic: Traffic
    scale: Scale | None
    capacity_per_s: float  # [1/s]


def _case(setup: Setup, traffic: Traffic, scale: Scale | None) -> _Case:
    setup.check_lengths(traffic.input_len, traffic.output_len)
    setup.check_batch(1, traffic.input_len, traffic.output_len)
    server = Server.online(setup, 1.0 if scale is None else scale.factor)
    return _Case(setup, server, traffic, scale, server.capacity_per_s(traffic.input_len, traffic.output_len))


def _at(case: _Case, rate_per_s: Estimate, limit: str) -> OpenLoop:
    setup, traffic = case.setup, case.traffic
    served = case.server.serve(traffic.drawn().at(rate_per_s.value))
    counted = steady(len(served.requests))
    ttft = spread(served.ttft_s[counted])
    tpot = spread(served.tpot_s[counted]) if traffic.output_len > 1 else None
    in_service_s = float(np.mean((served.last_s - served.start_s)[counted]))
    concurrent = rate_per_s.value * in_service_s  # Little's law
    tokens_per_s = rate_per_s.value * traffic.output_len
    sequences = len(served.requests) * traffic.output_len / served.steps  # in a step: there is none while idle
    mean_context = traffic.input_len + traffic.output_len / 2.0
    load = Load(tokens_per_s, sequences, traffic.input_len, traffic.output_len, mean_context)
    power = setup.device.power_w
    lengths = f"{traffic.input_len}:{traffic.output_len}"
    tags = TokenTags(setup.device.boundary, "provisioned", "output", lengths, limit)
    prediction = Prediction(
        setup=setup, input_len=traffic.input_len, output_len=traffic.output_len, clients=None,
        batch=max(1, round(concurrent)), tokens_per_s=tokens_per_s, ttft_s=ttft.mean_s.value,
        tpot_s=None if tpot is None else tpot.mean_s.value,
        joules_per_token=None if power is None else power * setup.gpus / tokens_per_s,
        watts=watts_of(setup, load), tags=None if power is None else tags, scale=case.scale,
        holdout=setup.engine.holdout(setup.kind.name, moe=setup.shape.is_moe),
    )  # fmt: skip
    requests = counted.stop - counted.start
    return OpenLoop(prediction, rate_per_s, case.capacity_per_s, concurrent, ttft, tpot, requests, traffic)
