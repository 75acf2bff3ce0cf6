"""`perwatt endpoint`: import of other load generators' results, and export to their format."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli import completion
from bench.cli.commands import NearGroup, examples
from bench.cli.options import clock_offset_option, is_stated, json_option, prepare_out, results_option, store_option
from bench.cli.output import counted, emit_json, emit_text, plain, say
from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from bench.results.record import Record


@click.group(
    cls=NearGroup,
    epilog=examples(
        "perwatt endpoint import result.json",
        "perwatt endpoint import result.json --meter trace:power.csv",
        "perwatt endpoint export latest:llm_serve_endpoint --format vllm",
    ),
)
def endpoint() -> None:
    """Import results of other load generators, or export to their format."""


@endpoint.command(
    name="import",
    epilog=examples(
        "perwatt endpoint import result.json",
        "perwatt endpoint import *.json --meter trace:power.csv --clock-offset-s 3600",
    ),
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option("--meter", "meters", multiple=True, help="Log of a meter during the runs, trace:FILE.")
@clock_offset_option
@store_option
@json_option
def import_(
    files: tuple[Path, ...], meters: tuple[str, ...], clock_offset_s: float, store: Path, as_json: bool
) -> None:
    """Store each run of other load generators' files as a result: all of them or none.

    The files are results of vLLM, SGLang, guidellm, aiperf, genai-perf, inference-perf, InferenceX or ML.ENERGY; their
    own keys say which. Terms are mapped by formula, and each figure keeps the tool's own name and value. Nothing is
    compared with a verdict, because perwatt did not measure the windows.
    """
    from bench.endpoint.importing.document import MOST_RUNS, read_source
    from bench.endpoint.importing.meter_log import join, open_logs
    from bench.endpoint.importing.records import record_of
    from bench.results.writing import write_records

    if is_stated("clock_offset_s") and not meters:
        raise InputError.at("--clock-offset-s", expected="--meter trace:FILE with it", got="no log of a meter")
    sources = [read_source(path) for path in files]
    runs = [(run, source) for source in sources for run in source.runs]
    if len(runs) > MOST_RUNS:
        raise InputError.at("import", expected=f"at most {MOST_RUNS} runs", got=len(runs))
    logs = open_logs(meters, clock_offset_s, [run for run, _ in runs]) if meters else []
    records = [record_of(run, source, sys.argv[1:], join(run, logs) if logs else None) for run, source in runs]
    prepare_out(store)
    write_records(store, [(record, ()) for record in records])
    if as_json:
        emit_json([record.model_dump(mode="json") for record in records])
    else:
        _print(records, store)


def _print(records: "list[Record]", store: Path) -> None:
    from bench.cli.table import print_table

    print_table(
        ["tool", "load", "output tok/s", "TTFT q50 ms", "TPOT q50 ms", "E2E q50 ms", "power W", "J/output token"],
        [
            (
                record.workload.variant,
                _load(record),
                _value(record, "rate", 1.0),
                *(_value(record, f"{name}_q50", 1e3) for name in ("ttft", "tpot", "e2e")),
                "-" if record.power is None else f"{plain(record.power.value)} ({record.power.boundary})",
                "-" if record.energy_per_unit is None else plain(record.energy_per_unit.value),
            )
            for record in records
        ],
        right=range(2, 8),
        optional=(5,),
    )
    for line in dict.fromkeys(
        f"{record.workload.variant}: {reason.code}: {reason.detail}"
        for record in records
        for reason in record.warnings
        if reason.code != "imported"
    ):
        say(f"note: {line}")
    say(f"{counted(len(records), 'run')} imported into {store}/: {', '.join(record.id for record in records)}")


def _load(record: "Record") -> str:
    parameters = record.workload.parameters
    if parameters.get("concurrency") is not None:
        return f"{parameters['concurrency']} at a time"
    rate_per_s = parameters.get("rate_per_s")
    return "-" if rate_per_s is None else f"{rate_per_s:g} requests/s"


def _value(record: "Record", name: str, scale: float) -> str:
    metric = record.metrics.get(name)
    return "-" if metric is None else plain(metric.value * scale)


@endpoint.command(
    epilog=examples(
        "perwatt endpoint export latest:llm_serve_endpoint --format vllm",
        "perwatt endpoint export RESULT RESULT --format vllm --to results.jsonl",
    )
)
@click.argument("names", nargs=-1, required=True, metavar="RESULT...", shell_complete=completion.result_ids)
@click.option("--format", "_form", type=click.Choice(("vllm",)), required=True, help="Keys of this tool.")
@click.option("--to", "target", type=click.Path(path_type=Path), help="File to write. [default: stdout]")
@results_option
def export(names: tuple[str, ...], _form: str, target: Path | None, store: Path) -> None:
    """Write results with the keys of `vllm bench serve`; several results are one JSON document a line.

    What a result does not have is null.
    """
    from bench.endpoint.importing.vllm_export import exported
    from bench.results.folder import find_result, read_whole

    documents = [exported(read_whole(find_result(store, name))) for name in names]
    if target is None and len(documents) == 1:
        emit_json(documents[0])
        return
    text = "".join(f"{json.dumps(document, allow_nan=False)}\n" for document in documents)
    if target is None:
        emit_text(text.rstrip("\n"))
        return
    from sites.files import write_file

    write_file(target, text.encode())
    say(f"{counted(len(documents), 'result')} written to {target}")
