"""What all sweeps share: the lever, the course with its lines on the screen, the curve, and the exit status."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli.output import emit_json, fault, printable, say

if TYPE_CHECKING:
    from bench.cli.sweep.options import Asked
    from bench.levers.held import HeldLever
    from bench.levers.journal import Device
    from bench.results.record import Record
    from bench.sweep.course import Course

Settings = Mapping[str, str | None]


@contextmanager
def opened_lever(name: str, address: str, options: Mapping[str, str]) -> "Iterator[tuple[HeldLever, Device]]":
    """Open a lever, look at its device once, and release it in every ending."""
    from bench.levers.held import HeldLever
    from bench.levers.journal import Device
    from bench.levers.registry import open_lever

    with HeldLever(open_lever(name, address, options)) as held:
        yield held, Device(name, address, dict(options), held.observe().identity)


def settings_of(device: "Device", level: str, as_found: str | None) -> Settings:
    """Return the settings of a device that its record states."""
    from bench.sweep.curve import AS_FOUND, LEVEL, LEVER

    return {LEVER: device.lever, LEVEL: level, AS_FOUND: as_found}


def teller(*, quiet: bool) -> Callable[[str], None]:
    """Return what prints a line; on standard error if standard output is for a program."""
    return (lambda line: click.echo(printable(line), err=True)) if quiet else say


def finish(course: "Course", asked: "Asked", store: Path, *, as_json: bool) -> int:
    """Print the curve of a sweep, draw it if asked, and return the exit status."""
    from bench.cli.run.tables import document, exit_status
    from bench.cli.sweep.tables import curve_document, print_curve
    from bench.sweep.curve import curve_of

    records: list[Record] = course.records
    valid = any(record.status == "ok" and record.rate is not None for record in records)
    curve = curve_of(records) if valid else None
    if as_json:
        shown = {**document(records, store, None), "schema": "perwatt.sweep/1", "fault": course.fault or None}
        emit_json({**shown, "curve": None if curve is None else curve_document(curve)})
    elif curve is not None:
        print_curve(curve)
        say(f"stored in {store}/: {', '.join(record.id for record in records)}")
    if curve is not None and asked.plot is not None:
        from bench.sweep.plot import save

        save(curve, asked.plot)
    if course.fault:
        fault(f"the sweep ended early: {course.fault}")
        return 1
    return exit_status(records)
