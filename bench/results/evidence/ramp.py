"""The part of a record that only a ramp has: the rule of its moments, and what each repetition shows."""

from pydantic import FiniteFloat

from bench.results.part import CountFromOne, Interval, NonNegative, Part


class RampRepetition(Part):
    """One switch off and on again: each figure lies between two bounds, counted from its command."""

    off_s: NonNegative  # [s] from the command to off to the command to on
    off_time_s: Interval
    on_time_s: Interval
    full_power_time_s: Interval
    full_rate_time_s: Interval | None = None
    rate_lag_s: Interval | None = None
    lost_output_s: Interval | None = None
    off_energy_j: Interval
    start_energy_j: Interval | None = None
    peak_w: FiniteFloat


class RampEvidence(Part):
    """How a ramp was measured."""

    lever: str
    level_as_found: str | None = None
    rule_version: CountFromOne
    rule: tuple[str, ...]
    meter_late_s: NonNegative  # [s] age of a reading, at most
    meter_averaging_s: NonNegative  # [s]
    rate_averaging_s: NonNegative  # [s] as stated by the user
    answers: tuple[str, ...] = ()  # of the device to the commands
    repetitions: tuple[RampRepetition, ...] = ()
    simulated: bool = False
