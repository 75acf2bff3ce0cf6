"""`perwatt list profiles`: the catalogue, filtered and sorted."""

import sys
from pathlib import Path

import click

from bench.cli.options import POSITIVE, json_option
from bench.cli.output import emit_json, say
from bench.cli.table import print_table
from bench.compare.catalogue_table import SORTS, UNVERIFIED_MARK, Filters, Row, columns_for, profile_row, select
from hardware_profiles.errors import InputError

KINDS = ("asic", "gpu", "cpu")
COOLINGS = ("air", "hydro", "immersion")


@click.command()
@click.option("--kind", type=click.Choice(KINDS), help="Only miners, GPUs or CPUs.")
@click.option("--cooling", type=click.Choice(COOLINGS), help="Only what is cooled so.")
@click.option("--max-j-per-th", type=POSITIVE, help="Only miners at least so efficient.")
@click.option(
    "--released-after", metavar="DATE", help="Only what was released on that day or later; a year counts as its first."
)
@click.option("--sort", type=click.Choice(tuple(SORTS)), default="name", show_default=True)
@click.option("--hashprice", type=POSITIVE, help="USD per PH/s and day; adds a column USD/MWh.")
@click.option("--modes", is_flag=True, help="Each mode of a bin on a line of its own.")
@click.option(
    "--profiles",
    "own",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A folder of your own profiles, searched before PERWATT_PROFILES and ours.",
)
@json_option
def profiles(
    kind: str | None,
    cooling: str | None,
    max_j_per_th: float | None,
    released_after: str | None,
    sort: str,
    hashprice: float | None,
    modes: bool,
    own: tuple[Path, ...],
    as_json: bool,
) -> None:
    """List the catalogue: every bin with rate, power and efficiency, and how sure they are."""
    from hardware_profiles.catalog import iter_profiles, load_all

    if sort == "usd-per-mwh" and hashprice is None:
        raise InputError.at("--sort usd-per-mwh", expected="--hashprice beside it")
    rows = select(
        (
            profile_row(profile, hashprice_usd_per_ph_s_day=hashprice)
            for profile in iter_profiles(load_all(own), modes=modes)
        ),
        Filters(kind, cooling, max_j_per_th, released_after, sort),
    )
    if as_json:
        emit_json(rows)
        return
    for each in KINDS:
        of_kind = [row for row in rows if row["kind"] == each]
        if of_kind:
            _table(each, of_kind)
    if not rows:
        say("none")
        return
    say(f"{len(rows)} profiles. {UNVERIFIED_MARK} after a figure: unverified, its source was not found again.")
    if hashprice is not None:
        say(f"USD/MWh: gross, per MWh that the device itself draws, at {hashprice:g} USD per PH/s and day as stated.")


def _table(kind: str, rows: list[Row]) -> None:
    columns = columns_for(kind, rows)
    print_table(
        [heading for heading, _, _ in columns],
        [[cell_text(row) for _, cell_text, _ in columns] for row in rows],
        right=[at for at, (_, _, is_number) in enumerate(columns) if is_number],
        piped=sys.maxsize,
        optional=range(len(columns) - 1, 0, -1),
    )
