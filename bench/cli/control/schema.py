"""`perwatt control schema`: the schema that an editor checks a control file with."""

from pathlib import Path

import click

from bench.cli.commands import examples
from bench.cli.output import emit_schema


@click.command(epilog=examples("perwatt control schema --out control.schema.json", "perwatt control schema"))
@click.option("--out", type=click.Path(path_type=Path), help="File to write.  [default: print the schema]")
def schema(out: Path | None) -> None:
    """Print the JSON Schema of a control file.

    An editor with a TOML language server checks a file whose first line is `#:schema ./control.schema.json`.
    """
    from bench.control.setup.schema import as_text

    emit_schema(as_text(), out)
