"""What control promises of a day, judged by the truth of the twin and never by what a device says.

When a device shows figures that stand still, or a person or a reboot switches it on, nobody can keep the limit of the
feeder. What is promised then: the power is above the limit by no more than these units draw. No other lie is an excuse.
"""

import math
from bisect import bisect_left

from doubles.twin.days import on_since
from sites.control.model import OFF, ON

_ROUNDING_W = 1.0


def broken(day, trace):
    """Return every promise that a day breaks, in words."""
    return [
        *_feeder(day, trace),
        *_reported(day, trace),
        *_waves(day, trace),
        *_ramp(day, trace),
        *_least_times(day, trace),
        *_hours(day, trace),
        *_ownership(day, trace),
        *_maximum(day, trace),
        *_halts(trace),
        *_restored(day, trace),
    ]


def _suspects(day, trace, at_s, window_s):
    """Return the units whose power nobody can know: they lied, or somebody else switched them on."""
    for unit in day.units:
        times = trace.telemetry.get(unit.name, [])
        first = bisect_left(times, at_s - window_s)
        lied = first < len(times) and times[first] <= at_s + 2.0 * day.tick_s
        if lied or on_since(unit, day.start_s):
            yield unit.name


def _feeder(day, trace):
    """From the first moment below the limit on it holds, without the power of what lies or somebody switched on."""
    below = False
    for at_s, power_w, possible_w, units_w in trace.highest:
        below = below or possible_w <= day.limits.feeder_w
        if not below or power_w <= day.limits.feeder_w + _ROUNDING_W:
            continue
        suspects = set(_suspects(day, trace, at_s, day.lost_telemetry_s + 2.0 * day.tick_s))
        rest_w = day.feeder.at_feeder_w(sum(one_w for name, one_w in units_w.items() if name not in suspects))
        if not suspects or rest_w > day.limits.feeder_w:
            yield f"feeder: {power_w - day.limits.feeder_w:.0f} W above the limit at {at_s - day.start_s:.0f} s"
            return


def _reported(day, trace):
    """A feeder that stays above its limit is reported, or control is halted, as soon as its meter shows it."""
    ticks = math.ceil((day.meter.lag_s + day.meter.period_s) / (0.9 * day.tick_s)) + 2
    above = 0
    for metered, power_w, halted, codes in trace.reports:
        said = halted or "above_feeder" in codes
        above = above + 1 if metered and not said and power_w > 1.02 * day.limits.feeder_w else 0
        if above >= ticks:
            yield f"report: above the limit of the feeder for {above} ticks, and nobody says so"
            return


def _waves(day, trace):
    most = min(day.limits.units_per_wave, int(day.limits.fleet_frac * len(day.units) + 1e-9))
    times = [one.at_s for one in trace.sent]
    for index, at_s in enumerate(times):
        count = bisect_left(times, at_s + day.limits.wave_interval_s) - index
        if count > most:
            yield f"wave: {count} commands within {day.limits.wave_interval_s:g} s, allowed are {most}"
            return


def _ramp(day, trace):
    """Rises and falls by the truth: between what a unit drew at the command and what it was sent to."""
    kinds = {unit.name: unit for unit in day.units}
    changes = []
    for one in trace.sent:
        kind = kinds[one.unit].kind
        target_w = kind.asleep_w if one.level == OFF else kind.full_w if one.level == ON else float(one.level[:-1])
        changes.append((one.at_s, target_w - one.true_w, one.unit))
    for index, (at_s, _, _) in enumerate(changes):
        window = [row for row in changes[index:] if row[0] - at_s < 60.0]
        for sign, word in ((1.0, "up"), (-1.0, "down")):
            total_w = sum(max(0.0, sign * change_w) for _, change_w, _ in window)
            if total_w <= day.limits.ramp_w_per_min + _ROUNDING_W:
                continue
            names = set(_suspects(day, trace, at_s, 7200.0))
            if not names & {name for _, _, name in window} and not _unsure(day):
                yield f"ramp: {total_w:.0f} W {word} within a minute, allowed are {day.limits.ramp_w_per_min:.0f}"
                return


def _unsure(day):
    """Whether units may have stopped by themselves, so that a command to go down starts them."""
    return day.lies.hangs > 0.0 or day.lies.never_wakes > 0.0 or day.lies.reboots > 0.0 or day.lies.persons > 0.0


def _least_times(day, trace):
    last = {}
    for one in trace.sent:
        off = one.level == OFF
        before = last.get((one.unit, not off))
        least_s = day.limits.min_on_s if off else day.limits.min_off_s
        if before is not None and one.at_s - before < least_s:
            yield f"least times: {one.unit} to {one.level} after {one.at_s - before:.0f} s, allowed from {least_s:g} s"
            return
        last[one.unit, off] = one.at_s


def _hours(day, trace):
    for unit in day.units:
        times = [one.at_s for one in trace.sent if one.unit == unit.name]
        for index, at_s in enumerate(times):
            if bisect_left(times, at_s + 3600.0) - index > day.limits.commands_per_hour:
                yield f"hour: too many commands to {unit.name}"
                return


def _ownership(day, trace):
    for one in trace.sent:
        if one.unit not in day.permit.units:
            yield f"ownership: {one.unit} was commanded"
            return
        if day.as_found[one.unit] == OFF and one.level != OFF:
            yield f"as found: {one.unit} was off and was started"
            return


def _maximum(day, trace):
    """What our commands moved from what was found, by the declared powers, never exceeds what the arm file allows."""
    kinds = {unit.name: unit for unit in day.units}
    moved = {}
    for one in trace.sent:
        if kinds[one.unit].by_hand:  # what a person or a reboot did is not moved by us
            continue
        terms, found = day.terms[one.unit], day.as_found[one.unit]
        moved[one.unit] = abs(terms.power_w(one.level) - terms.power_w(found))
        if sum(moved.values()) > day.permit.maximum_w + _ROUNDING_W:
            yield f"maximum: {sum(moved.values()):.0f} W moved, allowed are {day.permit.maximum_w:.0f}"
            return


def _halts(trace):
    for row in trace.ticks:
        if row[-1].halted and row[-1].commands:
            yield "halt: commands were sent in it"
            return


def _restored(day, trace):
    """What ran before runs after, or is listed with a reason; only for units that were commanded."""
    if trace.final.halt is not None:
        return
    listed = {refused.code for row in trace.ticks[-3:] for refused in row[-1].refused}
    for unit in day.units:
        known = trace.final.units.get(unit.name)
        if known is None or day.as_found[unit.name] == OFF or not any(one.unit == unit.name for one in trace.sent):
            continue
        awake = unit.level_w(trace.end_s) == unit.kind.full_w
        reason = known.released or known.state in {"unknown", "fault"} or known.command is not None
        lied = unit.name in set(_suspects(day, trace, trace.end_s, trace.end_s - day.restore_s))
        off_by_hand = any(not on for _, on in unit.by_hand)
        if not (awake or reason or lied or off_by_hand or (known.touched and listed)):
            yield f"restore: {unit.name} does not run and no reason is listed"
            return
