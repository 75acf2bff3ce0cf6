"""`perwatt feed read`: one series of market files as downloaded, and what is to be known of it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench.cli import completion
from bench.cli.commands import examples
from bench.cli.options import WholeRange, json_option
from bench.cli.output import counted, emit_json, plain, say, warn
from bench.errors import not_written
from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from datetime import tzinfo

    from sites.feeds.read import Feed

YEARS = (2000, 2100)


@click.command(
    epilog=examples(
        "perwatt feed read DAMLZHBSPP_2025.zip --point HB_WEST",
        "perwatt feed read prices.csv --where area=BZN|NO1 --where sequence=1",
        "perwatt feed read days/*.csv --point HB_WEST --out west.csv",
    )
)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--feed",
    "name",
    metavar="NAME",
    shell_complete=completion.feeds,
    help="Name of the feed, as `perwatt feed list` shows it.",
)
@click.option("--point", metavar="NAME", help="Settlement point or node, where the files have several.")
@click.option("--where", metavar="NAME=VALUE", multiple=True, help="Another choice, such as area=..., sequence=1.")
@click.option("--year", type=WholeRange(*YEARS), help="Only this year of the market's own clock.")
@click.option("--fill", type=click.Choice(["previous"]), help="Value of missing intervals.  [default: none]")
@click.option("--out", type=click.Path(path_type=Path), help="CSV to write, in UTC, with a JSON file beside it.")
@json_option
def read(
    files: tuple[Path, ...],
    name: str | None,
    point: str | None,
    where: tuple[str, ...],
    year: int | None,
    fill: str | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Read market files as downloaded, and show what is in them.

    The feed is recognised by the exact columns. Several files of one feed, and all files of a zip archive, are one
    series. If a file has several points, areas or products, choose one: nothing is chosen for you.
    """
    from dataclasses import replace

    from sites.feeds.flags import flags
    from sites.feeds.read import read_feed

    feed = read_feed(files, _choices(point, where), name)
    zone = _zone(feed)
    if year is not None:
        first_s, end_s = (int(datetime(each, 1, 1, tzinfo=zone).timestamp()) for each in (year, year + 1))
        if not (feed.intervals.start_s[0] < end_s and feed.intervals.end_s[-1] > first_s):
            raise InputError.at("--year", expected=f"a year of the file, {_span(feed, zone)}", got=year)
        feed = replace(feed, intervals=feed.intervals.between(first_s, end_s))
    filled = 0
    if fill is not None:
        intervals, filled = feed.intervals.filled()
        feed = replace(feed, intervals=intervals)
    written = _written(feed, out, filled) if out is not None else ()
    if as_json:
        emit_json({**_document(feed), "filled": filled, "written": [str(path) for path in written]})
        return
    _show(feed, zone)
    if fill is not None:
        say(f"filled      {filled:,}, with the value of the interval before")
    for flag in flags(feed):
        warn(flag)
    if written:
        say(f"written     {' and '.join(str(path) for path in written)}")


def _choices(point: str | None, where: tuple[str, ...]) -> dict[str, str]:
    choices = {"point": point} if point is not None else {}
    for text in where:
        key, mark, value = text.partition("=")
        if not (mark and key.strip() and value.strip()):
            raise InputError.at("--where", expected="NAME=VALUE", got=text)
        if key.strip() in choices:
            raise InputError.at("--where", expected="each key once", got=key.strip())
        choices[key.strip()] = value.strip()
    return choices


def _zone(feed: "Feed") -> "tzinfo":
    """Return the zone of the market's own clock; UTC where each time has its offset."""
    from sites.feeds.wall_time import zone_of

    name = feed.layout.market_timezone or feed.layout.timezone
    try:
        return zone_of(name)
    except InputError:
        return UTC


def _written(feed: "Feed", out: Path, filled: int) -> tuple[Path, Path]:
    from sites.feeds.sidecar import is_regular, write_series

    try:
        sidecar = write_series(feed, out, filled)
    except OSError as error:
        raise not_written(out, error) from error
    if not is_regular(feed):
        warn(f"{out}: the intervals have no regular length, so the file has hourly means")
    return out, sidecar


def _document(feed: "Feed") -> dict[str, Any]:
    from sites.feeds.flags import flags
    from sites.feeds.sidecar import description

    statistics = feed.intervals.statistics()._asdict()
    known = {key: value if value == value else None for key, value in statistics.items()}  # noqa: PLR0124 (not NaN)
    return {"schema": "perwatt.feed/1", **description(feed), "statistics": known, "flags": flags(feed)}


def _span(feed: "Feed", zone: "tzinfo") -> str:
    return f"{_local(int(feed.intervals.start_s[0]), zone)} to {_local(int(feed.intervals.end_s[-1]), zone)}"


def _local(at_s: int, zone: "tzinfo") -> str:
    return datetime.fromtimestamp(at_s, UTC).astimezone(zone).isoformat(timespec="minutes")


def _show(feed: "Feed", zone: "tzinfo") -> None:
    layout, intervals = feed.layout, feed.intervals
    more = len(feed.paths) - 1
    say(f"file        {feed.path.name}{f' and {more} more' if more else ''}")
    say(f"source      {layout.title}")
    say(f"feed        {layout.name}")
    for key, value in feed.chosen.items():
        say(f"{key:<10}  {value}")
    say(f"unit        {feed.unit}")
    say(f"clock       {layout.timezone}; times name the {layout.label} of an interval")
    say(f"repeated    {layout.repeated_hour}")
    for length_s, count in _lengths(intervals.resolutions):
        say(f"resolution  {length_s}: {counted(count, 'interval')}")
    say(f"first       {_local(int(intervals.start_s[0]), zone)}")
    say(f"end         {_local(int(intervals.end_s[-1]), zone)}")
    say(f"missing     {intervals.missing:,}")
    say(f"doubled     {intervals.doubled:,}")
    say(f"revised     {intervals.revised:,}")
    figures = intervals.statistics()
    if figures.mean == figures.mean:
        lowest, mean, highest = (plain(value) for value in figures[:3])
        say(f"values      lowest {lowest}, mean {mean}, highest {highest} {feed.unit}")
        say(f"below zero  {counted(figures.negative, 'interval')}")


def _lengths(resolutions: dict[int, int]) -> list[tuple[str, int]]:
    """Return the lengths as text with their numbers; many different ones are one line."""
    if len(resolutions) > 3:
        shortest, longest = min(resolutions), max(resolutions)
        return [(f"{timedelta(seconds=shortest)} to {timedelta(seconds=longest)}", sum(resolutions.values()))]
    return [(_minutes(length_s), count) for length_s, count in resolutions.items()]


def _minutes(length_s: int) -> str:
    return f"{length_s / 60:g} minutes" if length_s <= 3600 else f"{length_s / 3600:g} hours"
