"""The stored ramp of a simulated unit."""

from datetime import UTC, datetime
from pathlib import Path

from bench.measure.plans import get_plan
from bench.measure.runner import Job
from bench.ramp.checks import device_of
from bench.ramp.course import Terms
from bench.ramp.result import Run, store
from bench.results.record import Record
from doubles.ramp.bench import RULE, Bench


def store_ramp(folder: Path, bench: Bench, **terms) -> Record:
    """Switch a simulated unit and store its record."""
    course = bench.carry_out(**terms)
    run = Run(
        job=Job("run", ("perwatt", "ramp"), get_plan("quick"), folder, {}, (None, None)),
        device=device_of("luxos", course.first),
        lever="luxos",
        terms=Terms(2, 90.0, 2000.0, 5.0, RULE),
        info=bench.info,
        lag_s=0.0,
        rate_averaging_s=5.0,
        started=datetime(2026, 12, 1, tzinfo=UTC),
    )
    return store(run, course, bench.all_readings())
