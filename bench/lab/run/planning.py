"""The jobs of a run: every workload on every chosen host and device, as often as asked, and the miners of the lab."""

import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bench.lab.inventory.lab import Host, Lab, Miner
from bench.lab.messages import Hello
from bench.measure.plans import get_plan
from bench.network.node_sets import expand
from bench.results.labs.plan import Job, JobParts, LabPlan
from bench.workloads.registry import entry
from hardware_profiles.errors import InputError, near_names

MINERS = "asic"
"""The word among the workloads that stands for the miners of the lab."""

UNKNOWN_GPU = "gpu:unknown"
"""Device of a job for a host that has named no GPU: the job is refused, and stands in the coverage."""

DEADLINES_S = {"smoke": 120.0, "quick": 1800.0, "publish": 7200.0}
"""Time that a measurement may take by its plan [s], several times what it usually takes."""

MINER_DEADLINE_S = 6 * 3600.0  # [s] a miner settles first, and its shares come by chance


@dataclass(frozen=True, slots=True)
class Request:
    """What a run shall measure."""

    workloads: tuple[str, ...]
    plan: str
    hosts: tuple[str, ...] = ()  # node sets; all hosts if there is none
    tags: tuple[str, ...] = ()  # hosts and miners that have all of them
    meters: tuple[str, ...] = ()  # in addition to those of lab.toml
    repeat: int = 1
    deadline_s: float | None = None


def check(request: Request, lab: Lab) -> None:
    """Refuse a request that no host could fulfil.

    Raises
    ------
    InputError
        A plan, workload, host or tag is unknown, or nothing is left to measure.
    """
    get_plan(request.plan)
    if not request.workloads:
        raise InputError.at("WORKLOAD", expected=f"at least one workload, or {MINERS} for the miners of the lab")
    for name in request.workloads:
        if name != MINERS and entry(name).device_kind not in {"cpu", "gpu"}:
            raise InputError.at("WORKLOAD", expected=f"a workload of hosts, or {MINERS} for the miners", got=name)
    for text in request.hosts:
        for name in expand(text, "--host"):
            if name not in lab.hosts and name not in lab.miners:
                near = near_names(name, (*lab.hosts, *lab.miners))
                raise InputError.at("--host", expected=f"a host or miner of {lab.path}", got=name, near=near)
    tags = {tag for host in lab.hosts.values() for tag in host.tags}
    tags |= {tag for miner in lab.miners.values() for tag in miner.tags}
    for tag in request.tags:
        if tag not in tags:
            raise InputError.at("--tag", expected=f"a tag of {lab.path}", got=tag, near=near_names(tag, tags))
    if not involved(request, lab):
        raise InputError(f"{lab.path}: expected at least one host or miner to measure, got none")


def involved(request: Request, lab: Lab) -> list[str]:
    """Return the names of all hosts that measure something, in the order of the lab file."""
    names = set(_hosts(request, lab)) if set(request.workloads) - {MINERS} else set[str]()
    names |= {lab.miners[name].measured_from for name in _miners(request, lab)}
    return [name for name in lab.hosts if name in names]


def plan_of(
    request: Request, lab: Lab, known: Mapping[str, Hello], version: str, extra: Mapping[str, Sequence[str]]
) -> LabPlan:
    """Return the plan of a new run: first all hosts once, then all hosts again.

    Parameters
    ----------
    request
        What is measured.
    lab
        The lab.
    known
        What each host says of itself; a host that does not answer has a job for its CPU or a GPU all the same.
    version
        The perwatt of the run.
    extra
        Further arguments for the runs of a host or miner: a meter that another host reads.
    """
    now = datetime.now(UTC)
    run_id = f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
    jobs = []
    for number in range(request.repeat):
        for parts in _parts(request, lab, known, extra):
            again = {"argv": parts["argv"], "workload": parts["workload"]}
            if request.repeat > 1:
                again["workload"] = f"{parts['workload']} #{number + 1}"
            jobs.append(
                Job.of(JobParts.model_validate({**parts, **again, "run_id": run_id, "perwatt_version": version}))
            )
    return LabPlan(
        run_id=run_id, lab=lab.name, lab_folder=str(lab.path.resolve().parent), created_utc=now,
        perwatt_version=version, jobs=tuple(jobs),
    )  # fmt: skip


def _parts(
    request: Request, lab: Lab, known: Mapping[str, Hello], extra: Mapping[str, Sequence[str]]
) -> Iterator[dict[str, object]]:
    for workload in request.workloads:
        if workload == MINERS:
            for name in _miners(request, lab):
                miner = lab.miners[name]
                arguments = ("asic", "--miner", miner.address, *_common(request, miner.meters), *extra.get(name, ()))
                yield {
                    "host": miner.measured_from, "host_id": _host_id(known, miner.measured_from),
                    "device": f"asic:{name}", "workload": MINERS, "argv": arguments, "plan": request.plan,
                    "domains": lab.domains_of_miner(name), "deadline_s": request.deadline_s or MINER_DEADLINE_S,
                }  # fmt: skip
            continue
        for name in _hosts(request, lab):
            arguments = (workload, *_common(request, lab.hosts[name].meters), *extra.get(name, ()))
            for device in _devices(workload, known.get(name)):
                yield {
                    "host": name, "host_id": _host_id(known, name), "device": device, "workload": workload,
                    "argv": arguments, "plan": request.plan, "domains": lab.domains_of_host(name),
                    "deadline_s": request.deadline_s or DEADLINES_S.get(request.plan, max(DEADLINES_S.values())),
                }  # fmt: skip


def _common(request: Request, meters: Collection[str]) -> tuple[str, ...]:
    specs = [text for spec in dict.fromkeys((*meters, *request.meters)) for text in ("--meter", spec)]
    return ("--plan", request.plan, *specs)


def _devices(workload: str, host: Hello | None) -> list[str]:
    """Return the devices of a host for a workload: its CPU, or each of its GPUs by its UUID."""
    if entry(workload).device_kind == "cpu":
        return ["cpu"]
    gpus = [seen.device for seen in host.devices if seen.device.startswith("gpu:")] if host else []
    return gpus or [UNKNOWN_GPU]


def _host_id(known: Mapping[str, Hello], name: str) -> str:
    return known[name].host_id if name in known else ""


def _hosts(request: Request, lab: Lab) -> list[str]:
    return [name for name, host in lab.hosts.items() if _is_chosen(request, host)]


def _miners(request: Request, lab: Lab) -> list[str]:
    if MINERS not in request.workloads:
        return []
    return [name for name, miner in lab.miners.items() if _is_chosen(request, miner)]


def _is_chosen(request: Request, machine: Host | Miner) -> bool:
    named = {name for text in request.hosts for name in expand(text, "--host")}
    return (not named or machine.name in named) and set(request.tags) <= set(machine.tags)
