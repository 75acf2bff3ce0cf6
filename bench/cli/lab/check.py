"""`perwatt lab check`: every host of a lab, before anything starts."""

from pathlib import Path

import click

from bench.cli.commands import examples
from bench.cli.options import PositiveRange, json_option, store_option
from bench.cli.output import emit_json

LONGEST_S = 3600.0  # [s] that a host may take


@click.command(epilog=examples("perwatt lab check lab.toml", "perwatt lab check lab.toml --accept gpu03"))
@click.argument("lab_file", metavar="LAB", type=click.Path(path_type=Path))
@click.option("--host", "hosts", multiple=True, metavar="HOST", help="Check this host only (repeatable).")
@click.option(
    "--accept",
    multiple=True,
    metavar="HOST",
    help="Accept the new machine id or ssh key of a host, which you reinstalled (repeatable).",
)
@click.option(
    "--limit-s", type=PositiveRange(LONGEST_S), default=60.0, show_default=True, help="Time for each host [s]."
)
@store_option
@json_option
def check(
    lab_file: Path, hosts: tuple[str, ...], accept: tuple[str, ...], limit_s: float, store: Path, as_json: bool
) -> int:
    """Check every host, meter and miner of a lab: ok, or the reason why not.

    All hosts are asked at once: who answers, perwatt's version, clock, load, devices, meters, miners and free room. A
    host is pinned at its first check; later changes are refused.

    The exit status is 1 if anything is not ok.
    """
    from bench.cli.lab.check_tables import check_document, print_check
    from bench.lab.check.run import check_lab
    from bench.lab.inventory.read import read_lab

    done = check_lab(read_lab(lab_file), store, accept=accept, hosts=hosts or None, limit_s=limit_s)
    if as_json:
        emit_json({"schema": "perwatt.lab-check/1", **check_document(done)})
    else:
        print_check(done)
    return 0 if done.ok else 1
