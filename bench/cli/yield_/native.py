"""`perwatt yield --native`: the dispatch at the resolution of the prices, and what their hourly means leave out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.cli.output import plain, say
from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sites.dispatch.year import SiteYear
    from sites.file.inputs import Inputs
    from sites.native import NativeGap

HOURLY_ONLY = ("out", "plan", "plots", "since", "scenarios")


def check_native(options: Mapping[str, Any], *, native: bool) -> None:
    """Raise InputError if a native dispatch has an option of `options` that takes only hourly years."""
    used = [f"--{name}" for name in HOURLY_ONLY if options.get(name) is not None]
    if native and used:
        raise InputError(f"--native: expected no {', '.join(used)} with it, which takes hourly years, got both")


def native_gaps(inputs: Sequence[Inputs], years: Sequence[SiteYear]) -> dict[str, NativeGap]:
    """Return the gap of each site whose prices are finer than an hour, by its name."""
    from sites.native import native_gap

    gaps = {year.site.name: native_gap(own, year) for own, year in zip(inputs, years, strict=True)}
    return {name: gap for name, gap in gaps.items() if gap is not None}


def print_native_gaps(gaps: Mapping[str, NativeGap], years: Sequence[SiteYear]) -> None:
    """Print by how much hourly means misprice flexible load, in one line for all sites."""
    if not gaps:
        return
    more_usd = sum(gap.more_usd for gap in gaps.values())
    hourly_usd = sum(year.net_usd for year in years if year.site.name in gaps)
    share = f" ({abs(more_usd / hourly_usd):.2%})" if hourly_usd else ""
    minutes = " and ".join(str(minutes) for minutes in sorted({gap.step_minutes for gap in gaps.values()}))
    who = "the site" if len(years) == 1 else f"{len(gaps)} of the {len(years)} sites"
    say(
        f"hourly means misprice flexible load: at its prices of {minutes} minutes {who} would net "
        f"{plain(abs(more_usd))} USD {'more' if more_usd >= 0 else 'less'}{share}; --native dispatches at them"
    )
