"""The book of one lab run on the controller: its plan, its ledger, the lab file as it was, and the collected jobs.

`RESULTS/labs/RUN_ID/` holds `plan.json`, `lab.toml`, `ledger.jsonl` and `jobs/JOB_ID/`. The results themselves are
ordinary result folders in `RESULTS/`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.errors import not_written
from bench.results.labs.ledger import Event, EventKind, Ledger
from bench.results.labs.plan import Job, LabPlan
from bench.results.layout import LABS, result_names
from hardware_profiles.decoding import parse_json
from hardware_profiles.errors import InputError, near_names
from hardware_profiles.opening import MIB, Kind, read_input
from hardware_profiles.reading import validate
from sites.files import UnflushedError, new_folder

PLAN = Kind("plan of a lab run", 64 * MIB, stdin=False)
PLAN_FILE, LAB_FILE, LEDGER_FILE, JOBS_FOLDER = "plan.json", "lab.toml", "ledger.jsonl", "jobs"


class Book:
    """The plan and the ledger of one lab run.

    Parameters
    ----------
    store
        The results folder.
    plan
        The plan of the run.
    """

    def __init__(self, store: Path, plan: LabPlan) -> None:
        self.store = store
        self.plan = plan
        self.folder = store / LABS / plan.run_id
        self.ledger = Ledger(self.folder / LEDGER_FILE)

    @classmethod
    def create(cls, store: Path, plan: LabPlan, lab_toml: bytes) -> "Book":
        """Write a new book, completely or not at all, and return it.

        Raises
        ------
        InputError
            A run of this id exists, or the folder cannot be made.
        RunFailedError
            The disk refuses it.
        """
        book = cls(store, plan)
        try:
            with new_folder(book.folder) as folder:
                (folder / PLAN_FILE).write_bytes(plan.model_dump_json(indent=1).encode() + b"\n")
                (folder / LAB_FILE).write_bytes(lab_toml)
                (folder / LEDGER_FILE).write_bytes(b"")
        except UnflushedError:
            pass  # the run goes on: only a crash of this machine could lose the plan
        except OSError as error:
            raise not_written(book.folder, error) from None
        return book

    @classmethod
    def open(cls, store: Path, run_id: str = "") -> "Book":
        """Return the book of a run by its id or an unambiguous beginning of it; by default that of the latest run.

        Raises
        ------
        InputError
            There is no such run, several have this beginning, or its plan is faulty.
        """
        names = result_names(store / LABS)
        if not names:
            raise InputError(f"{store / LABS}: expected a lab run, got none; `perwatt lab run` makes one")
        matching = [run_id] if run_id in names else [name for name in names if name.startswith(run_id)]
        matching = matching if run_id else [_latest(store, names)]
        if len(matching) != 1:
            expected = "one lab run" if matching else "a known run id"
            near = matching[:3] or near_names(run_id, names)
            raise InputError.at(store / LABS, expected=expected, got=run_id, near=near)
        return cls(store, read_plan(store / LABS / matching[0]))

    @property
    def jobs_folder(self) -> Path:
        """Folder of the collected jobs."""
        return self.folder / JOBS_FOLDER

    @property
    def lab_file(self) -> Path:
        """The lab file as it was when the run began."""
        return self.folder / LAB_FILE

    def events(self) -> list[Event]:
        """Return all events, oldest first; see `Ledger.events`."""
        return self.ledger.events()

    def append(
        self, kind: EventKind, *, job: str = "", host: str = "", code: str = "", detail: str = "", **data: Any
    ) -> Event:
        """Append an event to the ledger and flush it; see `Ledger.append`."""
        return self.ledger.append(kind, job=job, host=host, code=code, detail=detail, **data)

    def add(self, job: Job) -> None:
        """Add a further attempt to the ledger; the plan does not change."""
        self.append("planned", job=job.id, host=job.host, planned=job.model_dump(mode="json"))

    def jobs(self, events: list[Event] | None = None) -> dict[str, Job]:
        """Return all jobs by id: those of the plan, then the further attempts.

        Raises
        ------
        InputError
            The ledger is faulty.
        """
        jobs = {job.id: job for job in self.plan.jobs}
        for event in self.events() if events is None else events:
            if event.kind == "planned":
                job = validate(Job, event.data.get("planned"), self.ledger.path)
                jobs[job.id] = job
        return jobs


def books(store: Path) -> Iterator[Book]:
    """Yield the books of all lab runs of a results folder, oldest first.

    Raises
    ------
    InputError
        The plan of a run is faulty.
    """
    for name in result_names(store / LABS):
        yield Book(store, read_plan(store / LABS / name))


def read_plan(folder: Path) -> LabPlan:
    """Return the plan of a run's folder.

    Raises
    ------
    InputError
        It is missing or faulty, or it is the plan of another run.
    """
    path = folder / PLAN_FILE
    plan = validate(LabPlan, parse_json(read_input(path, PLAN), path, PLAN.name), path)
    if plan.run_id != folder.name:
        raise InputError.at(path, "run_id", expected=folder.name, got=plan.run_id)
    return plan


def _latest(store: Path, names: list[str]) -> str:
    return max(names, key=lambda name: (read_plan(store / LABS / name).created_utc, name))
