"""The table and the JSON document of requests that arrive at random times."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from bench.cli.output import plain, say
from bench.cli.run.llm_tables import document, joules, say_basis, watts
from bench.cli.table import print_table

if TYPE_CHECKING:
    from bench.inference.serving import Setup
    from bench.inference.simulation.open_loop import OpenLoop
    from bench.inference.simulation.spread import Spread


def open_document(setup: "Setup", opened: "Sequence[OpenLoop]") -> dict[str, object]:
    """Return modelled rows as one JSON-ready document."""
    whole = document(setup, [one.prediction for one in opened])
    rows = whole["rows"]
    assert isinstance(rows, list)
    for row, one in zip(rows, opened, strict=True):
        row |= {
            "rate_per_s": asdict(one.rate_per_s),
            "capacity_per_s": one.capacity_per_s,
            "concurrent": one.concurrent,
            "ttft": asdict(one.ttft),
            "tpot": None if one.tpot is None else asdict(one.tpot),
            "simulated_requests": one.requests,
            "arrivals": one.arrivals,
            "burstiness": None if one.traffic is None else one.traffic.burstiness,
            "seed": None if one.traffic is None else one.traffic.seed,
        }
    return whole


def print_open(setup: "Setup", opened: "Sequence[OpenLoop]", *, chosen: bool) -> None:
    """Print modelled rows, with the basis of the figures and the error of the simulation."""
    first = opened[0]
    mark = "" if first.prediction.warning is None else "!"
    error = f"± {first.prediction.holdout.error_frac:.0%} {mark}".rstrip()
    lengths = f"{first.prediction.input_len}:{first.prediction.output_len}"
    device = f"{setup.gpus} x {setup.device.title}"
    times = "arrivals of a trace" if first.traffic is None else "random arrivals"
    title = f"{first.prediction.basis.capitalize()}: {setup.shape.title} in {setup.kind.name} on {device}"
    latencies = [f"{name} {figure}" for name in ("TTFT", "TPOT") for figure in ("mean", "q50", "q90", "q99")]
    print_table(
        ["requests/s", "concurrent", "output tok/s", *latencies, "W a GPU", "J/token", "J/token provisioned"],
        [
            (
                plain(one.rate_per_s.value),
                plain(one.concurrent),
                plain(one.prediction.tokens_per_s),
                *_in_ms(one.ttft, mark),
                *_in_ms(one.tpot, mark),
                watts(one.prediction),
                joules(one.prediction),
                plain(one.prediction.joules_per_token),
            )
            for one in opened
        ],
        title=f"{title}, {lengths}, {times}, latencies in ms",
        right=range(14),
    )
    limit = None if first.prediction.tags is None else first.prediction.tags.latency_limit
    if first.rate_per_s.low < first.rate_per_s.high:
        say(
            f"Largest rate with {limit}: {plain(first.rate_per_s.value)} {error} requests/s (95 % interval of the "
            f"simulation: {plain(first.rate_per_s.low)} to {plain(first.rate_per_s.high)})."
        )
    if first.capacity_per_s is None:
        say(f"Times of arrival: {first.arrivals}; the lengths are means, and every request is counted.")
    else:
        say(
            f"The server keeps up with {plain(first.capacity_per_s)} {error} requests/s. Times of arrival: "
            f"{first.arrivals}; {first.requests:,} requests are counted a row. 95 % interval of the simulation for the "
            f"last row's TTFT q99: {plain(opened[-1].ttft.q99_s.low * 1e3)} to "
            f"{plain(opened[-1].ttft.q99_s.high * 1e3)} ms."
        )
    say_basis(setup, first.prediction, chosen=chosen)


def _in_ms(spread: "Spread | None", mark: str) -> list[str]:
    if spread is None:
        return ["-"] * 4
    return [f"{_three(one.value * 1e3)}{mark}" for one in (spread.mean_s, spread.q50_s, spread.q90_s, spread.q99_s)]


def _three(value: float) -> str:
    """Return a number with three digits that count."""
    return f"{value:.0f}" if value >= 1000.0 else f"{value:#.3g}".rstrip(".")
