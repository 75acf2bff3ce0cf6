"""`perwatt lab script`: a lab run as a script for Slurm, and the task of it that Slurm runs on a host."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench.cli.commands import examples
from bench.cli.lab.request import request_of, request_options
from bench.cli.options import FOLDER, json_option, results_option, store_option
from bench.cli.output import counted, emit_json, say, warn
from bench.errors import shell_word
from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from bench.lab.slurm.submission import Submission


@click.command(
    epilog=examples(
        "perwatt lab script lab.toml --plan publish sha256d_scan_cpu",
        "perwatt lab script --resume RUN",
    )
)
@click.argument("lab_file", metavar="[LAB.TOML]", type=FOLDER, required=False)
@request_options
@click.option("--resume", "run_id", metavar="RUN", help="Write a script for what this run has not measured.")
@store_option
@json_option
def script(lab_file: Path | None, run_id: str | None, store: Path, as_json: bool, **options: Any) -> int:
    """Plan a lab run and write it as a script for Slurm.

    `sh SCRIPT --partition=gpu` submits it, with any options of sbatch: one array of tasks for each group of hosts that
    share a power domain. Each task is pinned to its host and measures there as `perwatt lab run` does. The results
    folder must be one that all hosts share. Then `perwatt lab status` and `perwatt lab collect` work as always.

    The hosts are asked for nothing, except for their GPUs where a workload needs one.
    """
    submission = _resumed(store, run_id, lab_file) if run_id is not None else _begun(store, lab_file, options)
    measurements = sum(map(len, submission.lanes.values()))
    if as_json:
        lanes = {lane: [job.id for job in jobs] for lane, jobs in submission.lanes.items()}
        document = {"run_id": submission.run_id, "script": submission.path, "lanes": lanes}
        emit_json({"schema": "perwatt.lab-script/1", **document})
    else:
        say(f"run        {submission.run_id}: {counted(measurements, 'measurement')} to submit")
        say(f"lanes      {len(submission.lanes)}; one measurement at a time in each")
        say(f"script     sh {shell_word(submission.path)} [OPTION OF SBATCH]...")
    return 0


@click.command(hidden=True, epilog=examples("perwatt lab task RUN JOB"))
@click.argument("run_id", metavar="RUN")
@click.argument("job_id", metavar="JOB")
@results_option
def task(run_id: str, job_id: str, store: Path) -> int:
    """Measure one job of a run on this host; the script of `perwatt lab script` calls it.

    The exit status is 1 if it was not measured; the book of the run says why.
    """
    from bench.lab.inventory.read import lab_of
    from bench.lab.slurm.on_host import run_task
    from bench.results.labs.book import Book

    book = Book.open(store, run_id)
    job = book.jobs().get(job_id)
    if job is None:
        raise InputError.at(book.folder, expected="a job of this run", got=job_id)
    lab = lab_of(book)
    return 0 if run_task(book, job, lab.hosts[job.host], lab.clock_limit_s, say) else 1


def _begun(store: Path, lab_file: Path | None, options: dict[str, Any]) -> "Submission":
    from bench.lab.inventory.read import parse_lab
    from bench.lab.slurm.submission import ask_hosts, begin
    from hardware_profiles.reading import read_file

    request = request_of(**options)
    if lab_file is None or not request.workloads:
        raise InputError("perwatt lab script: expected a lab file and at least one workload, or --resume RUN")
    content = read_file(lab_file)
    lab = parse_lab(content, lab_file)
    submission = begin(store, lab, content, request, ask_hosts(request, lab))
    hosts = {job.host for jobs in submission.lanes.values() for job in jobs}
    for meter in lab.meters.values():
        if covered := hosts & set(meter.covers):
            warn(f"meter {meter.name} is not read on Slurm: no joules of it for {', '.join(sorted(covered))}")
    return submission


def _resumed(store: Path, run_id: str, lab_file: Path | None) -> "Submission":
    from bench.lab.inventory.read import lab_of
    from bench.lab.slurm.submission import resume
    from bench.results.labs.book import Book

    if lab_file is not None:
        raise InputError.at("--resume", expected="no lab file: the run has its own", got=str(lab_file))
    book = Book.open(store.resolve(), run_id)
    return resume(book, lab_of(book))
