"""`perwatt lab run`: one plan measured on many hosts, each measurement once and on its own host."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench.cli.commands import examples
from bench.cli.lab.request import request_of, request_options
from bench.cli.lab.running.routes import route_of, route_options
from bench.cli.options import prepare_out, store_option
from bench.cli.output import counted, say
from hardware_profiles.reading import read_file

if TYPE_CHECKING:
    from bench.lab.inventory.lab import Lab
    from bench.lab.run.planning import Request
    from bench.lab.run.session import Route


@click.command(
    epilog=examples(
        "perwatt lab run lab.toml --plan publish sha256d_scan_cpu matmul_f32_cpu",
        "perwatt lab run lab.toml --host 'gpu[01-08]' matmul_bf16_nt_cuda",
        "perwatt lab run lab.toml --scheduler tcp://192.0.2.1:8786 sha256d_scan_cpu",
        "perwatt lab run lab.toml asic",
    )
)
@click.argument("lab_file", metavar="LAB", type=click.Path(path_type=Path))
@request_options
@route_options
@click.option("--dry-run", is_flag=True, help="Print the measurements, and ask no host.")
@store_option
def run(
    lab_file: Path,
    scheduler: str | None,
    slurm: bool,
    directives: tuple[str, ...],
    listen: str | None,
    dry_run: bool,
    store: Path,
    **asked: Any,
) -> int:
    """Measure workloads on every host of a lab; the word asic stands for its miners.

    At most one measurement runs on a host and in a power domain. Each runs once, on its own host, which keeps its
    result until it is collected: a lost connection is no lost result. Ctrl-C begins nothing more; what runs goes on.

    The exit status is 1 if a measurement is missing, and `perwatt lab resume` makes it.
    """
    from bench.lab.inventory.read import read_lab
    from bench.lab.run.planning import check
    from bench.machine.endings import endings_raise

    lab = read_lab(lab_file)
    request = request_of(**asked)
    check(request, lab)
    if dry_run:
        return _print_jobs(request, lab)
    route = route_of(scheduler, directives, listen, slurm=slurm)
    prepare_out(store)
    with endings_raise():
        return _run(request, lab, route, store)


def _print_jobs(request: "Request", lab: "Lab") -> int:
    from bench.cli.table import print_table
    from bench.lab.run.planning import plan_of

    jobs = plan_of(request, lab, {}, "", {}).jobs
    rows = [(job.host, job.device, job.workload, job.plan, ", ".join(job.domains)) for job in jobs]
    print_table(("host", "device", "workload", "plan", "domains that it occupies"), rows)
    say(f"{counted(len(jobs), 'measurement')}; GPUs are listed by the hosts themselves, when they are asked")
    return 0


def _run(request: "Request", lab: "Lab", route: "Route", store: Path) -> int:
    from bench.cli.lab.running.drive import drive, note_check
    from bench.lab.check.run import check_lab
    from bench.lab.run.locks import sole_controller
    from bench.lab.run.planning import UNKNOWN_GPU, involved, plan_of
    from bench.lab.run.session import shared_workers, version_of, ways
    from bench.results.labs.book import Book

    names = involved(request, lab)
    with shared_workers(route, lab, names) as workers:
        check = check_lab(lab, store, hosts=names, way_to=ways(workers))
        known = {name: host.hello for name, host in check.hosts.items() if host.hello is not None}
        extra = {name: check.planned_meters(name) for name in (*lab.hosts, *lab.miners)}
        plan = plan_of(request, lab, known, version_of(known), extra)
        book = Book.create(store, plan, read_file(lab.path))
        say(f"run        {plan.run_id}: {counted(len(plan.jobs), 'measurement')} on {counted(len(names), 'host')}")
        with sole_controller(book):
            barred = note_check(book, check)
            for job in plan.jobs:
                if job.device == UNKNOWN_GPU and job.host not in barred:
                    book.append("refused", job=job.id, host=job.host, code="device_missing", detail="it names no GPU")
            return drive(book, lab, route, workers, barred, again=False)
