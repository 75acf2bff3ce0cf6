"""Tokens per second, latencies and joules per token of a model on a device: modelled, with tags and hold-out error."""

import math
import re
from dataclasses import dataclass

from bench.inference.engine import DOUBTFUL_FRAC, Engine, Holdout
from bench.inference.serving import Setup
from bench.inference.timing import step_seconds
from bench.inference.trace import Limits, Trace, trace
from hardware_profiles.errors import InputError
from sites.market.device_rate import DeviceRate, TokenTags

ROUNDS = 10
"""Requests per client, or per place in the batch, where nobody says how many there were."""


@dataclass(frozen=True, slots=True)
class Run:
    """A load with its steps, still without time: what can be timed with other constants."""

    setup: Setup
    input_len: int
    output_len: int
    clients: int | None
    places: int
    most_batch: int
    graphs: bool
    trace: Trace


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model serves on a device.

    tokens_per_s: output tokens of all GPUs together [token/s]. places: sequences that run at once. ttft_s: from a
    request's arrival to its first token, waiting included, mean [s]. tpot_s: between later tokens, mean [s]; None for
    one output token. joules_per_token: provisioned power over the rate [J/token], or None without a power.
    tags: the five tags, or None without a power. holdout: the error of this engine class on rows it was not fitted on.
    """

    setup: Setup
    input_len: int
    output_len: int
    clients: int | None
    places: int
    tokens_per_s: float
    ttft_s: float
    tpot_s: float | None
    joules_per_token: float | None
    tags: TokenTags | None
    basis: str
    holdout: Holdout

    @property
    def warning(self) -> str | None:
        """Why nobody should plan with this rate, or None."""
        if not self.holdout.is_doubtful:
            return None
        kind = "mixtures of experts" if self.setup.shape.is_moe else f"models in {self.setup.kind.name}"
        return (
            f"{kind}: on {self.holdout.rows} published rows the model was off by {self.holdout.error_frac:.0%} in the "
            f"mean and {self.holdout.worst_frac:.0%} at the worst, nearly always too fast"
        )

    @property
    def tokens_per_s_per_user(self) -> float | None:
        """What one user sees once the answer has begun [token/s]."""
        return None if self.tpot_s is None or self.tpot_s == 0 else 1.0 / self.tpot_s


def plan_run(
    setup: Setup, input_len: int, output_len: int, *, clients: int | None = None, requests: int | None = None
) -> Run:
    """Return the steps of a load: `clients` that keep one request open each, or all requests queued (None).

    requests: how many there are; ROUNDS per client or per place in the batch where not given.

    Raises
    ------
    InputError
        Lengths beyond the model's context; not even one sequence fits in memory.
    """
    setup.check_lengths(input_len, output_len)
    capacity = setup.most_sequences(input_len + output_len)
    setup.check_batch(1, input_len, output_len)
    if clients is None:
        unlimited = (
            setup.kv_memory_bytes / setup.engine.kv_memory_frac + setup.gpus * setup.engine.reserve_bytes
        ) * 0.95
        limits = setup.engine.offline_limits(
            unlimited / setup.kv_bytes_per_sequence(input_len + output_len), input_len, output_len
        )
    else:
        limits = setup.engine.online_limits()
    places = min(limits.batch, capacity)
    count = requests or ROUNDS * (clients or places)
    steps = trace(input_len, output_len, count, Limits(places, max(limits.tokens, places)), clients)
    return Run(
        setup, input_len, output_len, clients, min(places, clients or places), limits.batch, clients is None, steps
    )


def run_seconds(run: Run, engine: Engine | None = None) -> float:
    """Return how long the whole load takes [s]; `engine` overrides the constants."""
    import numpy as np

    per_step = step_seconds(run.setup, run.trace, run.most_batch, graphs=run.graphs, engine=engine)
    return float(per_step @ np.asarray(run.trace.steps, dtype=float))


def predict(run: Run, *, latency_limit: str = "none (offline)", engine: Engine | None = None) -> Prediction:
    """Return rate, latencies and energy of a load, with the tags that make the energy mean something.

    latency_limit: the limit that the load was chosen under, in words; it becomes the fifth tag.
    """
    import numpy as np

    setup = run.setup
    per_step = step_seconds(setup, run.trace, run.most_batch, graphs=run.graphs, engine=engine)
    ends = np.cumsum(per_step * np.asarray(run.trace.steps, dtype=float))
    first, last = np.repeat(ends, run.trace.first), np.repeat(ends, run.trace.last)
    rate = run.trace.output_tokens / float(ends[-1])
    arrivals = np.zeros_like(first)
    settled = 0
    if run.clients is not None and run.clients < len(first):
        settled = run.clients  # the first round arrives all at once, which only happens once
        arrivals[settled:] = last[: len(first) - settled]
    ttft = float(np.mean((first - arrivals)[settled:]))
    tpot = float(np.mean((last - first)[settled:])) / (run.output_len - 1) if run.output_len > 1 else None
    power = setup.device.power_w
    tags = TokenTags(setup.device.boundary, "provisioned", "output", f"{run.input_len}:{run.output_len}", latency_limit)
    return Prediction(
        setup=setup, input_len=run.input_len, output_len=run.output_len, clients=run.clients, places=run.places,
        tokens_per_s=rate, ttft_s=ttft, tpot_s=tpot,
        joules_per_token=None if power is None else power * setup.gpus / rate,
        tags=None if power is None else tags, basis="modelled",
        holdout=setup.engine.holdout(setup.kind.name, moe=setup.shape.is_moe),
    )  # fmt: skip


def best_within(
    setup: Setup,
    input_len: int,
    output_len: int,
    *,
    ttft_limit_s: float | None = None,
    tpot_limit_s: float | None = None,
) -> Prediction:
    """Return the largest load whose mean latencies stay within the limits, found by halving the number of clients.

    Raises
    ------
    InputError
        Even one client is served slower than a limit.
    """
    limit = " and ".join(
        f"{name} <= {value * 1e3:g} ms" for name, value in (("TTFT", ttft_limit_s), ("TPOT", tpot_limit_s)) if value
    )

    def served(clients: int) -> Prediction:
        run = plan_run(setup, input_len, output_len, clients=clients)
        return predict(run, latency_limit=limit or "none (offline)")

    def within(found: Prediction) -> bool:
        late = ttft_limit_s is not None and found.ttft_s > ttft_limit_s
        slow = tpot_limit_s is not None and found.tpot_s is not None and found.tpot_s > tpot_limit_s
        return not (late or slow)

    low, best = 1, served(1)
    if not within(best):
        tpot = "-" if best.tpot_s is None else f"{best.tpot_s * 1e3:.1f} ms"
        raise InputError(
            f"{setup.shape.name} on {setup.gpus} x {setup.device.slug}: latency limit: expected at least what one user "
            f"gets (TTFT {best.ttft_s * 1e3:.1f} ms, TPOT {tpot}), got {limit}"
        )
    high = min(setup.most_sequences(input_len + output_len), setup.engine.online_batch)
    while low < high:
        middle = math.ceil((low + high) / 2)
        found = served(middle)
        if within(found):
            low, best = middle, found
        else:
            high = middle - 1
    return best


def device_rate(prediction: Prediction) -> DeviceRate:
    """Return the prediction as the rate of one GPU that a site takes, with its five tags.

    The interval is symmetric and reaches down by two standard deviations of the hold-out rows' logarithmic errors.

    Raises
    ------
    InputError
        The device has no power in the catalogue, so there is no boundary to tag the rate with; or the model's error
        on rows of this class is above DOUBTFUL_FRAC.
    """
    setup = prediction.setup
    name = f"{setup.shape.title} {setup.kind.name} on {setup.gpus} x {setup.device.title}"
    if prediction.tags is None:
        raise InputError(f"{name}: power: expected a power in the device's profile to tag the rate with, got none")
    if prediction.warning is not None:
        raise InputError(
            f"{name}: rate: expected one whose class is modelled to within {DOUBTFUL_FRAC:.0%}, to plan with it; got "
            f"{prediction.warning}; take a published figure (`figure`), a measured result (`result:ID`) or state a rate"
        )
    rate = prediction.tokens_per_s / setup.gpus
    half = rate * (1.0 - math.exp(-2.0 * prediction.holdout.rms_ln))
    return DeviceRate(
        name=name,
        unit="token",
        rate_per_s=rate,
        rate_interval_per_s=(rate - half, rate + half),
        power_w=setup.device.power_w,
        power_interval_w=None,
        boundary=setup.device.boundary,
        basis="modelled",
        power_basis="rated",
        confidence=setup.device.confidence,
        source=(
            f"perwatt's throughput model, engine class {setup.engine.name}, hold-out error "
            f"{prediction.holdout.error_frac:.0%} over {prediction.holdout.rows} published rows; "
            f"{_published(prediction)}; power: {setup.device.power_source}"
        ),
        tags=prediction.tags,
    )


def _published(prediction: Prediction) -> str:
    """Return the published rate of the same load in words, or that there is none among the bundled rows."""
    from bench.inference.figures import published_like

    setup = prediction.setup
    lengths = (prediction.input_len, prediction.output_len)
    names = (setup.shape.name, setup.kind.name, setup.device.slug, setup.gpus)
    row = published_like(names, lengths, prediction.clients)
    if row is None or row.published_per_s is None:
        return "no published rate of this load is bundled"
    per_gpu = row.published_per_s / setup.gpus
    page = re.sub(r"https://(github\.com/[^/]+/[^/]+)/blob/[^/]+/.*/", r"\1, ", row.source)
    whole = f"{row.published_per_s:,.0f} of {setup.gpus}; {page}"
    return f"published for this load: {per_gpu:,.0f} tokens/s a GPU ({whole})"
