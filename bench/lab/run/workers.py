"""One Dask worker a host: those of a scheduler that runs, or our own, started over SSH, here or by Slurm."""

import asyncio
import logging
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.lab.run.quiet_worker import HEARTBEAT_S, NO_DASHBOARD, QUIET, worker_options
from bench.machine.processes import run_tool
from hardware_profiles.errors import InputError, shown

WORKER_CLASS = "bench.lab.run.quiet_worker.QuietWorker"
CONNECT_S = 10.0
SILENT_S = 2.5 * HEARTBEAT_S  # [s] without a heartbeat after which a worker counts as gone
START_LIMIT_S = 60.0  # [s] until a worker has started, or its job of Slurm is queued


@dataclass(frozen=True, slots=True)
class WorkerHost:
    """What is needed to start or to know the Dask worker of a host."""

    name: str
    worker: str  # name of its worker
    address: str  # may hold user@ and be an alias of the ssh configuration
    local: bool  # whether the worker runs on this machine
    python: str  # the Python there that has perwatt
    ssh_config: Path | None = None


@dataclass(slots=True)
class Workers:
    """A client of a scheduler, and what has been started for it."""

    client: Any
    hosts: Sequence[WorkerHost]
    missing: dict[str, str] = field(default_factory=dict)  # host -> why its worker did not start
    beats: dict[str, tuple[float, float]] = field(default_factory=dict)  # address -> its last heartbeat, and when seen
    heard: dict[str, float] = field(default_factory=dict)  # host -> when its last heartbeat was seen, by this clock

    def addresses(self) -> dict[str, str]:
        """Return the address of the worker of every host that has one and sends heartbeats.

        Raises
        ------
        OSError
            The scheduler does not answer.
        """
        known = {worker["name"]: address for address, worker in self.identity().items() if self._beats(address, worker)}
        self.heard |= {host.name: self.beats[known[host.worker]][1] for host in self.hosts if host.worker in known}
        return {host.name: known[host.worker] for host in self.hosts if host.worker in known}

    def _beats(self, address: str, worker: dict[str, Any]) -> bool:
        """Return whether a worker sends heartbeats; the clock of the scheduler is not compared with ours."""
        last, now_s = float(worker["last_seen"]), time.monotonic()
        if self.beats.get(address, (None,))[0] != last:
            self.beats[address] = last, now_s
        return now_s - self.beats[address][1] < SILENT_S

    def heard_s(self, name: str) -> float:
        """Return when the last heartbeat of a host came by the wall clock [s]; 0 for never."""
        moment = self.heard.get(name)
        return 0.0 if moment is None else time.time() - (time.monotonic() - moment)

    def identity(self) -> dict[str, Any]:
        """Return what the scheduler knows of each worker, by its address.

        Raises
        ------
        OSError
            The scheduler does not answer.
        """
        try:
            answer = self.client.sync(self.client.scheduler.identity, n_workers=-1, callback_timeout=CONNECT_S)
        except Exception as error:  # noqa: BLE001 - Dask raises any kind of error for a lost connection
            raise OSError(type(error).__name__) from None
        workers: dict[str, Any] = answer["workers"]
        return workers


@contextmanager
def existing(address: str, hosts: Sequence[WorkerHost]) -> Iterator[Workers]:
    """Use the workers of a scheduler that runs already, matched with the hosts by name.

    Raises
    ------
    InputError
        The scheduler does not answer, two workers have one name, or none has the name of a host.
    """
    from sites.scenarios.cluster.connect import close, connect

    client = connect(address, CONNECT_S)
    try:
        workers = Workers(client, hosts)
        names = [str(worker["name"]) for worker in workers.identity().values()]
        for host in hosts:
            if names.count(host.worker) > 1:
                raise InputError.at(f"--scheduler {address}", expected="one worker a host", got=f"two {host.worker}")
            if host.worker not in names:
                workers.missing[host.name] = f"the scheduler has no worker named {host.worker}"
        if len(workers.missing) == len(hosts):
            expected = f"workers named as hosts, such as {hosts[0].worker} (dask worker --name)"
            raise InputError.at(f"--scheduler {address}", expected=expected, got=", ".join(sorted(names)[:5]))
        yield workers
    finally:
        close(client)


Start = Callable[[str, WorkerHost], Any]
"""Makes the object of Dask that starts the worker of a host for the scheduler at an address, when it is awaited."""


