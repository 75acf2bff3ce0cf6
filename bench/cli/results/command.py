"""`perwatt results`: checks and signatures of stored results."""

from pathlib import Path

import click

from bench.cli import completion
from bench.cli.commands import NearGroup, examples
from bench.cli.options import json_option, results_option, signers_option
from bench.cli.output import counted, emit_json, say


@click.group(
    cls=NearGroup,
    epilog=examples(
        "perwatt results check",
        "perwatt results sign latest:sha256d_scan_cpu --key ~/.ssh/id_ed25519",
        "perwatt results verify 20261130T0424 --allowed-signers signers.txt",
    ),
)
def results() -> None:
    """Check stored results, sign them, and verify signatures."""


@results.command(epilog=examples("perwatt results check", "perwatt results check --results lab/results --json"))
@results_option
@json_option
def check(store: Path, as_json: bool) -> int:
    """List what is damaged in a results folder.

    Each result is read in full: its record, the digests of its files, and its samples. The exit status is 1 if
    something is damaged.
    """
    from bench.results.integrity.check import check_store
    from bench.results.layout import unfinished_folders

    checked = list(check_store(store))
    damaged = [one for one in checked if one.fault]
    unfinished = unfinished_folders(store)
    if as_json:
        emit_json({
            "schema": "perwatt.results-check/1",
            "results": str(store),
            "sound": [one.entry for one in checked if not one.fault],
            "damaged": [{"entry": one.entry, "why": one.fault} for one in damaged],
            "unfinished": [path.name for path in unfinished],
        })  # fmt: skip
        return 1 if damaged else 0
    for one in damaged:
        say(f"damaged  {one.fault}")
    for path in unfinished:
        say(f"note: {path} is a temporary folder of a killed run and may be deleted")
    say(f"{store}: {counted(len(checked) - len(damaged), 'sound result')}, {len(damaged)} damaged")
    return 1 if damaged else 0


@results.command(epilog=examples("perwatt results sign latest:sha256d_scan_cpu --key ~/.ssh/id_ed25519"))
@click.argument("name", metavar="RESULT", shell_complete=completion.results_and_profiles)
@click.option(
    "--key", required=True, type=click.Path(path_type=Path), help="Private ssh key, or a public key of the ssh agent."
)
@results_option
@json_option
def sign(name: str, key: Path, store: Path, as_json: bool) -> None:
    """Sign a result with an ssh key.

    The signature covers the digests of all files of the result. It is a file of its own in the result folder.
    """
    from bench.results.folder import find_result
    from bench.results.integrity.signature import sign as sign_result

    folder = find_result(store, name)
    path = sign_result(folder, key.expanduser())
    if as_json:
        emit_json({"result": folder.name, "signature": str(path)})
    else:
        say(f"{path}: signature of {folder.name}")


@results.command(epilog=examples("perwatt results verify 20261130T0424 --allowed-signers signers.txt"))
@click.argument("name", metavar="RESULT", shell_complete=completion.results_and_profiles)
@signers_option(required=True)
@results_option
@json_option
def verify(name: str, signers: Path, store: Path, as_json: bool) -> None:
    """Verify who signed a result.

    The exit status is 1 if the result is unsigned, was changed after it was signed, or is signed with another key.
    """
    from bench.results.folder import find_result
    from bench.results.integrity.signature import verified

    folder = find_result(store, name)
    principal = verified(folder, signers)
    if as_json:
        emit_json({"result": folder.name, "signed_by": principal})
    else:
        say(f"{folder.name}: signed by {principal}")
