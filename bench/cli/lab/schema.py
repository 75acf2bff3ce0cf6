"""`perwatt lab schema`: the schema that an editor checks a lab file with."""

from pathlib import Path

import click

from bench.cli.commands import examples
from bench.cli.output import emit_schema


@click.command(epilog=examples("perwatt lab schema --out lab.schema.json", "perwatt lab schema"))
@click.option("--out", type=click.Path(path_type=Path), help="File to write.  [default: print the schema]")
def schema(out: Path | None) -> None:
    """Print the JSON Schema of a lab file.

    An editor with a TOML language server checks a file whose first line is `#:schema ./lab.schema.json`.
    """
    from bench.lab.inventory.schema import PUBLISHED

    text = PUBLISHED.read_text(encoding="utf-8")
    emit_schema(text, out)
