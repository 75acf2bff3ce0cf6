"""Predictions for requests that arrive at their own times: latency tails, and the largest rate within limits."""

import math
from dataclasses import dataclass

import numpy as np

from bench.inference.judged.holdout import holdout_of
from bench.inference.power.estimate import watts_of
from bench.inference.predict import Prediction, Scale
from bench.inference.serving import Setup
from bench.inference.simulation.arrivals import Drawn, draw
from bench.inference.simulation.largest import Target, largest_rate, steady
from bench.inference.simulation.power_limit import full_clock_load
from bench.inference.simulation.serve import Requests, Served
from bench.inference.simulation.server import Server
from bench.inference.simulation.spread import Estimate, Spread, exact, spread
from hardware_profiles.decoding import is_decimal
from hardware_profiles.errors import InputError
from sites.market.device_rate import TokenTags

LEAST_REQUESTS, MOST_REQUESTS = 10_000, 100_000
MOST_TOKENS = 100_000_000  # of all answers together, which bounds the time of a simulation
TENTHS = range(1, 10)  # of the capacity, for all rates
MOST_TRACED_TOKENS = 2_000_000_000
LEAST_RATE_PER_S, MOST_RATE_PER_S = 1e-4, 1e6  # below it, the clock of a long run would lose microseconds


