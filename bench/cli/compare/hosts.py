"""`perwatt compare --by host`: the units of each model, their spread, outliers and drift, below the coverage."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bench.cli.compare.text import as_csv, as_markdown
from bench.cli.output import emit_json, emit_text, say, warn
from bench.cli.table import print_table
from hardware_profiles.errors import InputError, near_names

if TYPE_CHECKING:
    from bench.fleet.study import Fleet
    from bench.results.record import Record

PIPE_WIDTH = 200


def compare_hosts(names: Sequence[str], store: Path, shape: str) -> None:
    """Print the units of every host.

    Parameters
    ----------
    names
        Workloads, or names of results; every result of the store if empty.
    store
        The results folder.
    shape
        Format of the output: table, markdown, csv or json.

    Raises
    ------
    InputError
        A name is neither a workload of the results nor a result, or no result is of a known unit.
    """
    from bench.cli.lab.tables import coverage_document
    from bench.fleet import table

    fleet = read_fleet(names, store)
    if shape == "json":
        covered = [coverage_document(one) for one in fleet.coverages]
        emit_json({**table.document(fleet), "coverage": covered, "coverage_notes": list(table.coverage_lines(fleet))})
    elif shape == "csv":
        emit_text(as_csv(table.flat_rows(fleet)).rstrip("\n"))
    else:
        print_fleet(fleet, markdown=shape == "markdown")


def read_fleet(names: Sequence[str], store: Path) -> "Fleet":
    """Return the fleet of the named results, or of a whole results folder.

    Raises
    ------
    InputError
        As `compare_hosts`.
    """
    from bench.fleet.study import fleet
    from bench.results.labs.coverage import coverages

    records, workloads, unreadable = _named(names, store)
    every = set(names) <= set(workloads)  # then also runs that left no result
    of_lab = coverages(store, None if every else [record.id for record in records])
    if workloads:
        rows = ((one, tuple(row for row in one.rows if _of(row.job.workload, workloads))) for one in of_lab)
        of_lab = [replace(one, rows=kept) for one, kept in rows if kept]
    found = fleet(records, of_lab, workloads)
    if unreadable:
        found = replace(found, not_counted={**found.not_counted, "unreadable or changed": unreadable})
    if not found.studies:
        reasons = ", ".join(f"{count} {reason}" for reason, count in found.not_counted.items())
        got = f"{len(records)} that do not count ({reasons})" if reasons else "no result at all"
        raise InputError(f"compare --by host: expected a result of a known unit in {store}, got {got}")
    return found


def _of(job: str, workloads: Sequence[str]) -> bool:
    """Return whether a planned measurement is of one of the workloads; its name may carry a variant."""
    return job.partition(":")[0] in workloads


def _named(names: Sequence[str], store: Path) -> "tuple[list[Record], list[str], int]":
    """Return the records of the names, those names that are workloads, and how many results cannot be read."""
    from bench.results.folder import find_result, read_whole
    from bench.results.layout import result_folders

    every: list[Record] = []
    unreadable = 0
    for folder in result_folders(store):
        try:
            every.append(read_whole(folder))
        except InputError as fault:
            warn(f"not counted: {fault}")
            unreadable += 1
    known = sorted({record.workload.name for record in every})
    workloads = [name for name in names if name in known]
    others = [name for name in names if name not in known]
    if not others:
        return every, workloads, unreadable
    records = {record.id: record for record in every if record.workload.name in workloads}
    for name in others:
        try:
            record = read_whole(find_result(store, name))
        except InputError as fault:
            near = near_names(name, known)
            raise InputError(f"{fault}" + (f"; or the workload {' or '.join(near)}?" if near else "")) from None
        records[record.id] = record
        workloads += [record.workload.name] if workloads else []
    return list(records.values()), workloads, 0


def print_fleet(fleet: "Fleet", *, markdown: bool = False) -> None:
    """Print a fleet: first the coverage, then each model with its figures and its units."""
    from bench.cli.lab.tables import print_coverage
    from bench.fleet import table

    for covered in fleet.coverages:
        print_coverage(covered)
    for line in table.coverage_lines(fleet):
        say(line)
    for model in fleet.models:
        studies = fleet.of(model)
        say()
        _print(table.title_of(model), table.MODEL_COLUMNS, table.model_rows(studies), markdown=markdown)
        for line in table.captions(studies):
            say(line)
        _print("", table.UNIT_COLUMNS, table.unit_rows(studies), markdown=markdown)
    for line in table.tests(fleet.studies):
        say(line)


def _print(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], *, markdown: bool) -> None:
    if markdown:
        say(title) if title else None
        say()
        emit_text(as_markdown(columns, rows))
        say()
        return
    print_table(columns, rows, title=title or None, right=range(2, 9), piped=PIPE_WIDTH)
