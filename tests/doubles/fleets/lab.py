"""The book of a lab run in a results folder: its plan, and what came of each planned measurement."""

from datetime import UTC, datetime

from bench.results.labs.book import Book
from bench.results.labs.plan import Job, JobParts, LabPlan


def lab_run(store, workload, measured, others):
    """Write a run in which hosts measured these results (by host), and others did not (host: kind and code)."""

    def job(host):
        return Job.of(JobParts(
            run_id="run-1", host=host, host_id="", device="cpu", workload=workload, argv=(workload,), plan="quick",
            domains=(f"host:{host}",), perwatt_version="0.1.0", deadline_s=600.0,
        ))  # fmt: skip

    jobs = {host: job(host) for host in [*measured, *others]}
    plan = LabPlan(
        run_id="run-1", lab="georgia", created_utc=datetime(2026, 3, 1, tzinfo=UTC), perwatt_version="0.1.0",
        jobs=tuple(jobs.values()),
    )  # fmt: skip
    book = Book.create(store, plan, b"")
    for host, result in measured.items():
        book.append("collected", job=jobs[host].id, host=host, results=[result])
    for host, (kind, code) in others.items():
        book.append(kind, job=jobs[host].id, host=host, code=code)
    return book
