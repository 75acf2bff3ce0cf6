"""Section 6 of the page: the provenance of its figures: warnings with cures, records, hashes, environments."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from bench import diagnostics
from bench.report.blocks import Block, Cell, Chip, Facts, Missing, Notice, Notices, Section, Table, Tone
from bench.results.layout import RECORD, RECORD_FILE
from hardware_profiles.errors import InputError
from hardware_profiles.opening import read_input

if TYPE_CHECKING:
    from bench.report.gather import Gathered, Stored
    from bench.results.record import Reason, Record

_STATUS: dict[str, Tone] = {"ok": "good", "invalid": "bad", "failed": "bad"}
_SYSTEMS = 4
_WHERE = 6


def section(gathered: "Gathered") -> Section:
    """Return the section of provenance."""
    blocks: list[Block] = []
    warnings = _notices(gathered)
    if warnings:
        blocks.append(Notices(warnings))
    elif gathered.results:
        blocks.append(Missing("Warnings", "none: no result on this page carries a warning or a reason"))
    blocks.append(_table(gathered) if gathered.results else Missing("Records", "no result that could be read"))
    if gathered.unreadable:
        blocks.append(_unreadable(gathered))
    if gathered.unfinished:
        blocks.append(
            Missing(
                "Unfinished",
                f"{gathered.unfinished} temporary folders of stopped runs; they hold no results and may be deleted",
            )
        )
    blocks.extend(_systems(gathered))
    return Section(
        "provenance",
        "Provenance: records, hashes, warnings",
        "Every figure above can be traced to one of these records. Warnings come first, each with its cure.",
        tuple(blocks),
    )


def _notices(gathered: "Gathered") -> tuple[Notice, ...]:
    """Return the notices of all records, and those of results that are not used."""
    unread = tuple(
        Notice(
            Chip("not read", "bad"),
            one.folder,
            one.reason,
            "read it with the version of perwatt that wrote it, or run again",
        )
        for one in gathered.unreadable[:_WHERE]
    )
    return _by_weight((*notices_of(gathered.records), *unread))


def notices_of(records: "Sequence[Record]", name_of: "Callable[[Record], str] | None" = None) -> tuple[Notice, ...]:
    """Return one notice for each code, invalid ones first, with the records that carry it.

    Parameters
    ----------
    records
        The records.
    name_of
        Returns the name of a record; by default it is that of its workload and variant.
    """
    carriers: dict[tuple[str, bool], list[tuple[str, Reason]]] = {}
    for record in records:
        name = (name_of or _workload_name)(record)
        for reason in record.reasons:
            carriers.setdefault((reason.code, True), []).append((name, reason))
        for reason in record.warnings:
            carriers.setdefault((reason.code, False), []).append((name, reason))
    return _by_weight([_notice(code, invalid, named) for (code, invalid), named in carriers.items()])


def _by_weight(notices: "Sequence[Notice]") -> tuple[Notice, ...]:
    order = {"invalid": 0, "not read": 1, "no energy": 2, "warning": 3, "note": 4}
    return tuple(sorted(notices, key=lambda one: order.get(one.chip.text, 5)))


def _workload_name(record: "Record") -> str:
    return f"{record.workload.name} {record.workload.variant}".strip()


def _notice(code: str, invalid: bool, records: "list[tuple[str, Reason]]") -> Notice:
    row = diagnostics.TABLE.get(code)
    if invalid:
        chip = Chip("invalid", "bad")
    elif row is None or row.effect is diagnostics.Effect.NOTE:
        chip = Chip("note")
    elif row.effect is diagnostics.Effect.WARN:
        chip = Chip("warning", "warn")
    else:
        chip = Chip("no energy", "bad")
    named = dict.fromkeys(name + (f": {reason.detail}" if reason.detail else "") for name, reason in records)
    listed = list(named)[:_WHERE]
    more = f"; and {len(named) - _WHERE} more" if len(named) > _WHERE else ""
    sentence = row.sentence if row else "a code that this version does not know"
    return Notice(chip, code, sentence, row.cure if row else "", "; ".join(listed) + more)


def _table(gathered: "Gathered") -> Table:
    columns = (
        "Record",
        "Status",
        "Workload",
        "Device",
        "Started (UTC)",
        "Plan",
        "Code",
        "Meters",
        "SHA-256 of result.json",
        "Samples",
        "Signature",
    )
    rows = tuple(_row(stored) for stored in reversed(gathered.results))
    superseded = sum(1 for record in gathered.records if record.supersedes)
    note = f"{superseded} of them correct earlier records." if superseded else ""
    return Table("records", f"Records: {len(rows)}, newest first", columns, rows, sortable=True, note=note)


def _row(stored: "Stored") -> tuple[Cell, ...]:
    record, run = stored.record, stored.record.run
    commit = (run.commit[:10] + ("+" if run.commit_dirty else "")) if run.commit else "no checkout"
    codes = ", ".join(reason.code for reason in (*record.reasons, *record.warnings))
    return (
        Cell(record.id, note=f"corrects {record.supersedes}" if record.supersedes else ""),
        Cell("", record.status, (Chip(record.status, _STATUS[record.status]),), note=codes),
        Cell(_workload_name(record), note=f"version {record.workload.version}"),
        Cell(record.device.name),
        Cell(f"{run.started_utc:%Y-%m-%d %H:%M:%S}"),
        Cell(run.plan),
        Cell(f"{run.perwatt_version} {commit}"),
        Cell(", ".join(record.meters) or "not metered", ", ".join(record.meters)),
        Cell(_digest(stored)),
        Cell(*(("hash agrees", "agrees") if record.artifacts else ("none stored", ""))),
        Cell(stored.signature),
    )


def _digest(stored: "Stored") -> str:
    try:
        return hashlib.sha256(read_input(stored.folder / RECORD_FILE, RECORD)).hexdigest()[:16]
    except InputError:
        return "unreadable"


def _unreadable(gathered: "Gathered") -> Table:
    columns = ("Folder", "Schema", "Workload", "Status", "Started", "Reason")
    rows = tuple(
        (
            Cell(one.folder),
            Cell(one.schema_version),
            Cell(one.workload),
            Cell(one.status),
            Cell(one.started),
            Cell(one.reason),
        )
        for one in gathered.unreadable
    )
    return Table(
        "unreadable",
        f"Results that are not used: {len(rows)}",
        columns,
        rows,
        roomy=frozenset({5}),
        note="Records of another schema version and files that changed after they were written are not used: no figure "
        "above includes them.",
    )


def _systems(gathered: "Gathered") -> list[Block]:
    """Return the environment of each system once, newest first."""
    seen: dict[str, tuple[str, tuple[tuple[str, str], ...]]] = {}
    for record in reversed(gathered.records):
        pairs = tuple(_flat(_steady_part(record.system)))
        key = hashlib.sha256(repr(pairs).encode(errors="replace")).hexdigest()
        seen.setdefault(key, (f"{record.device.name}, as of {record.run.started_utc:%Y-%m-%d %H:%M} UTC", pairs))
    shown = [Facts(f"Environment: {title}", pairs, open=False) for title, pairs in list(seen.values())[:_SYSTEMS]]
    if len(seen) > _SYSTEMS:
        return [*shown, Missing("More environments", f"{len(seen) - _SYSTEMS} more; `perwatt show ID --json` has each")]
    return list(shown)


def _steady_part(system: Mapping[str, object]) -> dict[str, object]:
    """Return the system without values that change from minute to minute."""
    return {key: value for key, value in system.items() if key != "load_average"}


def _flat(value: object, prefix: str = "") -> Iterable[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(inner, f"{prefix}.{key}" if prefix else str(key))
    elif isinstance(value, list | tuple):
        if any(isinstance(one, Mapping) for one in value):
            for index, inner in enumerate(value):
                yield from _flat(inner, f"{prefix}[{index}]")
        else:
            yield prefix, ", ".join(str(one) for one in value) or "none"
    elif value is not None:
        yield prefix, str(value)
