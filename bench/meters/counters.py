"""Unwrapping of cumulative counters: overflows are corrected, resets and doubtful gaps get a reason code."""

from dataclasses import dataclass, field

SLACK_S = 1.0  # [s] a counter may add at once what it did not show for this long
JUMP_FACTOR = 10.0  # times `max_power_w`: a step that needs more is no energy of any machine


@dataclass(slots=True)
class Unwrapper:
    """The joules since the first reading of one counter that may overflow."""

    moduli_j: tuple[float, ...]  # [J] energies at which the counter may restart from 0, the likeliest first
    # [W] more than the device can draw: a step that would need far more power is no energy, a step back that would
    # need more is a reset and no overflow, and a gap in which this power fills the counter may hide a second overflow
    max_power_w: float
    total_j: float = 0.0  # [J]
    _last: tuple[float, float] | None = field(default=None)  # time [s, monotonic] and raw reading [J]

    def add(self, t_s: float, raw_j: float) -> tuple[float, tuple[str, ...]]:
        """Return the joules since the first reading, and the codes of the step since the last one.

        After `counter_went_back` and `counter_jumped` the total does not change, because the energy of that step is
        unknown.
        """
        last, self._last = self._last, (t_s, raw_j)
        if last is None:
            return self.total_j, ()
        gap_s = t_s - last[0]
        step_j = raw_j - last[1]
        codes: tuple[str, ...] = ()
        if step_j < 0.0:
            wrapped = [m + step_j for m in self.moduli_j if 0.0 <= m + step_j <= self.max_power_w * gap_s]
            if not wrapped:
                return self.total_j, ("counter_went_back",)
            step_j, codes = wrapped[0], ("counter_wrapped",)
        elif step_j > JUMP_FACTOR * self.max_power_w * (gap_s + SLACK_S):
            return self.total_j, ("counter_jumped",)
        if self.moduli_j and self.max_power_w * gap_s >= min(self.moduli_j):
            codes = (*codes, "wrap_ambiguous")
        self.total_j += step_j
        return self.total_j, codes
