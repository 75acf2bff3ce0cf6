"""The coverage of a lab run as a table, and as a JSON document."""

from typing import TYPE_CHECKING, Any

from bench.cli.output import say
from bench.cli.table import print_table

if TYPE_CHECKING:
    from bench.results.labs.coverage import Coverage, JobStatus


def print_coverage(coverage: "Coverage", *, every: bool = False) -> None:
    """Print the coverage of a run on one line, then the measurements that are not stored here.

    Parameters
    ----------
    coverage
        The coverage.
    every
        Whether to list what was measured too.
    """
    say(f"coverage   {coverage.lab}, run {coverage.run_id}: {coverage.line()}")
    rows = [row for row in coverage.rows if every or row.state != "measured"]
    if rows:
        cells = [(row.job.host, row.job.device, row.job.workload, row.state, _why(row)) for row in rows]
        print_table(("host", "device", "workload", "state", "reason or result"), cells)


def _why(row: "JobStatus") -> str:
    attempt = f" (attempt {row.job.attempt})" if row.job.attempt > 1 else ""
    return (row.reason or ", ".join(row.results)) + attempt


def coverage_document(coverage: "Coverage") -> dict[str, Any]:
    """Return the coverage of a run as JSON-ready data."""
    return {
        "run_id": coverage.run_id,
        "lab": coverage.lab,
        "planned": len(coverage.rows),
        "counts": coverage.counts,
        "measurements": [
            {
                "job": row.job.id,
                "host": row.job.host,
                "host_id": row.job.host_id or None,
                "device": row.job.device,
                "workload": row.job.workload,
                "attempt": row.job.attempt,
                "state": row.state,
                "code": row.code or None,
                "reason": row.reason or None,
                "results": list(row.results),
                "last_utc": None if row.last is None else row.last.isoformat(),
            }
            for row in coverage.rows
        ],
    }
