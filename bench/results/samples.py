"""The raw samples of a result: their columns, and their Parquet file."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.results.layout import SAMPLES, SAMPLES_FILE
from bench.results.text import encodable
from hardware_profiles.errors import InputError
from hardware_profiles.opening import read_input

if TYPE_CHECKING:
    import pyarrow as pa

MOST_SAMPLES = 2_000_000  # rows of samples.parquet; a run of an hour at 100 readings a second has 360,000
_MOST_UNPACKED_BYTES = 2**29  # [byte] of the columns
_LARGEST = 1e30  # magnitude of a time [s] or a value: more is no measurement, and sums of it overflow
_TEXTS = ("series", "unit")


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
    import pyarrow as pa
    from pyarrow import parquet

    path = folder / SAMPLES_FILE
    if not os.path.lexists(path):
        raise InputError.at(folder, expected=SAMPLES_FILE, got="none")
    content = read_input(path, SAMPLES)
    try:
        file = parquet.ParquetFile(pa.BufferReader(content))  # pyarrow refuses a path that is not UTF-8
        _check_size(path, file.metadata)
        return _checked(path, file.read())
    except (OSError, ValueError, pa.ArrowException) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: expected Parquet samples, got a corrupt file: {error}") from None


def _check_size(path: Path, metadata: "pa.parquet.FileMetaData") -> None:
    if metadata.num_rows > MOST_SAMPLES:
        raise InputError(f"{path}: expected at most {MOST_SAMPLES:,} samples, got {metadata.num_rows:,}")
    unpacked = sum(metadata.row_group(at).total_byte_size for at in range(metadata.num_row_groups))
    if unpacked > _MOST_UNPACKED_BYTES:
        raise InputError(f"{path}: expected at most {_MOST_UNPACKED_BYTES:,} bytes unpacked, got {unpacked:,}")


def _checked(path: Path, table: "pa.Table") -> "pa.Table":
    """Return samples with the types of `Sample` after a check of names, types and values."""
    import pyarrow as pa
    from pyarrow import compute

    names = list(Sample.__slots__)
    if table.column_names != names:
        raise InputError(f"{path}: expected the columns {', '.join(names)}, got {', '.join(table.column_names)}")
    table = table.replace_schema_metadata(None)
    for name, kind in zip(names, table.schema.types, strict=True):
        number = pa.types.is_integer(kind) or (pa.types.is_floating(kind) and name != "window")
        if not (pa.types.is_string(kind) if name in _TEXTS else number) or table[name].null_count:
            wanted = "text" if name in _TEXTS else "a whole number" if name == "window" else "a number"
            raise InputError(f"{path}: column {name}: expected {wanted} in each row, got {kind} or an empty cell")
    table = table.cast(_schema())
    for name in set(names) - {*_TEXTS}:
        if not compute.all(compute.less_equal(compute.abs(table[name]), _LARGEST), min_count=0).as_py():
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

    columns = {name: [encodable(getattr(sample, name)) for sample in samples] for name in Sample.__slots__}
    sink = pa.BufferOutputStream()
    parquet.write_table(pa.table(columns, schema=_schema()), sink, compression="zstd")
    content: bytes = sink.getvalue().to_pybytes()
    return content
