"""What the ledger of a run says of the shared meters: clocks before and after each job, and who else was at work."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from bench.lab.clocks.alignment import Look
from bench.lab.clocks.offset import ClockOffset
from bench.lab.look.load import not_idle
from bench.lab.look.messages import Load
from bench.results.labs.ledger import Event
from bench.results.labs.plan import Job
from bench.results.part import Part
from hardware_profiles.errors import InputError
from hardware_profiles.reading import validate

BEFORE, AFTER = "before", "after"
_OVER = frozenset({"ended", "lost", "refused", "cancelled", "collected"})


class Side(Part):
    """The clocks of both hosts, before a job or after it."""

    measuring: ClockOffset
    reading: ClockOffset

    @property
    def look(self) -> Look:
        """The clocks as the alignment takes them."""
        return Look(self.measuring, self.reading)


class Evidence(NamedTuple):
    """What is known of one shared meter around one job."""

    before: Side | None
    after: Side | None
    busy: str  # why another machine behind the meter was not surely idle; empty if all were


def logs_around(jobs: Mapping[str, Job], job: str) -> list[Job]:
    """Return the logs of shared meters that were started around a job: of each meter the latest."""
    latest = {log.device: log for log in jobs.values() if log.is_log and log.workload == log_title(job)}
    return list(latest.values())


def log_title(job: str) -> str:
    """Return what a log is called in tables, and by what the ledger knows which job it belongs to."""
    return f"log around {job}"


def evidence_of(events: list[Event], log: Job, others: Collection[str]) -> Evidence:
    """Return what is known of a shared meter around a job.

    Parameters
    ----------
    events
        All events of the run, oldest first.
    log
        The log of the meter.
    others
        Ids of the other jobs of machines behind the meter.

    Raises
    ------
    InputError
        A line of the ledger is faulty.
    """
    sides = {
        str(event.data.get("when")): (position, event)
        for position, event in enumerate(events)
        if event.kind == "clock" and event.data.get("log") == log.id
    }
    if not {BEFORE, AFTER} <= sides.keys():
        only = sides.get(BEFORE)
        return Evidence(None if only is None else _side(only[1]), None, "")
    (first, before), (last, after) = sides[BEFORE], sides[AFTER]
    busy = "; ".join((*_at_work(events[:last], first, others), *_not_idle(before, after)))
    return Evidence(_side(before), _side(after), busy)


def _side(event: Event) -> Side:
    clocks = {name: event.data.get(name) for name in Side.model_fields}
    return validate(Side, clocks, f"ledger: clocks of job {event.job}")


def _at_work(events: list[Event], first: int, others: Collection[str]) -> Iterator[str]:
    """Yield the hosts of other jobs that ran at some time from an event on."""
    running: dict[str, str] = {}
    for position, event in enumerate(events):
        if event.job not in others:
            continue
        if event.kind == "starting":
            running[event.job] = event.host
        elif event.kind in _OVER and position < first:
            running.pop(event.job, None)
    yield from (f"{host} measured meanwhile" for host in dict.fromkeys(running.values()))


def _not_idle(before: Event, after: Event) -> Iterator[str]:
    """Yield each other machine that was not surely idle between two events, with the reason."""
    first, last = (_loads(event) for event in (before, after))
    for name, load in first.items():
        later = last.get(name, "it was not asked after the run")
        if isinstance(load, str) or isinstance(later, str):
            yield f"{name} is not known to be idle: {load if isinstance(load, str) else later}"
        elif words := not_idle(load, later):
            yield f"{name} was not idle: {words}"


def _loads(event: Event) -> dict[str, Load | str]:
    others: dict[str, Any] = dict(event.data.get("others") or {})
    return {name: _load(name, value) for name, value in others.items()}


def _load(name: str, value: object) -> Load | str:
    if isinstance(value, str):
        return value
    try:
        return validate(Load, value, f"ledger: load of {name}")
    except InputError as fault:
        return str(fault)
