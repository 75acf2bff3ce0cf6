"""Predictions of a model on a device: tokens per second, latencies, joules per token, tags and hold-out error."""

import math
from dataclasses import dataclass
from typing import Literal

from bench.inference.batching import Limits, StepTrace, trace_steps
from bench.inference.judged.holdout import ClassHoldout, holdout_of
from bench.inference.power.activity import Load
from bench.inference.power.estimate import Watts, watts_of
from bench.inference.serving import Setup
from bench.inference.terms.constants import Constants
from bench.inference.timing import step_seconds, step_times
from bench.limits import MOST_CLIENTS
from hardware_profiles.errors import InputError
from sites.market.device_rate import TokenTags

ROUNDS = 10  # requests per client, or per slot of the batch, if their number is unknown


@dataclass(frozen=True, slots=True)
class Run:
    """A load with its steps but without their times, so that it can be timed with other constants."""

    setup: Setup
    input_len: int  # [token] of each prompt
    output_len: int  # [token] that each request generates
    clients: int | None  # clients that keep one request open each, or None if all requests are queued
    batch: int  # sequences that run at once
    most_batch: int  # the engine's limit
    graphs: bool  # whether decoding batches are padded to the sizes of graphs
    trace: StepTrace


@dataclass(frozen=True, slots=True)
class Scale:
    """The ratio of measured to modelled rates of one model on one device."""

    factor: float
    words: str  # of what was measured


@dataclass(frozen=True, slots=True)
class Prediction:
    """The rate, latencies and energy of a model on a device."""

    setup: Setup
    input_len: int  # [token] of each prompt
    output_len: int  # [token] that each request generates
    clients: int | None  # clients that keep one request open each, or None if all requests are queued
    batch: int  # sequences that run at once
    tokens_per_s: float  # [output token/s] of all GPUs together
    ttft_s: float  # [s] mean time from a request's arrival to its first token, including the wait
    tpot_s: float | None  # [s] mean time between later tokens; None for a single output token
    joules_per_token: float | None  # [J/token] provisioned power over the rate
    watts: Watts | None  # modelled; None for a device without published watts
    tags: TokenTags | None  # of the provisioned power; None without one
    scale: Scale | None  # by a measurement on the device
    holdout: ClassHoldout  # error of this engine on rows that it was not fitted on

    @property
    def basis(self) -> Literal["modelled", "replayed"]:
        """Whether the rate is only modelled, or also scaled by a measurement on the device."""
        return "modelled" if self.scale is None else "replayed"

    @property
    def warning(self) -> str | None:
        """Why plans should not be made with this rate, or None."""
        if not self.holdout.is_doubtful:
            return None
        if self.holdout.rows == 0:
            return f"{self.holdout.name}: no published row of this class judges the model"
        return (
            f"{self.holdout.name}: on {self.holdout.rows} published rows the model was wrong by "
            f"{self.holdout.error_frac:.0%} on average and {self.holdout.worst_frac:.0%} at worst"
        )

    @property
    def modelled_joules_per_token(self) -> float | None:
        """Energy of an output token from the modelled watts of the node [J/token], or None without them."""
        return None if self.watts is None else self.watts.node_w * self.setup.gpus / self.tokens_per_s

    @property
    def tokens_per_s_per_user(self) -> float | None:
        """Rate of one user after the first token [token/s]."""
        return None if self.tpot_s is None or self.tpot_s == 0 else 1.0 / self.tpot_s


def plan_run(
    setup: Setup, input_len: int, output_len: int, *, clients: int | None = None, requests: int | None = None
) -> Run:
    """Return the steps of a load.

    Parameters
    ----------
    setup
        The model on its device.
    input_len, output_len
        Tokens of the prompt and of the answer.
    clients
        Clients that keep one request open each, or None if all requests are queued.
    requests
        Number of requests; by default ROUNDS per client or per slot of the batch.

    Raises
    ------
    InputError
        The lengths exceed the model's context, or not even one sequence fits in memory.
    """
    if clients is not None and clients > MOST_CLIENTS:
        raise InputError.at("clients", expected=f"at most {MOST_CLIENTS:,}", got=clients)
    setup.check_lengths(input_len, output_len)
    capacity = setup.most_sequences(input_len + output_len)
    setup.check_batch(1, input_len, output_len)
    limits = full_load_limits(setup, input_len, output_len) if clients is None else setup.online_limits()
    slots = min(limits.batch, capacity)
    count = requests or ROUNDS * (clients or slots)
    steps = trace_steps(
        input_len, output_len, count, Limits(slots, max(limits.tokens, slots)), clients,
        growth=1.0 + setup.accepted, cached=int(setup.hit_frac * input_len),
    )  # fmt: skip
    return Run(
        setup, input_len, output_len, clients, min(slots, clients or slots), limits.batch, clients is None, steps
    )


def full_load_limits(setup: Setup, input_len: int, output_len: int) -> Limits:
    """Return the limits of a step of all copies of attention in a run at full load."""
    unlimited = (
        setup.kv_memory_bytes / setup.engine.kv_memory_frac
        + setup.gpus * setup.engine.reserved_bytes(setup.device.memory_bytes)
    ) * 0.95
    requests = unlimited / setup.kv_bytes_per_sequence(input_len + output_len) / setup.data
    return setup.together(setup.engine.offline_limits(requests, input_len, output_len))


