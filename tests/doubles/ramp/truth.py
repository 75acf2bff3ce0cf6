"""The true figures of the ramps that a simulated unit made, from its closed forms."""

from bench.ramp.rule import Rule
from bench.ramp.summary import Figure
from doubles.ramp.bench import Bench

STEP_S = 0.05


def true_figures(bench: Bench, course, known: dict[str, Figure], rule: Rule) -> dict[str, float]:
    """Return the means over the repetitions that the unit still remembers; none if it remembers none."""
    remembered = [switch for switch in course.switches if bench.now_s - switch.off_s < 880.0]
    each = [_of(bench, switch, known, rule) for switch in remembered]
    return {name: sum(one[name] for one in each) / len(each) for name in each[0]} if each else {}


def _of(bench: Bench, switch, known: dict[str, Figure], rule: Rule) -> dict[str, float]:
    unit, kind = bench.unit, bench.unit.kind
    step_w = kind.full_w - kind.asleep_w
    up = [at * STEP_S for at in range(int((switch.end_s - switch.on_s) / STEP_S))]
    down = [at * STEP_S for at in range(int((switch.on_s - switch.off_s) / STEP_S))]
    power = [unit.power_w(switch.on_s + t) for t in up]
    rate = [unit.rate_per_s(switch.on_s + t) for t in up]
    fall = [unit.power_w(switch.off_s + t) for t in down]
    ended_s = max(known["full_power_time"].interval[1], known["full_rate_time"].interval[1]) + bench.late.back_s
    over = min(len(up), int(ended_s / STEP_S))
    lost_s = sum(1.0 - one / kind.full_rate_per_s for one in rate[:over]) * STEP_S
    missing_j = sum(kind.full_w - one for one in power[:over]) * STEP_S
    return {
        "off_time": _last(down, [one >= kind.asleep_w + rule.off_frac * step_w for one in fall]),
        "on_time": next(t for t, one in zip(up, power, strict=True) if one >= kind.asleep_w + rule.on_frac * step_w),
        "full_power_time": _last(up, [abs(one - kind.full_w) >= rule.full_frac * step_w for one in power]),
        "full_rate_time": _last(up, [one < (1.0 - rule.rate_frac) * kind.full_rate_per_s for one in rate]),
        "off_energy": sum(one - kind.asleep_w for one in fall) * STEP_S,
        "lost_output_time": lost_s,
        "start_energy": kind.full_w * lost_s - missing_j,
    }


def _last(times: list[float], outside: list[bool]) -> float:
    return max(t for t, is_outside in zip(times, outside, strict=True) if is_outside) + STEP_S
