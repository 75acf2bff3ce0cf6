"""The options that every sweep over a lever has, and what they ask for."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench.cli.options import NUMBER, PositiveRange, WholeRange
from bench.measure.optimum.order import ORDERS, Order, walk
from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from bench.levers.protocol import Lever
    from bench.sweep.course import Terms

LONGEST_S = 86_400.0
SETTLE_S = 60.0  # [s] longest wait for a level that takes effect at once
DWELL_S = 5.0  # [s]
RETUNING_SETTLE_S, RETUNING_DWELL_S = 2700.0, 900.0  # [s] of miners: a Whatsminer tunes for 26 minutes
RETUNING_BACK_S = 600.0  # [s] for a miner to restart and show its setting
LOOK_S, RETUNING_LOOK_S = 0.5, 10.0  # [s] some miners cannot be read more often
_SECONDS = PositiveRange(LONGEST_S)

_OPTIONS = (
    click.option("--levels", default="auto", show_default=True,
                 help="Levels to visit, such as 300,400,500W; auto takes up to 8 of the lever's own."),
    click.option("--order", type=click.Choice(ORDERS),
                 help="Order of the visits. [default: random; miners there-and-back]"),
    click.option("--rounds", type=WholeRange(1, 20), default=2, show_default=True,
                 help="Visits to each level; two or more show the scatter from visit to visit."),
    click.option("--dwell-s", type=_SECONDS,
                 help="Wait at a level before it is measured [s]. [default: 5; miners 900]"),
    click.option("--settle-s", type=_SECONDS,
                 help="Longest wait for a level to take effect [s]. [default: 60; miners 2700]"),
    click.option("--hottest-c", type=NUMBER,
                 help="Chips or boards hotter than this end the sweep [°C]. [default: 5 above as found]"),
    click.option("--plot", type=click.Path(path_type=Path), help="File to draw the curve to (.svg or .png)."),
)  # fmt: skip


def sweep_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a sweep; see `Asked`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the options of a sweep ask for."""

    levels: str
    order: Order | None
    rounds: int
    dwell_s: float | None
    settle_s: float | None
    hottest_c: float | None
    plot: Path | None

    def terms(self, *, retunes: bool) -> "Terms":
        """Return times and limits, for a device that tunes itself anew at each level or one that does not."""
        from bench.sweep.course import Terms

        return Terms(
            dwell_s=self.dwell_s or (RETUNING_DWELL_S if retunes else DWELL_S),
            settle_s=self.settle_s or (RETUNING_SETTLE_S if retunes else SETTLE_S),
            back_s=RETUNING_BACK_S if retunes else SETTLE_S,
            look_s=RETUNING_LOOK_S if retunes else LOOK_S,
            hottest_c=self.hottest_c,
        )

    def walk(
        self, lever: "Lever", seed: str, as_found: str | None, *, retunes: bool, beyond: bool = True
    ) -> tuple[str, ...]:
        """Return the levels in the order of their visits.

        Parameters
        ----------
        lever
            What sets the levels.
        seed
            Of a random order.
        as_found
            The present level.
        retunes
            Whether the device tunes itself anew at each level, as miners do: it is swept from the present level down.
        beyond
            Whether a level above the present one is allowed.

        Raises
        ------
        InputError
            As `parse_levels` and `downwards`, or a device that each visit restarts would be restarted too often.
        """
        from bench.sweep.levels import AUTO, MOST, downwards, parse_levels

        levels = parse_levels(self.levels, lever)
        order = self.order or ("there-and-back" if retunes else "random")
        if retunes:
            every = self.levels.strip().casefold() != AUTO
            levels = downwards(levels, as_found, lever, beyond=beyond, every=every)
        visits = tuple(walk(levels, order, self.rounds, seed))
        if lever.writes_flash and len(visits) > MOST:
            expected = f"{MOST} visits or fewer, because each of them restarts the device or writes its memory"
            got = f"{len(visits)} (4 levels there and back are 7, and 7 levels with --rounds 1 are 8)"
            raise InputError.at("--levels", expected=expected, got=got)
        return visits
