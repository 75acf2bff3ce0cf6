"""`perwatt verify`: known answers that come from outside."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli.options import json_option
from bench.cli.output import emit_json, say
from bench.cli.table import print_table

if TYPE_CHECKING:
    from bench.variants.header_check import HeaderCheck


@click.group()
def verify() -> None:
    """Check kernels against answers that come from outside."""


@verify.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--variant", "names", multiple=True, help="A variant by name; without it every one that runs here.")
@json_option
def headers(file: Path, names: tuple[str, ...], as_json: bool) -> int:
    """Scan round the nonce of each block header in a CSV with every variant and say which found it.

    FILE has the columns header_hex_80_bytes and nonce (height, if given, names the row); the header's own bits are the
    target.
    """
    from bench.variants.header_check import check_headers

    checks = check_headers(file, names)
    wrong = [check for check in checks if not check.found_by_all]
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
    variants = list(checks[0].found)
    print_table(
        ("header", "nonce", *variants),
        [(check.name, check.nonce, *(check.found[name] or "found" for name in variants)) for check in checks],
        right=(1,),
    )
    found = sum(check.found_by_all for check in checks)
    say(f"{found} of {len(checks)} nonces found by every variant that runs here: {', '.join(variants)}")
