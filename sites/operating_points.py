"""The operating curve of a device: its points, those of a server that keep a latency limit, and the best of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hardware_profiles.errors import InputError
from sites.modes import PointStep, margins

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sites.market.device_rate import DeviceRate, TokenTags

CURVE_PREFIX = "curve:"  # of the name of a measured operating curve
SWEEP_PREFIX = "sweep:"  # the older name of one whose points are loads of a server
CURVE_PREFIXES = (CURVE_PREFIX, SWEEP_PREFIX)
CAPS_MARK = "@caps"  # at the end of a modelled rate's name: the curve of its power limits
RATE_MARK = "/s"  # at the end of its load: the curve of requests that arrive at random times
MODELLED_PREFIX = "llm:"
LATENCIES = ("ttft_q50", "ttft_q90", "ttft_q99", "tpot_q50", "tpot_q90", "tpot_q99")
"""Quantiles of the time to the first token and of the time per further token that a limit can be stated for."""
MIXED = "a mix of other points makes as many tokens with less power"


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """A load of a server, or a level of a lever under one load, with its figures."""

    load: str  # in words: "8 at a time", "500 W a GPU", or the name of a level
    rate: DeviceRate  # with its power and its tags
    latency_s: Mapping[str, float]  # [s] by the names in LATENCIES; without those that too few requests allow
    energy_interval_j_per_token: tuple[float, float] | None = None  # [J/token] 95 % interval


@dataclass(frozen=True, slots=True)
class OperatingCurve:
    """The points of one device, as they were measured or modelled."""

    name: str  # that a site file states
    points: tuple[OperatingPoint, ...]  # by rising load
    invalid: tuple[str, ...] = ()  # other loads, each with the reason why it is no point
    doubts: tuple[str, ...] = ()  # what lessens the whole curve

    def __post_init__(self) -> None:
        """Raise InputError for a curve without points, or whose points differ in a tag or lack their tags."""
        if not self.points:
            raise InputError.at(self.name, expected="a valid point", got="; ".join(self.invalid) or "none")
        first = self.points[0]
        for point in self.points:
            if _shared(point.rate.tags) != _shared(first.rate.tags):
                raise InputError.at(
                    self.name,
                    expected="points with the same boundary, power, token basis and lengths",
                    got=f"{_words(first)}; {_words(point)}",
                )


@dataclass(frozen=True, slots=True)
class ServingCurve:
    """The points of a curve that a block of a site uses, and why it does not use the others."""

    steps: tuple[PointStep, ...]  # from the most efficient point to that of the highest rate
    points: tuple[tuple[OperatingPoint, str], ...]  # each with the reason why it is not used, or an empty text
    invalid: tuple[str, ...]  # loads without figures
    doubts: tuple[str, ...]  # what lessens the whole curve

    @property
    def used(self) -> tuple[OperatingPoint, ...]:
        """The points that are used, as many as `steps` and in their order."""
        return tuple(point for point, why in self.points if not why)

    @property
    def left_out(self) -> tuple[str, ...]:
        """The loads that are not used, each with the reason."""
        return (*(f"{point.load}: {why}" for point, why in self.points if why), *self.invalid)


def serving_curve(
    curve: OperatingCurve, limits_s: Mapping[str, float], idle_frac: float
) -> tuple[DeviceRate, ServingCurve]:
    """Return the rate at full load under a latency limit, and the efficient points up to it.

    Parameters
    ----------
    curve
        The measured points.
    limits_s
        The longest latencies [s] by the names in LATENCIES; empty for offline work.
    idle_frac
        Power without work over the power at full load.

    Raises
    ------
    InputError
        No point keeps the limit, or one has no more power than a server without work.
    """
    late = {point.load: _over(point, limits_s) for point in curve.points}
    allowed = [point for point in curve.points if not late[point.load]]
    if not allowed:
        raise InputError.at(
            curve.name, "latency_limit", expected="a limit that a point keeps",
            got=f"{limit_words(limits_s)}: {'; '.join(f'{load}: {why}' for load, why in late.items())}",
        )  # fmt: skip
    full = max(allowed, key=lambda point: point.rate.rate_per_s).rate
    full_w = full.power_w or 0.0
    modes = [replace(point.rate, name=point.load) for point in allowed]
    steps = margins(modes, idle_frac * full_w)
    efficient = [step.name for step in steps]
    used = {point.load: point for point in allowed if point.load in efficient}
    tags = None if full.tags is None else replace(full.tags, latency_limit=limit_words(limits_s))
    codes = dict.fromkeys(code for point in used.values() for code in point.rate.codes)
    rate = replace(full, name=curve.name, tags=tags, codes=tuple(codes))
    ordered = [*(used[name] for name in efficient), *(point for point in curve.points if point.load not in used)]
    return rate, ServingCurve(
        tuple(PointStep(step.name, step.power_w / full_w, step.rate_per_s / full.rate_per_s) for step in steps),
        tuple((point, "" if point.load in used else late[point.load] or MIXED) for point in ordered),
        curve.invalid,
        curve.doubts,
    )


def limit_words(limits_s: Mapping[str, float]) -> str:
    """Return a latency limit as a tag states it: ttft q90 <= 500 ms, tpot q90 <= 40 ms."""
    stated = [f"{name.replace('_', ' ')} <= {limit_s * 1e3:g} ms" for name, limit_s in limits_s.items()]
    return ", ".join(stated) or "none (offline)"


def _over(point: OperatingPoint, limits_s: Mapping[str, float]) -> str:
    """Return which limit a point does not keep, or an empty text."""
    for name, limit_s in limits_s.items():
        value = point.latency_s.get(name)
        words = name.replace("_", " ")
        if value is None:
            return f"{words} is unknown, because too few requests were measured"
        if value > limit_s:
            return f"{words} is {value * 1e3:.4g} ms, above {limit_s * 1e3:g} ms"
    return ""


def _shared(tags: TokenTags | None) -> TokenTags | None:
    return None if tags is None else replace(tags, latency_limit="shared")


def _words(point: OperatingPoint) -> str:
    tags = point.rate.tags
    if tags is None:
        return f"{point.load} without tags"
    return f"{point.load}: {tags.boundary} power {tags.power_kind}, {tags.token_basis} tokens, {tags.lengths}"
