"""The settings behind the comma of a meter's spec: accuracy, tier, boundary, period; checked once, here."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bench.meters.protocol import MeterInfo, MeterKind, MeterOptions, Tier
from hardware_profiles.errors import InputError, near_names
from hardware_profiles.words import BOUNDARIES, Boundary

COMMON = ("accuracy", "tier", "boundary", "period", "source")


@dataclass(frozen=True, slots=True)
class Stated:
    """What a person stated of a meter: relative accuracy [-], its source, tier, boundary, period [s]."""

    accuracy_frac: float | None
    accuracy_source: str
    tier: Tier
    boundary: Boundary
    period_s: float

    def power_meter(self, name: str, *, domain: str, scope: str) -> MeterInfo:
        """Return what stands beside the figures of a power meter of which this was stated."""
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

    A wall meter counts as tier B where its accuracy is stated (`accuracy=0.01` or `accuracy=1%`), and as tier C
    where it is not; tier A is claimed with `tier=A` and needs the accuracy of its calibration.

    Raises
    ------
    InputError
        An unknown setting, a number that is not one, tier A or B without an accuracy.
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
    where = settings.get("boundary", boundary)
    if where not in BOUNDARIES:
        raise InputError.at(place, "boundary", expected=f"one of {', '.join(BOUNDARIES)}", got=where)
    period = settings.get("period")
    if options.period_s is not None:
        positive("--meter-period-s", "period", str(options.period_s))
    if not math.isfinite(options.clock_offset_s):
        raise InputError.at("--clock-offset-s", expected="a finite number of seconds", got=options.clock_offset_s)
    chosen_s = options.period_s or period_s if period is None else positive(place, "period", period)
    said = settings.get("source", "stated in --meter") if accuracy_frac is not None else "none stated"
    return Stated(accuracy_frac, said, Tier(tier), where, chosen_s)  # type: ignore[arg-type]


def positive(place: str, key: str, text: str) -> float:
    """Return a number above 0.

    Raises
    ------
    InputError
        It is not one.
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
        raise InputError.at(place, "accuracy", expected="a fraction below 0.5, or per cent as 1%", got=text)
    return fraction
