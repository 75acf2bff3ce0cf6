"""Lanes: groups of measurements that Slurm runs one after the other, because each shares something with another."""

from collections.abc import Iterable, Mapping

from bench.lab.inventory.lab import Lab
from bench.results.labs.plan import Job


def lane_names(lab: Lab) -> dict[str, str]:
    """Return the lane of every domain of a lab: domains that one measurement occupies together are in one lane.

    A lane is named after its first domain in alphabetical order, so that every run of the lab has the same names.
    """
    occupied = [lab.domains_of_host(name) for name in lab.hosts]
    occupied += [lab.domains_of_miner(name) for name in lab.miners]
    lane: dict[str, set[str]] = {}
    for domains in occupied:
        joined = set(domains).union(*(lane.get(domain, ()) for domain in domains))
        lane.update(dict.fromkeys(joined, joined))
    return {domain: min(joined, key=_rank) for domain, joined in lane.items()}


def lanes(jobs: Iterable[Job], names: Mapping[str, str]) -> dict[str, list[Job]]:
    """Return the jobs of each lane in their order.

    Parameters
    ----------
    jobs
        The jobs.
    names
        Lane of every domain; see `lane_names`.
    """
    by_lane: dict[str, list[Job]] = {}
    for job in jobs:
        by_lane.setdefault(names[job.domains[0]], []).append(job)
    return by_lane


def _rank(domain: str) -> tuple[bool, str]:
    """Power domains come before `host:`, `miner:` and `meter:`, which stand for a single thing."""
    return ":" in domain, domain