@dataclass(frozen=True, slots=True)
class Traffic:
    """Requests that arrive at random times, all of the same lengths."""

    input_len: int  # [token] of each prompt
    output_len: int  # [token] of each answer
    burstiness: float = 1.0  # 1 is a Poisson process, less is burstier
    seed: int = 0

    @property
    def words(self) -> str:
        """The times of arrival in words."""
        shape = "Poisson process" if self.burstiness == 1.0 else f"gamma gaps of burstiness {self.burstiness:g}"
        return f"{shape}, seed {self.seed}"

    def drawn(self) -> Drawn:
        """Return the requests."""
        count = min(max(MOST_TOKENS // self.output_len, LEAST_REQUESTS), MOST_REQUESTS)
        return draw(count, (self.input_len, self.output_len), self.seed, burstiness=self.burstiness)


@dataclass(frozen=True, slots=True)
class OpenLoop:
    """Rate, latencies and energy of a model on a device for requests that arrive at their own times."""

    prediction: Prediction  # with mean latencies
    rate_per_s: Estimate  # [1/s] requests; without a width if the rate was stated
    capacity_per_s: float | None  # [1/s] largest rate with which the server keeps up; None for a trace
    concurrent: float  # mean number of requests in service
    ttft: Spread
    tpot: Spread | None  # None for a single output token
    requests: int  # simulated requests that are counted
    arrivals: str  # times of arrival in words
    traffic: Traffic | None  # None for a trace


def capacity_per_s(setup: Setup, traffic: Traffic, scale: Scale | None = None, cap_w: float | None = None) -> float:
    """Return the largest rate of requests with which the server keeps up [1/s].

    Parameters
    ----------
    setup
        The model on its device.
    traffic
        The requests.
    scale
        What was measured of this model on this device, or None.
    cap_w
        Power limit of each GPU [W] below the one that it ships with, or None.

    Raises
    ------
    InputError
        The lengths exceed the model's context, not even one sequence fits in memory, the power limit is outside the
        range of the device, or no watts of the device are known.
    """
    setup.check_lengths(traffic.input_len, traffic.output_len)
    setup.check_batch(1, traffic.input_len, traffic.output_len)
    return _online(setup, scale, cap_w).capacity_per_s(traffic.input_len, traffic.output_len)


def rates_of(
    text: str, setup: Setup, traffic: Traffic, scale: Scale | None = None, cap_w: float | None = None
) -> list[float]:
    """Return the rates of requests [1/s] of a list, or tenths of the capacity for `all`.

    Raises
    ------
    InputError
        The text is neither, or as capacity_per_s.
    """
    if text == "all":
        capacity = capacity_per_s(setup, traffic, scale, cap_w)
        return [float(f"{tenth * capacity / 10.0:.3g}") for tenth in TENTHS]
    parts = [part.strip() for part in text.split(",")]
    if not all(is_decimal(part) and 0.0 < float(part) < math.inf for part in parts):
        raise InputError.at("--rate", expected="requests/s above 0, separated by commas, or all", got=text)
    return [float(part) for part in parts]


def open_loop(
    setup: Setup, traffic: Traffic, rate_per_s: float, scale: Scale | None = None, cap_w: float | None = None
) -> OpenLoop:
    """Return the latencies at a rate of requests.

    Raises
    ------
    InputError
        The rate is not above 0 or not below what the server can serve, or as capacity_per_s.
    """
    if not LEAST_RATE_PER_S <= rate_per_s <= MOST_RATE_PER_S:
        expected = f"requests/s from {LEAST_RATE_PER_S:.4f} to {MOST_RATE_PER_S:,.0f}"
        raise InputError.at("rate", expected=expected, got=rate_per_s)
    capacity = capacity_per_s(setup, traffic, scale, cap_w)
    if rate_per_s >= capacity:
        served = f"{capacity:.4g} requests/s of {traffic.input_len}:{traffic.output_len} tokens"
        expected = f"less than the {served} that it can serve, above which the queue only grows"
        raise InputError.at(f"rate of {_place(setup)}", expected=expected, got=rate_per_s)
    estimate = Estimate(rate_per_s, rate_per_s, rate_per_s)
    case = _Case(setup, scale, traffic, capacity, traffic.words, cap_w)
    return _at(case, estimate, f"none (open loop, {rate_per_s:g} requests/s)")


def best_open_loop(
    setup: Setup, traffic: Traffic, target: Target, scale: Scale | None = None, cap_w: float | None = None
) -> OpenLoop:
    """Return the largest rate of requests whose latencies stay within limits, with its latencies.

    Raises
    ------
    InputError
        A lone request is served more slowly than a limit, or as capacity_per_s.
    """
    capacity = capacity_per_s(setup, traffic, scale, cap_w)
    server, drawn = _online(setup, scale, cap_w), traffic.drawn()
    rate_per_s = largest_rate(server, drawn, target, capacity)
    if rate_per_s is None:
        lone = server.serve(drawn.at(1.0, 1))
        tpot = "-" if traffic.output_len == 1 else f"{float(lone.tpot_s[0]) * 1e3:.1f} ms"
        alone = f"TTFT {float(lone.ttft_s[0]) * 1e3:.1f} ms, TPOT {tpot}"
        expected = f"more than the latencies of a lone request ({alone})"
        raise InputError.at(f"latency limit of {_place(setup)}", expected=expected, got=target.words)
    return _at(_Case(setup, scale, traffic, capacity, traffic.words, cap_w), rate_per_s, target.words)


def traced(
    setup: Setup, requests: Requests, name: str, scale: Scale | None = None, cap_w: float | None = None
) -> OpenLoop:
    """Return the latencies of requests that arrive at the times of a trace.

    Parameters
    ----------
    setup
        The model on its device.
    requests
        The requests of the trace.
    name
        The trace in words.
    scale
        What was measured of this model on this device, or None.
    cap_w
        Power limit of each GPU [W] below the one that it ships with, or None.

    Raises
    ------
    InputError
        A request exceeds the model's context or memory, the answers are too many tokens to simulate, the power limit is
        outside the range of the device, or no watts of the device are known.
    """
    longest = int(np.argmax(requests.input_len + requests.output_len))
    setup.check_lengths(int(requests.input_len[longest]), int(requests.output_len[longest]))
    setup.check_batch(1, int(requests.input_len[longest]), int(requests.output_len[longest]))
    tokens = int(requests.output_len.sum())
    if tokens > MOST_TRACED_TOKENS:
        raise InputError.at(name, expected=f"answers of at most {MOST_TRACED_TOKENS:,} tokens", got=f"{tokens:,}")
    case = _Case(setup, scale, None, None, name, cap_w)
    served, speed = _online(setup, scale, cap_w).settled(requests)
    rate_per_s = len(requests) / float(served.last_s.max())
    tpot_s = served.tpot_s[~np.isnan(served.tpot_s)]
    latencies = exact(served.ttft_s), exact(tpot_s) if len(tpot_s) else None
    part = _Part(served, speed, slice(0, len(requests)), Estimate(rate_per_s, rate_per_s, rate_per_s), latencies)
    return _result(case, part, "none (open loop, trace)")


@dataclass(frozen=True, slots=True)
class _Case:
    """A model under some traffic."""

    setup: Setup
    scale: Scale | None
    traffic: Traffic | None
    capacity_per_s: float | None  # [1/s]
    arrivals: str
    cap_w: float | None  # [W] power limit of each GPU


@dataclass(frozen=True, slots=True)
class _Part:
    """The requests of a simulation that are counted."""

    served: Served
    speed: float  # of the steps over that without a power limit
    counted: slice
    rate_per_s: Estimate
    latencies: tuple[Spread, Spread | None]


def _online(setup: Setup, scale: Scale | None, cap_w: float | None) -> Server:
    return Server.online(setup, 1.0 if scale is None else scale.factor, cap_w)


def _place(setup: Setup) -> str:
    return f"{setup.shape.name} on {setup.gpus} x {setup.device.slug}"


def _at(case: _Case, rate_per_s: Estimate, limit: str) -> OpenLoop:
    assert case.traffic is not None
    served, speed = _online(case.setup, case.scale, case.cap_w).settled(case.traffic.drawn().at(rate_per_s.value))
    counted = steady(len(served.requests))
    tpot = spread(served.tpot_s[counted]) if case.traffic.output_len > 1 else None
    return _result(case, _Part(served, speed, counted, rate_per_s, (spread(served.ttft_s[counted]), tpot)), limit)


def _result(case: _Case, part: _Part, limit: str) -> OpenLoop:
    setup, requests, rate_per_s = case.setup, part.served.requests, part.rate_per_s
    (ttft, tpot), count = part.latencies, part.counted.stop - part.counted.start
    concurrent = rate_per_s.value * float(np.mean((part.served.last_s - part.served.start_s)[part.counted]))  # Little
    means = [float(np.mean(lengths)) for lengths in (requests.input_len, requests.output_len)]
    tokens_per_s = rate_per_s.value * means[1]
    busy_frac = min(1.0, rate_per_s.value * part.served.busy_s / len(requests))
    watts = watts_of(setup, full_clock_load(setup, part.served, part.speed), case.cap_w, busy_frac)
    power, (input_len, output_len) = setup.device.power_w, (max(1, round(mean)) for mean in means)
    tags = TokenTags(setup.device.boundary, "provisioned", "output", f"{input_len}:{output_len}", limit)
    prediction = Prediction(
        setup=setup, input_len=input_len, output_len=output_len, clients=None, batch=max(1, round(concurrent)),
        tokens_per_s=tokens_per_s, ttft_s=ttft.mean_s.value, tpot_s=None if tpot is None else tpot.mean_s.value,
        joules_per_token=None if power is None else power * setup.gpus / tokens_per_s,
        watts=watts, tags=None if power is None else tags, scale=case.scale,
        holdout=holdout_of(setup),
    )  # fmt: skip
    return OpenLoop(
        prediction, rate_per_s, case.capacity_per_s, concurrent, ttft, tpot, count, case.arrivals, case.traffic
    )
