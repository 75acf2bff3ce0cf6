"""The loads that `perwatt run llm` models: users, a full queue, random arrivals, or the most within latency limits."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.cli.options import is_stated
from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bench.inference.predict import Prediction, Scale
    from bench.inference.serving import Setup
    from bench.inference.simulation.open_loop import OpenLoop
    from bench.inference.simulation.serve import Requests

LEAST_QUANTILE, MOST_QUANTILE = 0.5, 0.999


@dataclass(frozen=True, slots=True)
class Loads:
    """What the command line asks for."""

    lengths: tuple[int, int]  # [token] of prompts and answers
    batch: str
    limits_ms: tuple[float | None, float | None]  # of TTFT and TPOT
    quantile: float | None
    rate: str | None
    trace: Path | None  # file of arrivals
    burstiness: float
    seed: int
    offline: bool

    @property
    def is_open(self) -> bool:
        """Whether requests arrive at their own times."""
        return self.rate is not None or self.quantile is not None or self.trace is not None

    @property
    def limits_s(self) -> tuple[float | None, float | None]:
        """The latency limits [s].

        Raises
        ------
        InputError
            A limit is not above 0.
        """
        for name, limit in zip(("--ttft-ms", "--tpot-ms"), self.limits_ms, strict=True):
            if limit is not None and not 0.0 < limit < math.inf:
                raise InputError.at(name, expected="milliseconds above 0", got=limit)
        ttft, tpot = self.limits_ms
        return None if ttft is None else ttft / 1e3, None if tpot is None else tpot / 1e3


def refuse_without_effect(loads: Loads) -> None:
    """Refuse options that the others leave without an effect, and several loads at once.

    Raises
    ------
    InputError
        There is one; the message says what it needs.
    """
    names = {
        "batch": "--batch", "offline": "--offline", "rate": "--rate", "arrivals": "--arrivals", "ttft_ms": "--ttft-ms",
        "tpot_ms": "--tpot-ms",
    }  # fmt: skip
    stated = [option for name, option in names.items() if is_stated(name)]
    if len(stated) > 1 and set(stated) != {"--ttft-ms", "--tpot-ms"}:
        expected = "one of --batch, --offline, --rate, --arrivals and a latency limit"
        raise InputError.at(stated[0], expected=expected, got=" with ".join(stated))
    if loads.quantile is not None and loads.limits_ms == (None, None):
        raise InputError.at("--quantile", expected="--ttft-ms or --tpot-ms with it", got=loads.quantile)
    for name, value in (("burstiness", loads.burstiness), ("seed", loads.seed)):
        if is_stated(name) and loads.rate is None and loads.quantile is None:
            raise InputError.at(f"--{name}", expected="--rate or --quantile with it", got=value)
    if loads.quantile is not None and not LEAST_QUANTILE <= loads.quantile <= MOST_QUANTILE:
        raise InputError.at("--quantile", expected=f"{LEAST_QUANTILE} to {MOST_QUANTILE}", got=loads.quantile)
    if loads.limits_ms[1] is not None and loads.lengths[1] == 1:
        raise InputError.at("--tpot-ms", expected="an --output of at least 2 tokens with it", got=loads.limits_ms[1])


def closed_loops(setup: "Setup", loads: Loads, cap_w: float | None, scale: "Scale | None") -> "list[Prediction]":
    """Return the predictions for users that wait for their answers, or for a full queue."""
    from bench.inference.predict import best_within, plan_run, predict

    ttft_s, tpot_s = loads.limits_s
    if ttft_s is not None or tpot_s is not None:
        return [best_within(setup, *loads.lengths, ttft_limit_s=ttft_s, tpot_limit_s=tpot_s, cap_w=cap_w, scale=scale)]
    if loads.offline:
        return [predict(plan_run(setup, *loads.lengths), cap_w=cap_w, scale=scale)]
    setup.check_lengths(*loads.lengths)
    sizes = batches(loads.batch, most=setup.most_sequences(sum(loads.lengths)))
    for clients in sizes:
        setup.check_batch(clients, *loads.lengths)
    runs = [plan_run(setup, *loads.lengths, clients=clients) for clients in sizes]
    return [predict(run, latency_limit="none (closed loop)", cap_w=cap_w, scale=scale) for run in runs]


def open_loops(setup: "Setup", loads: Loads, cap_w: float | None, scale: "Scale | None") -> "list[OpenLoop]":
    """Return the predictions for requests that arrive at random times."""
    from bench.inference.simulation.largest import Target
    from bench.inference.simulation.open_loop import Traffic, best_open_loop, open_loop, rates_of, traced

    if loads.trace is not None:
        requests, name = _requests(loads.trace, loads.lengths)
        return [traced(setup, requests, name, scale, cap_w)]
    traffic = Traffic(*loads.lengths, loads.burstiness, loads.seed)
    if loads.quantile is not None:
        return [best_open_loop(setup, traffic, Target(loads.quantile, *loads.limits_s), scale, cap_w)]
    rates_per_s = rates_of(loads.rate or "", setup, traffic, scale, cap_w)
    return [open_loop(setup, traffic, rate_per_s, scale, cap_w) for rate_per_s in rates_per_s]


def _requests(path: Path, lengths: tuple[int, int]) -> "tuple[Requests, str]":
    """Return the requests of a trace and its name; those without lengths have the stated ones."""
    import numpy as np

    from bench.endpoint.load.trace import read_trace
    from bench.inference.simulation.serve import Requests, fixed

    trace = read_trace(path)

    def lengths_of(own: tuple[int, ...] | None, length: int, option: str) -> "NDArray[np.int64]":
        if own is not None and is_stated(option):
            name = f"--{option.removesuffix('_len')}"
            raise InputError.at(name, expected="no other lengths than those of the trace", got=f"--arrivals {path}")
        return fixed(len(trace.arrivals), length) if own is None else np.array(own, np.int64)

    arrival_s = np.array([arrival.at_s for arrival in trace.arrivals])
    inputs = lengths_of(trace.input_lengths, lengths[0], "input_len")
    return Requests(arrival_s, inputs, lengths_of(trace.output_lengths, lengths[1], "output_len")), trace.words


def batches(text: str, most: int | None) -> list[int]:
    """Return the batches of `--batch`; `all` are powers of 2 and the largest.

    Raises
    ------
    InputError
        One of them is not a whole number above 0.
    """
    if text == "all":
        top = max(1, most or 64)
        return sorted({*(1 << power for power in range(top.bit_length())), top})
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdigit() and int(part) > 0 for part in parts):
        raise InputError.at("--batch", expected="whole numbers above 0, separated by commas, or all", got=text)
    return [int(part) for part in parts]
