"""`perwatt pytest`: import and export of the JSON of pytest-benchmark."""

import json
from pathlib import Path

import click

from bench.cli import completion
from bench.cli.commands import NearGroup, examples
from bench.cli.options import json_option, prepare_out, results_option, store_option
from bench.cli.output import counted, emit_json, say
from hardware_profiles.errors import InputError


@click.group(
    name="pytest",
    cls=NearGroup,
    epilog=examples(
        "perwatt pytest import benchmark.json", "perwatt pytest export latest:matmul_f32_cpu --to out.json"
    ),
)
def pytest_json() -> None:
    """Import or export the JSON of pytest-benchmark."""


@pytest_json.command(
    name="import",
    epilog=examples("perwatt pytest import benchmark.json", "perwatt pytest import benchmark.json --out results"),
)
@click.argument("file", type=click.Path(path_type=Path))
@store_option
@json_option
def import_(file: Path, store: Path, as_json: bool) -> None:
    """Store each benchmark of a pytest-benchmark JSON file as a result: all of them or none.

    A test states its work in extra_info["perwatt"], with the keys work, unit, workload, variant and version. Without
    it, the unit is one call. Other keys of extra_info are not read.
    """
    from bench.pytest_plugin.json_import import import_json
    from bench.pytest_plugin.records import work_samples
    from bench.results.writing import write_records

    records = import_json(file)
    prepare_out(store)
    write_records(store, [(record, work_samples(record.windows, record.workload.unit)) for record in records])
    if as_json:
        emit_json([record.model_dump(mode="json") for record in records])
    else:
        say(
            f"{counted(len(records), 'benchmark')} imported into {store}/: {', '.join(record.id for record in records)}"
        )


@pytest_json.command(
    name="export",
    epilog=examples(
        "perwatt pytest export latest:matmul_f32_cpu", "perwatt pytest export latest:matmul_f32_cpu --to benchmark.json"
    ),
)
@click.argument("names", nargs=-1, required=True, metavar="RESULT...", shell_complete=completion.result_ids)
@click.option("--to", "target", type=click.Path(path_type=Path), help="File to write. [default: stdout]")
@results_option
def export(names: tuple[str, ...], target: Path | None, store: Path) -> None:
    """Write results as JSON that `pytest-benchmark compare` reads."""
    from bench.pytest_plugin.json_export import export_json
    from bench.results.folder import find_result, read_whole

    records = [read_whole(find_result(store, name)) for name in names]
    refused = [record.id for record in records if record.status != "ok" or not record.windows]
    if refused:
        raise InputError.at("export", expected="valid results with windows", got=", ".join(refused))
    document = json.loads(json.dumps(export_json(records), default=str))
    if target is None:
        emit_json(document)
        return
    from sites.files import write_file

    write_file(target, json.dumps(document, indent=2).encode() + b"\n")
    say(f"{counted(len(records), 'result')} written to {target}")
