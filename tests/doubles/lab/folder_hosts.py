"""Hosts of a lab as folders in this process: the same functions answer, and nothing is measured."""

import io
from contextlib import contextmanager
from datetime import UTC, datetime

from bench.lab.errors import HostError
from bench.lab.host import layout
from bench.lab.host.answer import answer
from bench.lab.host.bundle import write_bundle
from bench.lab.host.identity import stamp
from bench.lab.host.sealing import seal
from bench.results.labs.book import Book
from bench.results.labs.ending import Ending
from bench.results.labs.plan import Job, JobParts, LabPlan
from bench.results.record import Record
from bench.results.writing import write_record
from doubles.asic_result import asic_document

RUN = "20261130T220000Z-lab"


class FolderReach:
    """A host that is a folder; `machine` is the key that it says it has."""

    def __init__(self, host, folder, machine):
        self.host, self.folder, self.machine = host, folder, machine
        self.asked = []
        self.change = lambda data: data  # what happens to a bundle on its way

    @contextmanager
    def open(self, **_):
        yield self

    def ask(self, verb, request=None, **_):
        self.asked.append(verb)
        document = answer(verb, str(self.folder), request or {})
        if "refused" in document:
            raise HostError(self.host, document["refused"], document["detail"])
        return document | ({"host_id": self.machine} if "host_id" in document else {})

    @contextmanager
    def fetch(self, job_ids, **_):
        self.asked.append("fetch")
        stream = io.BytesIO()
        write_bundle(self.folder, job_ids, stream)
        yield Cut(self.host, self.change(stream.getvalue()))


class Cut(io.BytesIO):
    """A bundle on its way; one that ends before its end is a lost connection."""

    def __init__(self, host, data):
        super().__init__(data)
        self.host, self.whole = host, data.endswith(bytes(1024))

    def read(self, size=-1, /):
        data = super().read(min(size, 70_000) if size > 0 else size)
        if not data and not self.whole:
            raise HostError(self.host, "no_answer", "the connection was lost")
        return data


def machine(host):
    """Return the key of the machine of a host."""
    return f"{sum(map(ord, host)) * 2654435761 % 2**32:08x}"


def job(host, workload="sha256d_scan_asic", *, number=0, **changes):
    """Return a job of the run RUN on a host."""
    parts = {
        "run_id": RUN, "host": host, "host_id": machine(host), "device": "cpu", "workload": f"{workload}#{number}",
        "argv": (workload,), "plan": "smoke", "domains": (f"host:{host}",), "perwatt_version": "0.1.0",
        "deadline_s": 60.0, **changes,
    }  # fmt: skip
    return Job.of(JobParts(**parts))


def book_of(store, jobs, toml=b"[lab]\nname = 'x'\n[[host]]\nname = 'a'\nreach = 'local'\n"):
    """Make the book of a run of these jobs."""
    plan = LabPlan(
        run_id=RUN, lab="x", created_utc=datetime(2026, 11, 30, 22, tzinfo=UTC), perwatt_version="0.1.0",
        jobs=tuple(jobs),
    )  # fmt: skip
    return Book.create(store, plan, toml)


def finish(folder, one, **changes):
    """Make a finished job in the folder of a host, and return its folder; see `unsealed`."""
    return seal(*unsealed(folder, one, **changes))


def unsealed(folder, one, *, number=0, results=1, status="ok", host_id=None, **changes):
    """Make a job that has just ended, with results of an invented miner; return its partial folder and its ending."""
    key = host_id or one.host_id
    partial = layout.partial(folder, one.id)
    (partial / layout.RESULTS_FOLDER).mkdir(parents=True)
    (partial / layout.JOB_FILE).write_text(one.model_dump_json())
    (partial / layout.LOG_FILE).write_text("measured\n")
    ids = []
    for index in range(results):
        document = asic_document(number * 10 + index, status=status)
        document["run"]["host"] = {"id": key, "name": one.host}
        record = Record.model_validate(document)
        write_record(partial / layout.RESULTS_FOLDER, record, [])
        ids.append(record.id)
    exit_status = 0 if status == "ok" else 1
    ending = Ending(
        job=one.id, host=one.host, host_id=key, perwatt_version=one.perwatt_version, exit_status=exit_status,
        started=stamp(), ended=stamp(), results=tuple(ids), **changes,
    )  # fmt: skip
    return partial, ending
