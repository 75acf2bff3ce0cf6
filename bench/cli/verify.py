"""`perwatt verify`: a check of the SHA-256 kernels against headers of real blocks."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli.commands import NearGroup, examples
from bench.cli.options import json_option
from bench.cli.output import emit_json, say
from bench.cli.table import print_table

if TYPE_CHECKING:
    from bench.variants.header_check import HeaderCheck


@click.group(cls=NearGroup, epilog=examples("perwatt verify headers headers.csv"))
def verify() -> None:
    """Check the SHA-256 kernels against headers of real blocks."""


@verify.command(
    epilog=examples("perwatt verify headers headers.csv", "perwatt verify headers headers.csv --variant lanes8")
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--variant", "names", multiple=True, help="Kernel variant; may be repeated. [default: every variant that runs here]"
)
@json_option
def headers(file: Path, names: tuple[str, ...], as_json: bool) -> int:
    """Let every kernel variant search for the nonce of each block header in a CSV file.

    FILE needs the columns header_hex_80_bytes and nonce. A column height, if present, names the rows. The target is
    decoded from the bits of the header itself. Every variant must also find the header among 2, 4 and 8 versions.
    """
    from bench.variants.header_check import check_headers

    checks = check_headers(file, names)
    wrong = [check for check in checks if not check.passed]
    if as_json:
        emit_json(
            {
                "schema": "perwatt.verify_headers/1",
                "file": str(file),
                "headers": [check.document() for check in checks],
                "all_found": not wrong,
            }
        )
    else:
        _print(checks)
    return 1 if wrong else 0


def _print(checks: "list[HeaderCheck]") -> None:
    variants = list(checks[0].faults)
    print_table(
        ("header", "nonce", *variants),
        [(check.name, check.nonce, *(check.faults[name] or "found" for name in variants)) for check in checks],
        right=(1,),
    )
    count = sum(check.passed for check in checks)
    say(f"{count} of {len(checks)} nonces were found by every variant that runs here: {', '.join(variants)}")
