"""The requests of a run, window by window: which ended well, how long they took, and what else was counted."""

import statistics
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bench import limits
from bench.endpoint.figures.latency import quantile
from bench.endpoint.load.messages import Request
from bench.measure import stats
from bench.results.record import Metric

Spans = Sequence[tuple[float, float]]
LEVELS = {"q50": 0.5, "q90": 0.9, "q99": 0.99}
LATENCIES: dict[str, Callable[[Request], float | None]] = {
    "ttft": lambda request: request.ttft_s,
    "answer": lambda request: request.answer_s,
    "tpot": lambda request: request.tpot_s,
    "e2e": lambda request: request.e2e_s,
}
_S = 1e-9


@dataclass(frozen=True, slots=True)
class Limits:
    """The latencies that a good request keeps [s]; None is no limit."""

    ttft_s: float | None = None
    tpot_s: float | None = None

    def keeps(self, request: Request) -> bool:
        """Return whether a request ended well within the limits."""
        if self.ttft_s is not None and (request.ttft_s is None or request.ttft_s > self.ttft_s):
            return False
        return self.tpot_s is None or request.tpot_s is None or request.tpot_s <= self.tpot_s


@dataclass(frozen=True, slots=True)
class Window:
    """The requests of one window."""

    duration_s: float
    ended: tuple[Request, ...]  # their last byte came in the window
    begun: tuple[Request, ...]  # their first text came in the window: the server has read their prompts


@dataclass(frozen=True, slots=True)
class Requests:
    """The requests of all windows."""

    windows: tuple[Window, ...]
    limits: Limits = field(default_factory=Limits)
    free_length: bool = False  # whether the model may end by itself

    @property
    def outcomes(self) -> dict[str, int]:
        """Number of requests by outcome."""
        return dict(Counter(request.outcome for window in self.windows for request in window.ended))

    def good(self, window: Window) -> list[Request]:
        """Return the requests of a window that have latencies: those with the requested, or with their own, length."""
        wanted = ("ok", "short") if self.free_length else ("ok",)
        return [request for request in window.ended if request.outcome in wanted]

    def other_work(self) -> dict[str, list[float]]:
        """Return what was counted besides output tokens, by its unit, one figure a window."""
        within = [[r for r in self.good(window) if self.limits.keeps(r)] for window in self.windows]
        counted = {
            "input_token": [float(sum(r.prompt_tokens or 0 for r in window.begun)) for window in self.windows],
            "request": [float(len(self.good(window))) for window in self.windows],
        }
        if self.limits != Limits():
            counted["good_request"] = [float(len(requests)) for requests in within]
        return counted

    def latencies(self) -> dict[str, Metric]:
        """Return the quantiles of each latency that enough requests allow.

        A quantile that every window allows by itself has the interval of the windows' mean (Student's t): requests of
        one moment share their delays, so that single requests would promise too much. Every stamp may be late by
        STAMP_S in all windows alike, which widens the interval; a time per token has that share of it.
        """
        figures = {}
        for name, latency_of in LATENCIES.items():
            per_window = [[x for r in self.good(w) if (x := latency_of(r)) is not None] for w in self.windows]
            pooled = [value for values in per_window for value in values]
            late_s = limits.STAMP_S / (self._mean_tokens() if name == "tpot" else 1.0)
            for label, level in LEVELS.items():
                value = quantile(pooled, level)
                if value is not None and value > 0.0:
                    figures[f"{name}_{label}"] = Metric(
                        value=value,
                        unit="s",
                        basis="measured",
                        n=len(pooled),
                        interval_95=_interval(per_window, level, late_s),
                    )
        return figures

    def _mean_tokens(self) -> float:
        """Return the mean output tokens of the requests with latencies, at least 1."""
        return max(1.0, statistics.fmean([r.output_tokens for w in self.windows for r in self.good(w)] or [1.0]))


def split(
    requests: Sequence[Request], spans: Spans, limits: Limits | None = None, *, free_length: bool = False
) -> Requests:
    """Return the requests by the windows in which they began and ended.

    Parameters
    ----------
    requests
        All requests of the load.
    spans
        Start and end of each window [s, monotonic].
    limits
        The latencies of a good request.
    free_length
        Whether the model may end before the requested length.
    """
    windows = []
    for start_s, end_s in spans:
        ended = tuple(r for r in requests if not r.unfinished and start_s <= r.end_ns * _S < end_s)
        begun = tuple(r for r in requests if r.ttft_s is not None and start_s <= r.start_ns * _S + r.ttft_s < end_s)
        windows.append(Window(end_s - start_s, ended, begun))
    return Requests(tuple(windows), limits or Limits(), free_length)


def _interval(per_window: Sequence[Sequence[float]], level: float, late_s: float) -> tuple[float, float] | None:
    values = [quantile(values, level) for values in per_window]
    stated = [value for value in values if value is not None]
    if len(stated) < len(values) or len(stated) < 2:
        return None
    interval = stats.estimate(stated).interval
    return None if interval is None else (max(0.0, interval[0] - late_s), interval[1] + late_s)


def shares(outcomes: Mapping[str, int]) -> dict[str, float]:
    """Return the share of each outcome [-]."""
    total = sum(outcomes.values())
    return {name: count / total for name, count in outcomes.items()} if total else {}
