"""`perwatt lab schema`: the schema that an editor checks a lab file with."""

from pathlib import Path

import click

from bench.cli.commands import examples
from bench.cli.output import emit_text, say
from bench.errors import not_written


@click.command(epilog=examples("perwatt lab schema --out lab.schema.json", "perwatt lab schema"))
@click.option("--out", type=click.Path(path_type=Path), help="File to write.  [default: print the schema]")
def schema(out: Path | None) -> None:
    """Print the JSON Schema of a lab file.

    An editor with a TOML language server checks a file whose first line is `#:schema ./lab.schema.json`.
    """
    from bench.lab.inventory.schema import PUBLISHED
    from sites.files import check_new, write_new

    text = PUBLISHED.read_text(encoding="utf-8")
    if out is None:
        emit_text(text.rstrip())
        return
    check_new(out)
    try:
        write_new(out, text.encode())
    except OSError as error:
        raise not_written(out, error) from error
    say(f"written: {out}")
    say(f"first line of a file that an editor checks: #:schema ./{out.name}")
