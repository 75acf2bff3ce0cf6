"""Kinds of simulated units: what they draw, compute and need to change; invented figures in the usual ranges.

A kind draws a power from `least_w` to `full_w` while it works. Its energy per hash or token has one minimum, at
`best_w`, so that a sweep has a known answer.
"""

from dataclasses import dataclass, replace
from random import Random


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of unit."""

    name: str
    protocol: str  # name of the server that speaks for it
    full_w: float  # [W] at its highest level
    least_w: float  # [W] lowest power at which it works
    best_w: float  # [W] where its energy per hash or token is the least
    full_rate_per_s: float  # [hash/s] or [token/s] at full_w
    asleep_w: float = 30.0  # [W]
    boot_w: float = 200.0  # [W] on, and not yet working
    inrush_w: float = 1000.0  # [W] above boot_w at the moment in which its supply goes on
    curvature: float = 0.6  # [-] how much worse the energy per hash is away from its best power
    down_s: float = 20.0  # [s] from work to sleep
    boot_s: float = 60.0  # [s] from sleep to the first hash
    up_s: float = 240.0  # [s] from the first hash to full power
    tuning_s: float = 300.0  # [s] of plateaus around the full power
    tuning_frac: float = 0.02  # [-] by which the plateaus differ
    overshoot_frac: float = 0.0  # [-] above the level at the end of a fast ramp
    stairs: int = 0  # steps of the ramp; 0 is a first-order lag

    @property
    def highest_w(self) -> float:
        """The highest power that the unit draws at its full level [W]."""
        return self.full_w * (1.0 + max(self.overshoot_frac, self.tuning_frac))

    @property
    def wake_s(self) -> float:
        """Time from the command to full rate [s]."""
        return self.boot_s + self.up_s + self.tuning_s

    def rate_per_s(self, power_w: float) -> float:
        """Return the rate at a steady power [hash/s] or [token/s]; 0 below the least power."""
        if power_w < 0.5 * self.least_w:
            return 0.0
        return self.full_rate_per_s * power_w / self.full_w * self._excess(self.full_w) / self._excess(power_w)

    def _excess(self, power_w: float) -> float:
        """Return the energy per hash as a multiple of the least."""
        return 1.0 + self.curvature * ((power_w - self.best_w) / self.full_w) ** 2


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("luxos-s19", "luxos", 3250.0, 1800.0, 2300.0, 110e12, boot_s=30.0, up_s=90.0, overshoot_frac=0.03),
        Kind("antminer-s21", "antminer", 3500.0, 2400.0, 2900.0, 200e12, boot_s=90.0, up_s=300.0, tuning_s=420.0),
        Kind("braiins-s19", "braiins", 3400.0, 1500.0, 2100.0, 118e12, boot_s=40.0, up_s=400.0, stairs=8),
        Kind("whatsminer-m60", "whatsminer", 3420.0, 2200.0, 2800.0, 170e12, up_s=600.0, tuning_s=600.0, stairs=12),
        Kind("avalon-a15", "avalon", 3700.0, 2600.0, 3000.0, 194e12, boot_s=75.0, up_s=200.0),
        Kind(
            "axeos-gamma", "axeos", 22.0, 12.0, 15.0, 1.2e12, asleep_w=2.0, boot_w=5.0, inrush_w=2.0, down_s=2.0,
            boot_s=8.0, up_s=20.0, tuning_s=60.0,
        ),
        Kind(
            "gpu-server", "vllm", 5600.0, 1800.0, 3900.0, 24_000.0, asleep_w=900.0, boot_w=1100.0, inrush_w=0.0,
            down_s=2.0, boot_s=4.0, up_s=4.0, tuning_s=0.0, tuning_frac=0.0,
        ),
    )
}  # fmt: skip
"""The kinds by name."""


def seeded(kind: Kind, random: Random) -> Kind:
    """Return one unit of a kind: a little less than the nameplate in power, other efficiency, other ramps."""
    power_frac, slow = random.uniform(0.96, 1.0), random.uniform(0.8, 1.25)
    return replace(
        kind,
        full_w=kind.full_w * power_frac,
        best_w=kind.best_w * power_frac,
        full_rate_per_s=kind.full_rate_per_s * power_frac * random.uniform(0.92, 1.05),
        boot_s=kind.boot_s * slow,
        up_s=kind.up_s * slow,
        tuning_s=kind.tuning_s * slow,
    )
