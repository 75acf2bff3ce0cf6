"""The raw samples of a result: their columns, and their Parquet file."""

import os
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.results.layout import SAMPLES, SAMPLES_FILE
from bench.results.text import encodable
from hardware_profiles.errors import InputError
from hardware_profiles.opening import read_input
from sites.parquet import is_text, read_table, schema_of

if TYPE_CHECKING:
    import pyarrow as pa

_LARGEST = 1e30  # magnitude of a time [s] or a value: more is no measurement, and sums of it overflow
_TEXTS = ("series", "unit")
_KIND = "Parquet samples"


@dataclass(frozen=True, slots=True)
class Sample:
    """One raw sample, a row of samples.parquet."""

    series: str  # `work`, or the name of the meter
    window: int  # index of the window, -1 outside any
    t_s: float  # [s] monotonic clock of the run
    t_end_s: float  # [s] equal to t_s for an instant
    utc_s: float  # [s] Unix time of t_s
    value: float  # in `unit`
    unit: str


def read_samples(folder: Path) -> "pa.Table":
    """Return the raw samples of a result folder as an Arrow table with the columns and types of `Sample`.

    Raises
    ------
    InputError
        The file is missing, is not Parquet, is too large, or has other columns than samples.
    """
    path = folder / SAMPLES_FILE
    if not os.path.lexists(path):
        raise InputError.at(folder, expected=SAMPLES_FILE, got="none")
    content = read_input(path, SAMPLES)
    found, names = schema_of(content, path, _KIND).names, list(Sample.__slots__)
    if found != names:
        raise InputError(f"{path}: expected the columns {', '.join(names)}, got {', '.join(found)}")
    return _checked(path, read_table(content, path, names, _KIND))


def _checked(path: Path, table: "pa.Table") -> "pa.Table":
    """Return samples with the types of `Sample` after a check of types and values."""
    import pyarrow as pa
    from pyarrow import compute

    table = table.replace_schema_metadata(None)
    for name, kind in zip(table.column_names, table.schema.types, strict=True):
        number = pa.types.is_integer(kind) or (pa.types.is_floating(kind) and name != "window")
        if not (is_text(kind) if name in _TEXTS else number) or table[name].null_count:
            wanted = "text" if name in _TEXTS else "a whole number" if name == "window" else "a number"
            got = "string" if is_text(kind) else kind
            raise InputError(f"{path}: column {name}: expected {wanted} in each row, got {got} or an empty cell")
    try:
        table = table.cast(_schema())
    except pa.ArrowInvalid as error:  # a whole number that no float holds exactly
        raise InputError(f"{path}: expected numbers of samples, got another: {error}") from None
    for name in set(table.column_names) - {*_TEXTS}:
        sizes = compute.abs(table[name].cast("float64", safe=False))
        if not compute.all(compute.less_equal(sizes, _LARGEST), min_count=0).as_py():
            raise InputError(f"{path}: column {name}: expected finite numbers up to {_LARGEST:g}, got another")
    return table


def _schema() -> "pa.Schema":
    import pyarrow as pa

    kinds = {name: pa.string() if name in _TEXTS else pa.float64() for name in Sample.__slots__}
    return pa.schema({**kinds, "window": pa.int64()})


def parquet_of(samples: Sequence[Sample]) -> bytes:
    """Return samples as the content of a Parquet file."""
    import pyarrow as pa
    from pyarrow import parquet

    schema = _schema()
    columns = [_column(field.type, [encodable(getattr(sample, field.name)) for sample in samples]) for field in schema]
    sink = pa.BufferOutputStream()
    parquet.write_table(pa.Table.from_arrays(columns, schema=schema), sink, compression="zstd")
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _column(kind: "pa.DataType", values: Sequence[Any]) -> "pa.Array":
    """Return values as an Arrow array from buffers, because `pyarrow.array` imports pandas if it is installed."""
    import pyarrow as pa

    if kind == pa.string():
        texts = [text.encode() for text in values]
        buffers = [array("i", accumulate(map(len, texts), initial=0)), b"".join(texts)]
    else:
        buffers = [array("q" if kind == pa.int64() else "d", values)]
    return pa.Array.from_buffers(kind, len(values), [None, *map(pa.py_buffer, buffers)])
