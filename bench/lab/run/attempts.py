"""Second attempts: new jobs that supersede those that were lost or failed."""

from collections.abc import Mapping

from bench.results.labs.book import Book
from bench.results.labs.coverage import coverage
from bench.results.labs.plan import Job


def add_attempts(book: Book, host_ids: Mapping[str, str] | None = None) -> list[Job]:
    """Add the next attempt of every measurement that was lost or failed, and return the new jobs.

    A job that never started on its host needs none: it is begun again under its own id.

    Parameters
    ----------
    book
        The run.
    host_ids
        Key of the machine of each host, where a first attempt did not know it.

    Raises
    ------
    RunFailedError
        The book cannot be written.
    """
    added = []
    for row in coverage(book).rows:
        if row.state in {"failed", "lost"}:
            only = row.results[0] if len(row.results) == 1 else None
            job = row.job.again((host_ids or {}).get(row.job.host, ""), result=only)
            book.add(job)
            added.append(job)
    return added


def unfinished(book: Book, *, again: bool) -> list[Job]:
    """Return the jobs that a controller has to begin, to watch or to collect.

    Parameters
    ----------
    book
        The run.
    again
        Whether jobs count that were refused before.

    Raises
    ------
    InputError
        The ledger is faulty.
    """
    states = {"planned", "running", "ended", *(["refused"] if again else [])}
    return [row.job for row in coverage(book).rows if row.state in states]
