"""One command that drives a run: the Dask workers, the check of the hosts, and the controller between them."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from bench.lab.check.result import LabCheck
from bench.lab.host.identity import code_version
from bench.lab.inventory.lab import Host, Lab
from bench.lab.messages import Hello
from bench.lab.reach.choose import reach_of
from bench.lab.reach.dask import DaskReach
from bench.lab.reach.protocol import Reach
from bench.lab.run.crew import Crew
from bench.lab.run.locks import SharedClaims
from bench.lab.run.workers import Start, WorkerHost, Workers, by_slurm, existing, over_ssh, own

QUEUE_S = 24 * 3600.0  # [s] that a node of Slurm may be busy for others
SLURM_LIMIT_S = 24 * 3600.0  # [s] time limit of the job that holds a node
COMMAND = "perwatt lab worker"  # runs Dask's worker with the Python of the command `perwatt`


@dataclass(frozen=True, slots=True)
class Route:
    """How a run gets its Dask workers."""

    scheduler: str | None = None  # address of one that runs, with a worker a host; else a scheduler is started here
    slurm: bool = False  # workers are jobs of Slurm, else they are started over ssh
    directives: tuple[str, ...] = ()  # further lines of #SBATCH
    listen: str | None = None  # address of this machine that the hosts reach

    @property
    def queue_s(self) -> float:
        """Time for which a host may wait for its worker [s]."""
        return QUEUE_S if self.slurm else 0.0


@contextmanager
def shared_workers(route: Route, lab: Lab, names: list[str]) -> Iterator[Workers | None]:
    """Use the scheduler that the operator names, if there is one.

    Raises
    ------
    InputError
        See `existing`.
    """
    if route.scheduler is None:
        yield None
        return
    with existing(route.scheduler, [worker_host(lab, name) for name in names]) as workers:
        yield workers


@contextmanager
def started_workers(route: Route, lab: Lab, names: list[str]) -> Iterator[Workers]:
    """Start a scheduler here and a worker on each of these hosts.

    Raises
    ------
    InputError
        See `own`.
    """
    start: Start = by_slurm(route.directives, SLURM_LIMIT_S) if route.slurm else over_ssh
    with own([worker_host(lab, name) for name in names], start, listen=route.listen) as workers:
        yield workers


def worker_host(lab: Lab, name: str) -> WorkerHost:
    """Return what Dask needs to know of a host."""
    host = lab.hosts[name]
    return WorkerHost(
        name, host.worker, host.address, host.reach == "local", host.python or COMMAND, lab.ssh_config
    )  # fmt: skip


def ways(workers: Workers | None) -> Callable[[Lab, Host], Reach]:
    """Return what gives the way to a host: over its Dask worker, where there is one, else as lab.toml says."""
    addresses = {} if workers is None else workers.addresses()

    def way(lab: Lab, host: Host) -> Reach:
        if workers is not None and host.name in addresses:
            return DaskReach(host.name, host.folder, workers.client, addresses[host.name])
        return reach_of(lab, host)

    return way


def crew_of(
    route: Route, lab: Lab, workers: Workers, barred: Mapping[str, tuple[str, str]]
) -> tuple[Crew, SharedClaims | None]:
    """Return the hosts over their workers, and the claims of other controllers, if the scheduler may have others."""
    if route.scheduler is None:  # a worker that did not start will not come
        barred = {name: ("no_worker", why) for name, why in workers.missing.items()} | dict(barred)
    crew = Crew(workers, lab.hosts, lambda host: reach_of(lab, host), barred, route.queue_s)
    return crew, None if route.scheduler is None else SharedClaims(workers.client, crew.has_ended)


def barred_hosts(check: LabCheck) -> dict[str, tuple[str, str]]:
    """Return the reason of each host that cannot take part.

    One that is not quiet takes part: its records note the load, and say what they are worth.
    """
    reasons = {name: [one for one in host.refusals if one.code != "not_quiet"] for name, host in check.hosts.items()}
    return {name: (found[0].code, found[0].detail) for name, found in reasons.items() if found}


def version_of(known: Mapping[str, Hello]) -> str:
    """Return the perwatt of a run: the one that most hosts have, and this machine's where two are equally frequent."""
    own_version = code_version()
    versions = Counter(hello.perwatt_version for hello in known.values())
    return max(versions, key=lambda one: (versions[one], one == own_version, one), default=own_version)