@contextmanager
def own(hosts: Sequence[WorkerHost], start: Start, *, listen: str | None) -> Iterator[Workers]:
    """Start a scheduler here and one worker a host; a host whose worker does not start is in `missing`.

    Parameters
    ----------
    hosts
        The hosts.
    start
        How a worker is started.
    listen
        Address of this machine at which the hosts reach the scheduler. [default: the one that routes to them]
    """
    import dask
    from distributed import Client, Scheduler, SpecCluster

    for name in ("distributed", "asyncssh"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what fails is one line of ours
    options = {"host": listen or source_address(hosts), "port": 0, **NO_DASHBOARD}
    with dask.config.set({**QUIET, "distributed.scheduler.allowed-failures": 0}):
        cluster = SpecCluster(scheduler={"cls": Scheduler, "options": options}, workers={})
        client = Client(cluster, set_as_default=False)
        started: list[Any] = []
        try:
            missing = cluster.sync(_start_all, cluster.scheduler_address, hosts, start, started)
            workers = Workers(client, hosts, missing)
            yield workers
        finally:
            with suppress(Exception):  # the measurements go on; that a worker cannot be closed changes nothing
                cluster.sync(_close_all, started, callback_timeout=CONNECT_S)
            with suppress(Exception):
                client.close(timeout=2)
            with suppress(Exception):
                cluster.close(timeout=CONNECT_S)


async def _start_all(scheduler: str, hosts: Sequence[WorkerHost], start: Start, started: list[Any]) -> dict[str, str]:
    """Start all workers at once, and return why some did not start."""
    missing = {}

    async def one(host: WorkerHost) -> None:
        try:
            worker = start(scheduler, host)
            started.append(worker)
            async with asyncio.timeout(START_LIMIT_S):
                await worker
        except TimeoutError:
            missing[host.name] = f"no worker within {START_LIMIT_S:g} s"
        except Exception as error:  # noqa: BLE001 - whatever fails on one host ends that host only
            missing[host.name] = shown(_last_line(error))

    await asyncio.gather(*(one(host) for host in hosts))
    return missing


def _last_line(error: Exception) -> str:
    """Return the last line of an error: of sbatch and ssh, that is what they printed last."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[-1]}" if lines else type(error).__name__


async def _close_all(started: Sequence[Any]) -> None:
    await asyncio.gather(*(worker.close() for worker in started), return_exceptions=True)


def _local_worker(scheduler: str, name: str) -> Any:
    """Return a worker on this machine whose end leaves its children alone: they are the keepers of measurements."""
    from distributed.deploy.spec import ProcessInterface
    from distributed.deploy.subprocess import SubprocessWorker

    class LocalWorker(SubprocessWorker):  # type: ignore[misc]  # distributed has no types
        async def close(self) -> None:
            if self.process is not None and self.process.returncode is None:
                self.process.kill()
                await self.process.wait()
            await ProcessInterface.close(self)

    options = {**worker_options(name), "silence_logs": logging.CRITICAL}  # its stderr is ours
    return LocalWorker(scheduler, WORKER_CLASS, name, options)


def over_ssh(scheduler: str, host: WorkerHost) -> Any:
    """Return Dask's SSH deployment of one worker; without SSHCluster, which ends if one of its hosts fails."""
    from distributed.deploy.ssh import Worker

    if host.local:
        return _local_worker(scheduler, host.worker)
    user, _, address = host.address.rpartition("@")
    connection: dict[str, Any] = {"connect_timeout": CONNECT_S, "login_timeout": CONNECT_S, "keepalive_interval": 15.0}
    if user:
        connection["username"] = user
    if host.ssh_config is not None:
        connection["config"] = [str(host.ssh_config)]
    return Worker(
        scheduler, address, connection, worker_options(host.worker), WORKER_CLASS, remote_python=host.python,
        name=host.worker,
    )  # fmt: skip


def by_slurm(directives: Sequence[str], limit_s: float) -> Start:
    """Return a function that starts the worker of a host as a job of Slurm on that node, alone and never again.

    Parameters
    ----------
    directives
        Further lines of #SBATCH.
    limit_s
        Time limit of each job [s].
    """
    import dask
    from dask_jobqueue.slurm import SLURMJob

    def start(scheduler: str, host: WorkerHost) -> Any:
        settings = dask.config.serialize(dask.config.global_config)
        return SLURMJob(
            scheduler, host.worker, cores=1, processes=1, memory="1GiB", nanny=False, python=host.python,
            worker_command="distributed.cli.dask_worker", job_name=f"perwatt-{host.name}",
            walltime=f"{int(limit_s // 60) + 1}", worker_extra_args=["--worker-class", WORKER_CLASS, "--no-dashboard"],
            job_script_prologue=[f"export DASK_INTERNAL_INHERIT_CONFIG={settings}"],
            job_directives_skip=["--mem=", "--cpus-per-task="],
            job_extra_directives=[f"--nodelist={host.name}", "--exclusive", "--no-requeue", *directives],
        )  # fmt: skip

    return start


def source_address(hosts: Sequence[WorkerHost]) -> str:
    """Return the address of this machine that routes to all hosts; nothing is sent.

    Raises
    ------
    InputError
        Hosts are reached from different addresses.
    """
    found = {address for host in hosts if not host.local if (address := _source(_resolved(host)))}
    if len(found) > 1:
        raise InputError.at(
            "--listen",
            expected="the address of this machine that all hosts reach",
            got=f"several: {', '.join(sorted(found))}",
        )
    return next(iter(found), "127.0.0.1")


def _resolved(host: WorkerHost) -> str:
    """Return the name or address of a host that ssh connects to, which an alias of its configuration stands for."""
    config = () if host.ssh_config is None else ("-F", str(host.ssh_config))
    done = run_tool(["ssh", *config, "-G", "--", host.address], CONNECT_S, {})
    words = dict(line.split(" ", 1) for line in done.output.splitlines() if " " in line)
    return words.get("hostname", host.address.rpartition("@")[2])


def _source(address: str) -> str:
    """Return our address towards a host, or an empty text if its name cannot be resolved."""
    try:
        [(family, kind, _, _, target), *_] = socket.getaddrinfo(address, 9, type=socket.SOCK_DGRAM)
        with socket.socket(family, kind) as probe:
            probe.connect(target)
            return str(probe.getsockname()[0])
    except (OSError, UnicodeError):  # UnicodeError: a name with an empty label
        return ""
