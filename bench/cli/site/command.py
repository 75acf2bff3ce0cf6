"""`perwatt site new` and `perwatt site schema`: a first site file, and the schemas that editors check files with."""

from __future__ import annotations

from pathlib import Path

import click

from bench.cli.commands import NearGroup, examples
from bench.cli.output import emit_schema, say
from bench.errors import not_written
from hardware_profiles.errors import InputError

LONGEST_NAME = 80


@click.group(cls=NearGroup, epilog=examples("perwatt site new", "perwatt site schema site --out site.schema.json"))
def site() -> None:
    """Write a first site file, or the schemas for an editor."""


@site.command(
    epilog=examples(
        "perwatt site new",
        'perwatt site new "Odessa" --mining --country US-TX',
        "perwatt site new --both --out my.toml",
    )
)
@click.argument("name", default="My site")
@click.option("--mining", "blocks", flag_value="mining", help="A site that mines.  [default]", default=True)
@click.option("--gpu", "blocks", flag_value="gpu", help="A site of GPUs that serve inference.")
@click.option("--both", "blocks", flag_value="both", help="A site with half of each.")
@click.option("--country", "code", default="US", show_default=True, help="Country or state: US, US-TX, CA-QC, NO, ...")
@click.option(
    "--out", type=click.Path(path_type=Path), help="File to write.  [default: the name, in lower case, .toml]"
)
def new(name: str, blocks: str, code: str, out: Path | None) -> None:
    """Write a site file with every key that a site needs.

    Each default has its source, or is marked as an assumption. An existing file is never overwritten.
    """
    import datetime as dt

    from sites.files import check_new, slug, write_new
    from sites.template.new_site import country, new_site

    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise InputError.at("NAME", expected=f"1 to {LONGEST_NAME} printable characters", got=name)
    path = out or Path(f"{slug(name)}.toml")
    if path.suffix != ".toml":
        raise InputError.at("--out", expected="a name that ends in .toml", got=str(path))
    check_new(path)
    start = dt.date(dt.datetime.now(dt.UTC).year + 1, 1, 1)
    text = new_site(name, country(code), start, mining=blocks != "gpu", gpu=blocks != "mining")
    try:
        write_new(path, text.encode())
    except OSError as error:
        raise not_written(path, error) from error
    say(f"written: {path} ({text.count('# ASSUMPTION')} values marked ASSUMPTION)")
    say(f"next: replace them by your own, then: perwatt yield {path}")


@site.command(
    epilog=examples(
        "perwatt site schema site --out site.schema.json", "perwatt site schema fleet", "perwatt site schema"
    )
)
@click.argument("kind", default="site")
@click.option("--out", type=click.Path(path_type=Path), help="File to write.  [default: print the schema]")
def schema(kind: str, out: Path | None) -> None:
    """Print the JSON Schema of a kind of file: site, fleet, scenarios, capital or profile.

    An editor with a TOML language server checks a file whose first line is `#:schema ./site.schema.json`.
    """
    from sites.schemas import schema_path

    text = schema_path(kind).read_text(encoding="utf-8")
    emit_schema(text, out)
