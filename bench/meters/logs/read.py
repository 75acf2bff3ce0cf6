"""The reader of a recorded power log: from the bytes of a file to samples of time and watts."""

from collections.abc import Mapping
from pathlib import Path

from bench.meters.logs import tabular
from bench.meters.logs.cells import plausible
from bench.meters.logs.forms import Form, read_form
from bench.meters.logs.log import EmptyLogError, Log
from bench.meters.logs.rows import in_order
from bench.meters.logs.source import Source
from bench.meters.logs.table import find_table
from bench.meters.logs.text import lines
from hardware_profiles.errors import InputError


def read_log(path: Path, settings: Mapping[str, str] | None = None) -> Log:
    """Return the content of a log.

    Parameters
    ----------
    path
        The file.
    settings
        Values of `SETTINGS`. A `sum` that names no column is not applied: it is a name for several meters to add.

    Raises
    ------
    InputError
        The file does not exist or cannot be read as a log; the message says what is there and which setting decides.
    EmptyLogError
        The file has no row yet.
    """
    source = Source(path, settings or {})
    form = read_form(source.head, lines(source.text))
    return tabular.read_table(source) if form is None else _read_form(source, form)


def column_names(path: Path, settings: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Return the names of a log's columns as the file writes them, none if it has no header or is no table.

    Raises
    ------
    InputError
        The file does not exist or is not a log of a known form.
    """
    source = Source(path, settings or {})
    if read_form(source.head, source.head) is not None:
        return ()
    return find_table(path, source.head, source.settings.get("time_format")).names


def _read_form(source: Source, form: Form) -> Log:
    path, settings = source.path, source.settings
    for key, value in {"column": form.column, "time": "", "where": "", "time_format": "", "unit": "W"}.items():
        if settings.get(key, value) != value:
            raise InputError.at(path, key, expected=f"no {key}= for a log of {form.name}", got=settings[key])
    source.refuse_malformed(form.malformed, len(form.malformed) + len(form.rows))
    if not form.rows:
        raise EmptyLogError(f"{path}: expected lines of time and watts, got none")
    watts = [row[2] for row in form.rows]
    plausible.check(path, form.column, watts, watts)
    times = [row[1] for row in form.rows]
    order = in_order(path, list(zip(times, plausible.without_fill(watts), strict=True)))
    return source.log(order, form.malformed, form=form.name, column=form.column, unit="W")
