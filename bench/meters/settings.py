"""The settings after the comma of a meter's spec (accuracy, tier, boundary, period), read and checked."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from bench import limits
from bench.meters.protocol import MeterInfo, MeterKind, MeterOptions, Tier
from hardware_profiles.errors import InputError, near_names
from hardware_profiles.provenance import BOUNDARIES, Boundary

COMMON = ("accuracy", "tier", "boundary", "period", "source")


@dataclass(frozen=True, slots=True)
class Stated:
    """The settings that a user stated for a meter."""

    accuracy_frac: float | None  # [-] relative
    accuracy_source: str
    tier: Tier
    boundary: Boundary
    period_s: float  # [s] update period

    def power_meter(self, name: str, *, domain: str, scope: str) -> MeterInfo:
        """Return the description of a power meter with these settings."""
        return MeterInfo(
            name=name,
            kind=MeterKind.POWER,
            boundary=self.boundary,
            tier=self.tier,
            accuracy_frac=self.accuracy_frac,
            accuracy_source=self.accuracy_source,
            period_s=self.period_s,
            averaging_s=self.period_s,
            poll_s=self.period_s,
            domains=(domain,),
            scope=scope,
        )


def read_stated(  # noqa: PLR0913 (the defaults of one meter)
    spec: str,
    settings: Mapping[str, str],
    options: MeterOptions,
    *,
    boundary: Boundary,
    period_s: float = 1.0,
    more: Iterable[str] = (),
) -> Stated:
    """Return the common settings of a spec.

    A wall meter is of tier B if its accuracy is stated (`accuracy=0.01` or `accuracy=1%`), else of tier C; tier A is
    claimed with `tier=A` and needs the accuracy of its calibration.

    Parameters
    ----------
    spec
        The meter's spec, for messages.
    settings
        Its settings by key.
    options
        Options of all meters.
    boundary
        Boundary if the settings state none.
    period_s
        Update period if neither settings nor options state one [s].
    more
        Keys of this kind of meter alone, which are not read here.

    Raises
    ------
    InputError
        A setting is unknown, a number is invalid, the period is too long, or tier A or B has no accuracy.
    """
    place = f"--meter {spec}"
    known = (*COMMON, *more)
    for key in settings:
        if key not in known:
            raise InputError.at(
                place, key, expected=f"one of {', '.join(known)}", got="an unknown setting", near=near_names(key, known)
            )
    accuracy = settings.get("accuracy")
    accuracy_frac = None if accuracy is None else _fraction(place, accuracy)
    tier = settings.get("tier", "B" if accuracy_frac is not None else "C").upper()
    if tier not in {"A", "B", "C", "D"}:
        raise InputError.at(place, "tier", expected="A, B, C or D", got=tier)
    if tier in {"A", "B"} and accuracy_frac is None:
        raise InputError.at(place, "accuracy", expected=f"the stated accuracy of a tier {tier} meter (accuracy=0.01)")
    stated_boundary = settings.get("boundary", boundary)
    if stated_boundary not in BOUNDARIES:
        raise InputError.at(place, "boundary", expected=f"one of {', '.join(BOUNDARIES)}", got=stated_boundary)
    period = settings.get("period")
    if options.period_s is not None:
        _update_period("--meter-period-s", None, str(options.period_s))
    if not math.isfinite(options.clock_offset_s):
        raise InputError.at("--clock-offset-s", expected="a finite number of seconds", got=options.clock_offset_s)
    chosen_s = options.period_s or period_s if period is None else _update_period(place, "period", period)
    source = settings.get("source", "stated in --meter") if accuracy_frac is not None else "none stated"
    return Stated(accuracy_frac, source, Tier(tier), cast("Boundary", stated_boundary), chosen_s)


def _update_period(place: str, key: str | None, text: str) -> float:
    """Return an update period [s]; a longer one than the limit gives no energy and makes a run of hours."""
    period_s = positive(place, key, text)
    if period_s > limits.SLOWEST_PERIOD_S:
        expected = f"at most {limits.SLOWEST_PERIOD_S:g} s, because a slower meter gives no energy"
        raise InputError.at(place, key, expected=expected, got=period_s)
    return period_s


def positive(place: str, key: str | None, text: str) -> float:
    """Return the number of a text.

    Raises
    ------
    InputError
        It is not a number above 0.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0.0):
        raise InputError.at(place, key, expected="a number above 0", got=text)
    return value


def _fraction(place: str, text: str) -> float:
    value = positive(place, "accuracy", text.removesuffix("%"))
    fraction = value / 100.0 if text.endswith("%") else value
    if fraction >= 0.5:
        raise InputError.at(place, "accuracy", expected="a fraction below 0.5, or a percentage such as 1%", got=text)
    return fraction
