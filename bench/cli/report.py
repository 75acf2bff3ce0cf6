"""`perwatt report`: one self-contained HTML page of results and sites."""

from pathlib import Path

import click

from bench import limits
from bench.cli import completion
from bench.cli.commands import examples
from bench.cli.options import WholeRange, json_option, profiles_option, results_option, signers_option
from bench.cli.output import counted, emit_json, say, warn

PAGE = Path("report.html")


@click.command(
    epilog=examples(
        "perwatt report",
        "perwatt report latest:sha256d_scan_cpu georgia-50mw-gpu-modules --out p.html",
        "perwatt report --scenarios 10000",
    )
)
@click.argument("names", nargs=-1, metavar="[RESULT]... [SITE]...", shell_complete=completion.results_and_sites)
@click.option(
    "--out", "-o", "page", type=click.Path(path_type=Path), default=PAGE, show_default=True, help="HTML file to write."
)
@results_option
@profiles_option
@signers_option()
@click.option(
    "--scenarios",
    type=WholeRange(max=limits.MOST_SCENARIOS),
    help="Number of scenarios; adds P50, P90 and the drivers of the spread to each site.",
)
@json_option
def report(
    names: tuple[str, ...],
    page: Path,
    store: Path,
    own: tuple[Path, ...],
    signers: Path | None,
    scenarios: int | None,
    as_json: bool,
) -> None:
    """Write results and sites to one self-contained HTML page.

    The page shows what was measured, how certain each figure is, and what the figures mean in USD.

    RESULT is the id of a result, the first characters of an id, latest:WORKLOAD, a result folder or a folder of
    results. Without it the page covers every result. SITE is a site file (.toml) or the name of a bundled example.
    Without it the page covers the example site of the main job.
    """
    from bench.report import check_target, gather, write_page

    check_target(page)
    gathered = gather(names, store, own, signers)
    if scenarios is not None:
        from dataclasses import replace

        from sites.scenarios.outlook import default_outlook

        gathered = replace(gathered, outlook=default_outlook([year.site for year in gathered.sites], scenarios))
    written = write_page(gathered, page)
    size = written.stat().st_size
    for unreadable in gathered.unreadable:
        warn(f"not used, and listed as such on the page: {unreadable.reason}")
    if as_json:
        emit_json({
            "schema": "perwatt.report/1",
            "page": str(written),
            "bytes": size,
            "results": len(gathered.results),
            "valid": len(gathered.valid),
            "unreadable": [{"folder": one.folder, "why": one.reason} for one in gathered.unreadable],
            "sites": [year.site.name for year in gathered.sites],
        })  # fmt: skip
        return
    say(
        f"{written}: {counted(len(gathered.results), 'result')} ({len(gathered.valid)} valid), "
        f"{counted(len(gathered.sites), 'site')}, {size:,} bytes"
    )
