"""The records that were joined with the log of a meter of another host, as lines and as a JSON document."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bench.cli.output import say, warn

if TYPE_CHECKING:
    from bench.lab.inventory.lab import Lab
    from bench.lab.meters.joining import Joined
    from bench.results.labs.book import Book


def join_meters(book: "Book", lab: "Lab") -> "list[Joined]":
    """Collect the logs of shared meters and join the records of a run; costs nothing where the lab has none.

    Raises
    ------
    InputError, RunFailedError
        See `bench.lab.meters.logs.collect_logs` and `bench.lab.meters.joining.join_all`.
    """
    from bench.lab.meters.joining import join_all
    from bench.lab.meters.logs import collect_logs
    from bench.lab.reach.choose import reach_of

    if not lab.meters:
        return []
    collect_logs(book, lab, reach_of)
    return join_all(book, lab, sys.argv[1:])


def show_joined(joined: "Sequence[Joined]") -> None:
    """Print one line for each record that was joined, or could not be."""
    from bench.results.labs.reasons import sentence

    for one in joined:
        if one.record is None:
            warn(f"{one.result}: no joules by {one.meter}: {sentence(one.code, one.detail)}")
        elif (energy := one.record.energy_per_unit) is not None and energy.meter == f"lab:{one.meter}":
            say(f"{one.record.id}: {one.meter} joined, supersedes {one.result}")
        else:
            warn(f"{one.record.id}: no joules by {one.meter}: {_why(one)}")


def joined_document(joined: "Sequence[Joined]") -> list[dict[str, Any]]:
    """Return what was joined as JSON-ready data."""
    return [
        {"job": one.job.id, "meter": one.meter, "result": one.result, "code": one.code or None,
         "detail": one.detail or None, "joined": one.record.id if one.record is not None else None,
         "reasons": [] if one.record is None else list(_codes(one))}
        for one in joined
    ]  # fmt: skip


def _codes(one: "Joined") -> tuple[str, ...]:
    """Return the codes for which a record has no joules by a meter."""
    energies = [energy for window in one.record.windows for energy in window.energy] if one.record is not None else []
    mine = [energy for energy in energies if energy.meter == f"lab:{one.meter}"]
    return tuple(dict.fromkeys(code for energy in mine for code in energy.reasons))


def _why(one: "Joined") -> str:
    from bench.diagnostics import sentence

    return "; ".join(sentence(code) for code in _codes(one)) or "another meter gives them"
