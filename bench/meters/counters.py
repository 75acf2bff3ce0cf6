"""Cumulative counters made whole: wraps undone by the modulus, resets and doubtful gaps named."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Unwrapper:
    """Turn the readings of one wrapping counter into joules since the first one.

    Attributes
    ----------
    moduli_j
        Energies at which the counter may start again from 0 [J], the likeliest first; empty where it never does.
    max_power_w
        More than the device can draw [W]: a step back that would need more is a reset, not a wrap, and a gap
        in which this power fills the counter may hide a second wrap.
    """

    moduli_j: tuple[float, ...]
    max_power_w: float
    total_j: float = 0.0
    _last: tuple[float, float] | None = field(default=None)

    def add(self, t_s: float, raw_j: float) -> tuple[float, tuple[str, ...]]:
        """Return the joules since the first reading, and the codes of the step that led here.

        After `counter_went_back` the total stands still over the step: what passed in it is unknown.
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
        if self.moduli_j and self.max_power_w * gap_s >= min(self.moduli_j):
            codes = (*codes, "wrap_ambiguous")
        self.total_j += step_j
        return self.total_j, codes
