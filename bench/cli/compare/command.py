"""`perwatt compare`: a comparison of results and profiles, or of two workloads measured now."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench.cli import completion
from bench.cli.commands import examples
from bench.cli.compare.hosts import compare_hosts
from bench.cli.compare.text import as_csv, as_markdown
from bench.cli.options import (
    NUMBER,
    POSITIVE,
    WHOLE,
    json_option,
    plan_option,
    prepare_out,
    profiles_option,
    signers_option,
    store_option,
)
from bench.cli.output import emit_json, emit_text, progress, quantity, say, warn
from bench.cli.table import numbered, print_table, say_reasons
from bench.errors import RunFailedError
from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from bench.compare.overview import OverviewRow
    from bench.compare.verdicts import Row
    from bench.measure.interleave import InterleaveOptions
    from bench.measure.quiet_pairs import QuietPairs
    from bench.results.record import Record

PIPE_WIDTH = 200
NO_VERDICT = "no verdict: "  # start of the reasons that the table prints once, below
FORMATS = ("table", "markdown", "csv", "json")
COLUMNS = (
    "name", "figure", "value", "95 %", "basis", "boundary", "tier", "confidence", "ratio", "95 % of ratio",
    "verdict or reason",
)  # fmt: skip


@click.command(
    epilog=examples(
        "perwatt compare antminer-s21 whatsminer-m60s --hashprice 45",
        "perwatt compare nvidia-h200 nvidia-b200 --format csv",
        "perwatt compare antminer-s21 latest:sha256d_scan_cpu",
        "perwatt compare latest:sha256d_scan_asic antminer-s21:188t",
        "perwatt compare --run sha256d_scan_cpu:lanes8 sha256d_scan_cpu:lanes16",
        "perwatt compare --by host sha256d_scan_asic",
    )
)
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=completion.results_and_profiles)
@click.option(
    "--run",
    "run_now",
    is_flag=True,
    help="Measure two workloads (WORKLOAD or WORKLOAD:VARIANT) now, in turns: A B A B.",
)
@click.option(
    "--by",
    type=click.Choice(["host"]),
    help="Compare the units of each model over all hosts: spread, outliers and drift. NAME is a workload or a result.",
)
@plan_option("With --run: measurement plan, PLANS.")
@click.option(
    "--pairs",
    "wanted_pairs",
    type=WHOLE,
    help="With --run: undisturbed pairs to measure on the CPU; a verdict needs 50.",
)
@click.option("--threads", type=WHOLE, default=1, show_default=True, help="With --run: CPU threads.")
@click.option(
    "--meter", "meters", multiple=True, shell_complete=completion.meters, help="With --run: meter, as in `perwatt run`."
)
@click.option("--meter-period-s", type=NUMBER, help="With --run: update period of a power meter [s].")
@click.option(
    "--format", "format_", type=click.Choice(FORMATS), default="table", show_default=True, help="Format of the output."
)
@store_option
@profiles_option
@signers_option()
@click.option("--hashprice", type=POSITIVE, help="Hashprice [USD per PH/s and day]; adds a column USD/MWh.")
@click.option(
    "--tokens", "tokens_of", metavar="MODEL:LENGTHS", help="Published LLM workload; adds a column tokens/J for GPUs."
)
@click.option(
    "--plot",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Plot power against hash rate to this .svg, .png or .pdf file.",
)
@json_option
def compare(
    names: tuple[str, ...],
    run_now: bool,
    by: str | None,
    plan: str,
    wanted_pairs: int | None,
    threads: int,
    meters: tuple[str, ...],
    meter_period_s: float | None,
    format_: str,
    store: Path,
    own: tuple[Path, ...],
    signers: Path | None,
    hashprice: float | None,
    tokens_of: str | None,
    plot: Path | None,
    as_json: bool,
) -> None:
    """Compare results and profiles: ratio, interval, verdict; or units of a fleet.

    NAME is the id of a result, the first characters of an id, the path of a result folder, latest:WORKLOAD, or the
    name of a profile. Each NAME is compared with the first one. A ratio or verdict that would mislead is refused, and
    its cell or a line below the table gives the reason.

    With --by host, NAME is a workload or a result, and without NAME every result is taken. The coverage of the lab
    runs stands above the figures.
    """
    from bench.compare import verdicts
    from bench.compare.load import load_device, of_record, signatures
    from bench.compare.overview import as_documents, overview

    shape = "json" if as_json else format_
    if by is not None:
        _check_alone({"--run": run_now, "--hashprice": hashprice, "--tokens": tokens_of, "--plot": plot})
        compare_hosts(names, store, shape)
        return
    extra: dict[str, Any] = {}
    pairs = None
    if run_now:
        from bench.measure.interleave import InterleaveOptions
        from bench.meters.protocol import MeterOptions

        options = InterleaveOptions(
            plan, store, wanted_pairs, threads, meters, MeterOptions(period_s=meter_period_s), sys.argv[1:]
        )
        records, pairs = _measure_now(names, options, quiet=shape != "table")
        subjects = [of_record(record) for record in records]
        extra = {"pairs": pairs.document() if pairs else None}
    else:
        subjects = [load_device(name, store, own) for name in names]
        extra = {"signatures": signatures(dict(zip(names, subjects, strict=True)), store, own, signers)}
    rows = verdicts.compare(subjects, pairs)
    lines = overview(subjects, hashprice_usd_per_ph_s_day=hashprice, tokens_of=tokens_of)
    if plot is not None:
        from bench.compare.plot import plot_devices

        missing = plot_devices(subjects, plot)
        extra["plot"] = {"file": str(plot), "without_hash_rate_or_power": missing}
    if shape == "json":
        emit_json({**verdicts.as_document(rows), "overview": as_documents(lines), **extra})
    elif shape == "csv":
        emit_text(as_csv(verdicts.as_document(rows)["rows"]).rstrip("\n"))
    elif shape == "markdown":
        _print_markdown(lines, rows)
    else:
        _print_tables(lines, rows, hashprice)
        _print_files(extra, plot)
    if pairs is not None and shape in {"table", "markdown"}:
        say(pairs.sentence())
    if run_now and all(record.status == "failed" for record in records):
        raise RunFailedError("compare --run: both runs failed; perwatt show names the reason of each")


def _check_alone(others: Mapping[str, object]) -> None:
    """Raise InputError if an option stands with --by that is for devices against each other."""
    used = [option for option, value in others.items() if value]
    if used:
        raise InputError.at("--by host", expected="no option of a comparison with one device", got=", ".join(used))


def _measure_now(
    names: Sequence[str], options: "InterleaveOptions", *, quiet: bool
) -> "tuple[list[Record], QuietPairs | None]":
    from bench.cli.run.measure import check_machine
    from bench.measure.interleave import compare_now

    if len(names) != 2:
        raise InputError.at("compare --run", expected="two workloads", got=len(names))
    check_machine(options.threads)
    prepare_out(options.store)
    with progress(quiet=quiet) as bars:
        task = bars.add_task("pairs", total=1.0)
        return compare_now(
            names, options, lambda stage, done: bars.update(task, completed=done, description=stage), warn
        )


def _print_files(extra: Mapping[str, Any], plot: Path | None) -> None:
    """Print the signatures of the results, and where the plot is and what it lacks."""
    for result, words in extra.get("signatures", {}).items():
        say(f"{result}: {words}")
    if plot is not None:
        missing = extra["plot"]["without_hash_rate_or_power"]
        words = f"; not in the plot, without hash rate or power: {', '.join(missing)}" if missing else ""
        say(f"plot: {plot}{words}")


def _print_markdown(lines: "Sequence[OverviewRow]", rows: "Sequence[Row]") -> None:
    from bench.compare.overview_table import RATED_COLUMNS, cells, columns, rated_cells

    headings, rated = columns(lines), rated_cells(lines)
    emit_text(as_markdown(headings, [cells(line, headings) for line in lines]))
    say()
    if rated:
        emit_text(as_markdown(RATED_COLUMNS, rated))
        say()
    emit_text(as_markdown(COLUMNS, [_cells(row) for row in rows]))


def _print_tables(lines: "Sequence[OverviewRow]", rows: "Sequence[Row]", hashprice: float | None) -> None:
    from bench.compare.overview_table import RATED_COLUMNS, captions, cells, columns, rated_cells

    headings = columns(lines)
    rows_shown = [cells(line, headings) for line in lines]
    print_table(headings, rows_shown, right=range(1, len(headings) - 2), piped=PIPE_WIDTH)
    for sentence in captions(lines, hashprice):
        say(sentence)
    if rated := rated_cells(lines):
        title = "Measured over rated; the verdict is by the maker's tolerance where it is known"
        print_table(RATED_COLUMNS, rated, right=range(2, 7), title=title, piped=PIPE_WIDTH)
    marks = numbered(row.why for row in rows if row.why.startswith(NO_VERDICT))
    cells_shown = [_cells(row, marks) for row in rows]
    filled = [at for at in range(len(COLUMNS)) if any(line[at] != "-" for line in cells_shown)]
    print_table(
        [COLUMNS[at] for at in filled],
        [[line[at] for at in filled] for line in cells_shown],
        right=[filled.index(at) for at in (2, 8) if at in filled],
        piped=PIPE_WIDTH,
    )
    say_reasons(marks)


def _cells(row: "Row", marks: Mapping[str, str] | None = None) -> tuple[str, ...]:
    figure = row.figure
    if figure is None:
        return (row.subject.name, *("-" for _ in COLUMNS[2:]), row.why)
    name = {"rate": f"rate {figure.of}", "energy": f"energy per {figure.of}", "power": "power"}[figure.group]
    low_high = figure.interval
    verdict = row.verdict or (marks or {}).get(row.why, row.why)
    return (
        row.subject.name,
        name,
        quantity(figure.value, figure.unit),
        f"± {(low_high[1] - low_high[0]) / 2 / figure.value:.2%}" if low_high and figure.value else "-",
        figure.basis,
        figure.boundary or "-",
        figure.tier or "-",
        figure.confidence or "-",
        f"{row.ratio:.4g}" if row.ratio is not None else "-",
        f"{row.interval[0]:.4g} to {row.interval[1]:.4g}" if row.interval else "-",
        f"{verdict} ({row.note})" if row.note and verdict else verdict,
    )
