"""The lines of `perwatt yield` and the main job that say what each block's revenue rests on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bench.cli.output import plain, say
from sites.perspective.blocks import sentences

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sites.perspective.blocks import BlockPerspective


def print_perspective(items: Sequence[BlockPerspective]) -> None:
    """Print what each block's revenue rests on, and when converting miners to GPUs pays."""
    today = datetime.now(UTC).date()
    for item in items:
        say(f"{item.year.name}:")
        for sentence in sentences(item, today):
            say(f"  {sentence}")
    miners = [item for item in items if item.mining is not None and item.year.facility_mwh > 0]
    gpus = [item for item in items if item.inference is not None and item.after_capital_usd_per_mwh is not None]
    if miners and gpus:
        block = miners[0].year
        margin = (block.revenue_usd - block.energy_usd) / block.facility_mwh
        after = gpus[0].after_capital_usd_per_mwh or 0.0
        say(
            f"Miners that are paid for earn {plain(margin)} USD/MWh after energy: converting their power pays only if "
            f"GPUs earn more after capital; here {plain(after)}."
        )