def run_seconds(run: Run, constants: Constants | None = None) -> float:
    """Return the time of the whole load [s]; `constants` are other than those of its setup."""
    per_step = step_seconds(run.setup, run.trace, run.most_batch, graphs=run.graphs, constants=constants)
    return float(per_step @ run.trace.columns().steps)


def predict(
    run: Run,
    *,
    latency_limit: str = "none (offline)",
    constants: Constants | None = None,
    cap_w: float | None = None,
    scale: Scale | None = None,
) -> Prediction:
    """Return the rate, latencies and energy of a load, with its five tags.

    Parameters
    ----------
    run
        The load.
    latency_limit
        The limit under which the load was chosen, in words, for the fifth tag.
    constants
        Constants other than those of the load's setup.
    cap_w
        Power limit of each GPU [W] below the one that it ships with, or None.
    scale
        What was measured of this model on this device, or None.

    Raises
    ------
    InputError
        The power limit is outside the range of the device, or no watts of the device are known.
    """
    import numpy as np

    setup = run.setup
    per_step, device_s = step_times(setup, run.trace, run.most_batch, graphs=run.graphs, constants=constants)
    ends = np.cumsum(per_step * run.trace.columns().steps)
    first, last = np.repeat(ends, run.trace.first), np.repeat(ends, run.trace.last)
    rate = run.trace.output_tokens / float(ends[-1])
    arrivals = np.zeros_like(first)
    settled = 0
    if run.clients is not None and run.clients < len(first):
        settled = run.clients  # the first round arrives all at once, which happens only once
        arrivals[settled:] = last[: len(first) - settled]
    # a steady trace has no requests, only the mix of its steps
    ttft = float(np.mean((first - arrivals)[settled:])) if len(first) else math.nan
    tpot = float(np.mean((last - first)[settled:])) / (run.output_len - 1) if run.output_len > 1 and len(last) else None
    factor = 1.0 if scale is None else scale.factor
    host_frac = 1.0 - float(device_s @ run.trace.columns().steps) / float(ends[-1])
    watts = watts_of(setup, _load(run, rate * factor, host_frac), cap_w)
    if cap_w is not None and watts is None:
        raise InputError.at("power cap", expected="a device whose watts are modelled", got=setup.device.slug)
    speed = factor * (1.0 if watts is None else watts.rate_frac)
    rate, ttft, tpot = rate * speed, ttft / speed, None if tpot is None else tpot / speed
    power = setup.device.power_w
    tags = TokenTags(setup.device.boundary, "provisioned", "output", f"{run.input_len}:{run.output_len}", latency_limit)
    return Prediction(
        setup=setup, input_len=run.input_len, output_len=run.output_len, clients=run.clients, batch=run.batch,
        tokens_per_s=rate, ttft_s=ttft, tpot_s=tpot,
        joules_per_token=None if power is None else power * setup.gpus / rate,
        watts=watts, tags=None if power is None else tags, scale=scale,
        holdout=holdout_of(setup),
    )  # fmt: skip


def _load(run: Run, rate: float, host_frac: float) -> Load:
    """Return the load at full clock, as a mean over the run's steps."""
    import numpy as np

    steps = np.asarray(run.trace.steps, dtype=float)
    decoded = max(1.0, float(steps @ np.asarray(run.trace.decoding, dtype=float)))
    context = float(steps @ np.asarray(run.trace.context, dtype=float)) / decoded
    sequences = run.trace.output_tokens / float(np.sum(steps))
    return Load(rate, sequences, run.input_len, run.output_len, max(context, float(run.input_len)), host_frac)


def best_within(  # noqa: PLR0913 (a load, its limits and the state of the device)
    setup: Setup,
    input_len: int,
    output_len: int,
    *,
    ttft_limit_s: float | None = None,
    tpot_limit_s: float | None = None,
    cap_w: float | None = None,
    scale: Scale | None = None,
) -> Prediction:
    """Return the largest load whose mean latencies stay within the limits, by bisection of the number of clients.

    The power limit and the scale are those of `predict`.

    Raises
    ------
    InputError
        Even a single client is served more slowly than a limit.
    """
    limit = " and ".join(
        f"{name} <= {value * 1e3:g} ms" for name, value in (("TTFT", ttft_limit_s), ("TPOT", tpot_limit_s)) if value
    )

    def served(clients: int) -> Prediction:
        run = plan_run(setup, input_len, output_len, clients=clients)
        return predict(run, latency_limit=limit or "none (offline)", cap_w=cap_w, scale=scale)

    def within(prediction: Prediction) -> bool:
        late = ttft_limit_s is not None and prediction.ttft_s > ttft_limit_s
        slow = tpot_limit_s is not None and prediction.tpot_s is not None and prediction.tpot_s > tpot_limit_s
        return not (late or slow)

    low, best = 1, served(1)
    if not within(best):
        tpot = "-" if best.tpot_s is None else f"{best.tpot_s * 1e3:.1f} ms"
        raise InputError(
            f"{setup.shape.name} on {setup.gpus} x {setup.device.slug}: latency limit: expected at least the latencies "
            f"of a single user (TTFT {best.ttft_s * 1e3:.1f} ms, TPOT {tpot}), got {limit}"
        )
    high = min(setup.most_sequences(input_len + output_len), setup.online_limits().batch)
    while low < high:
        middle = math.ceil((low + high) / 2)
        prediction = served(middle)
        if within(prediction):
            low, best = middle, prediction
        else:
            high = middle - 1
    return best
