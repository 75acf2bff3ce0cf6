"""`perwatt report`: one self-contained page from results and sites."""

from pathlib import Path

import click

from bench.cli.options import FOLDER, json_option
from bench.cli.output import emit_json, say, warn
from bench.results.layout import STORE

PAGE = Path("report.html")


@click.command()
@click.argument("names", nargs=-1, metavar="[RESULT]... [SITE]...")
@click.option(
    "--out", "-o", "page", type=click.Path(path_type=Path), default=PAGE, show_default=True, help="The page to write."
)
@click.option("--results", "store", type=FOLDER, default=STORE, show_default=True, help="Results folder.")
@click.option("--profiles", "own", multiple=True, help="A folder of your own profiles, searched first.")
@click.option("--scenarios", type=int, help="Run the sites through this many scenarios: P50, P90, what drives them.")
@json_option
def report(
    names: tuple[str, ...], page: Path, store: Path, own: tuple[str, ...], scenarios: int | None, as_json: bool
) -> None:
    """Write one self-contained HTML page: what was measured, how sure it is, what that means in money.

    RESULT is an id, the beginning of one, latest:WORKLOAD, a result folder or a folder of results; without one every
    result is taken. SITE is a site file (.toml) or the name of a bundled example; without one it is the main job's.
    """
    from bench.report import check_target, gather, write_page

    check_target(page)
    gathered = gather(names, store, own)
    if scenarios is not None:
        from dataclasses import replace

        from sites.scenarios.outlook import default_outlook

        gathered = replace(gathered, outlook=default_outlook([year.site for year in gathered.sites], scenarios))
    written = write_page(gathered, page)
    size = written.stat().st_size
    for one in gathered.unreadable:
        warn(f"shown on the page as not used: {one.why}")
    if as_json:
        emit_json({
            "schema": "perwatt.report/1",
            "page": str(written),
            "bytes": size,
            "results": len(gathered.results),
            "valid": len(gathered.valid),
            "unreadable": [{"folder": one.folder, "why": one.why} for one in gathered.unreadable],
            "sites": [year.site.name for year in gathered.sites],
        })  # fmt: skip
        return
    say(
        f"{written}: {len(gathered.results)} results ({len(gathered.valid)} valid), "
        f"{_sites(len(gathered.sites))}, {size:,} bytes"
    )


def _sites(number: int) -> str:
    return f"{number} site{'' if number == 1 else 's'}"
