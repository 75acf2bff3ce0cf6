"""`perwatt list profiles`: the profiles of the catalogue, filtered and sorted."""

import sys
from pathlib import Path

import click

from bench.cli.commands import examples
from bench.cli.options import POSITIVE, json_option, profiles_option
from bench.cli.output import counted, emit_json, say
from bench.cli.table import print_table
from bench.compare.catalogue_table import SORTS, UNVERIFIED_MARK, Filters, Row, columns_for, profile_row, select
from hardware_profiles.errors import InputError

KINDS = ("asic", "gpu", "cpu")
COOLINGS = ("air", "hydro", "immersion")


@click.command(
    epilog=examples(
        "perwatt list profiles --kind asic --sort j-per-th",
        "perwatt list profiles --kind gpu --released-after 2023",
        "perwatt list profiles --max-j-per-th 18 --hashprice 45",
    )
)
@click.option("--kind", type=click.Choice(KINDS), help="List only miners, GPUs or CPUs.")
@click.option("--cooling", type=click.Choice(COOLINGS), help="List only devices with this cooling.")
@click.option("--max-j-per-th", type=POSITIVE, help="List only miners at or below this efficiency [J/TH].")
@click.option(
    "--released-after",
    metavar="DATE",
    help="List only devices released on this date or later: YYYY, YYYY-MM or YYYY-MM-DD.",
)
@click.option("--sort", type=click.Choice(tuple(SORTS)), default="name", show_default=True, help="Column to sort by.")
@click.option("--hashprice", type=POSITIVE, help="Hashprice [USD per PH/s and day]; adds a column USD/MWh.")
@click.option("--modes", is_flag=True, help="List each mode of a device separately.")
@profiles_option
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
    """List the profiles of the catalogue with rate, power, efficiency and confidence."""
    from hardware_profiles.catalog import iter_profiles, load_all

    if sort == "usd-per-mwh" and hashprice is None:
        raise InputError.at("--sort usd-per-mwh", expected="--hashprice with it")
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
    say(f"{counted(len(rows), 'profile')}. {UNVERIFIED_MARK} marks a figure whose source could not be found again.")
    if hashprice is not None:
        say(f"USD/MWh: gross revenue per MWh at the device, at the stated {hashprice:g} USD per PH/s and day.")


def _table(kind: str, rows: list[Row]) -> None:
    columns = columns_for(kind, rows)
    print_table(
        [heading for heading, _, _ in columns],
        [[cell_text(row) for _, cell_text, _ in columns] for row in rows],
        right=[at for at, (_, _, is_number) in enumerate(columns) if is_number],
        piped=sys.maxsize,
        optional=range(len(columns) - 1, 0, -1),
    )
