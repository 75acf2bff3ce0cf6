"""The table of what changed since an earlier run of `perwatt yield`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.cli.output import say, short
from bench.cli.table import print_table

if TYPE_CHECKING:
    from sites.changes import Changes


def print_changes(changes: Changes) -> None:
    """Print what changed since a stored run, and which input did it."""
    if changes.changes:
        print_table(
            ["site", "input", "before", "after", "net USD", "BTC/day", "G tok/day"],
            [
                [
                    change.site,
                    change.key,
                    change.before,
                    change.after,
                    _signed(change.net_usd),
                    _signed(change.btc_per_day),
                    _signed(change.tokens_per_day / 1e9),
                ]
                for change in changes.changes
            ],
            title=f"Changes since {changes.run}, one input after the other",
            right=(4, 5, 6),
        )
    else:
        say(f"Changes since {changes.run}: none")
    for word, names in (("added", changes.added), ("removed", changes.removed)):
        if names:
            say(f"sites {word}: {', '.join(names)}")


def _signed(value: float) -> str:
    return f"+{short(value)}" if value > 0 else short(value)
