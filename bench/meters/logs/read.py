"""The reader of a recorded power log: from the bytes of a file to samples of time and watts."""

from collections.abc import Mapping
from pathlib import Path

from bench.meters.logs.forms import FormReader, form_of
from bench.meters.logs.log import Log
from bench.meters.logs.source import Source
from bench.meters.logs.table import find_table
from bench.meters.logs.tabular import TableReader
from bench.meters.logs.text import open_log


class LogReader:
    """Reads a log, and reads on what was written since.

    Parameters
    ----------
    path
        The file.
    settings
        Values of `SETTINGS`. A `sum` that names no column is not applied: it is a name for several meters to add.

    Notes
    -----
    A log is read in blocks and kept as arrays of times and powers. What only the whole log shows (the decimal sign, the
    order of day and month) is taken from the lines so far; if later ones show something else, the file is read anew.
    """

    def __init__(self, path: Path, settings: Mapping[str, str] | None = None) -> None:
        self._path, self._settings = path, settings or {}
        self._source: Source | None = None
        self._rows: TableReader | FormReader | None = None

    def read(self) -> Log:
        """Return the content of the log as it is now.

        Raises
        ------
        InputError
            The file does not exist or cannot be read as a log; the message says what is there and which setting
            decides.
        EmptyLogError
            The file has no row yet.
        """
        with open_log(self._path) as file:
            rows, source = self._rows, self._source
            self._rows = self._source = None  # a refusal leaves nothing to go on from
            if rows is None or source is None or not (rows.is_settled and source.continues(file)):
                source = Source(self._path, self._settings, file)
                form = form_of(source.head)
                rows = TableReader(source) if form is None else FormReader(source, form)
            _add(rows, source)
            if rows.is_stale:
                source = Source(self._path, self._settings, file)
                rows = rows.anew(source)
                _add(rows, source)
            log = rows.log()
            self._rows, self._source = rows, source
            return log


def _add(rows: "TableReader | FormReader", source: Source) -> None:
    for first, lines in source.blocks():
        rows.add(first, lines)


def read_log(path: Path, settings: Mapping[str, str] | None = None) -> Log:
    """Return the content of a log.

    Parameters
    ----------
    path
        The file.
    settings
        As for `LogReader`.

    Raises
    ------
    InputError, EmptyLogError
        As `LogReader.read`.
    """
    return LogReader(path, settings).read()


def column_names(path: Path, settings: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Return the names of a log's columns as the file writes them, none if it has no header or is no table.

    Raises
    ------
    InputError
        The file does not exist or is not a log of a known form.
    """
    with open_log(path) as file:
        source = Source(path, settings or {}, file)
    if form_of(source.head) is not None:
        return ()
    return find_table(path, source.head, source.settings.get("time_format")).names
