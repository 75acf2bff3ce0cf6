"""The reader of Parquet files of users, whose few kilobytes may unpack to more memory than the machine has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hardware_profiles.errors import InputError, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

MOST_ROWS = 2_000_000  # a run of an hour at 100 readings a second has 360,000, a year of 40 sites 1,750,000
MOST_UNPACKED_BYTES = 2**29  # [byte] of the columns, and of their texts


def read_table(content: bytes, place: object, columns: Sequence[str], kind: str) -> pa.Table:
    """Return columns of a Parquet file, each of numbers, times or texts; texts are dictionaries.

    Parameters
    ----------
    content
        The bytes of the file.
    place
        Path of the file, for error messages.
    columns
        Names of the columns; one that the file lacks is left out.
    kind
        What the file should be, for error messages: "Parquet samples".

    Raises
    ------
    InputError
        The file is not Parquet, has more than 2,000,000 rows or more than 512 MiB unpacked, or a column has lists,
        tables or bytes in its cells.
    """
    import pyarrow as pa
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(pa.BufferReader(content))
        _check_size(place, file.metadata)
        texts = [field.name for field in file.schema_arrow if field.name in columns and _is_text(place, field)]
        file = parquet.ParquetFile(pa.BufferReader(content), read_dictionary=texts)
        table = file.read(columns=list(columns))
        unpacked = sum(_text_bytes(column) for column in table.columns if pa.types.is_dictionary(column.type))
    except (OSError, ValueError, pa.ArrowException) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{place}: expected {kind}, got a corrupt file: {error}") from None
    if unpacked > MOST_UNPACKED_BYTES:
        raise InputError(f"{place}: expected at most {MOST_UNPACKED_BYTES:,} bytes of text, got {unpacked:,}")
    return table


def schema_of(content: bytes, place: object, kind: str) -> pa.Schema:
    """Return the names and types of the columns of a Parquet file.

    Raises
    ------
    InputError
        The file is not Parquet.
    """
    import pyarrow as pa
    from pyarrow import parquet

    try:
        return parquet.read_schema(pa.BufferReader(content))
    except (OSError, ValueError, pa.ArrowException) as error:
        raise InputError(f"{place}: expected {kind}, got a corrupt file: {error}") from None


def is_text(kind: pa.DataType) -> bool:
    """Return whether a column of this type holds texts, plain or as a dictionary."""
    import pyarrow as pa

    value = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(value) or pa.types.is_large_string(value))


def _is_text(place: object, field: pa.Field) -> bool:
    """Return whether a column holds texts, after a check that it holds single values."""
    import pyarrow as pa

    kind = field.type
    if is_text(kind):
        return True
    if not (pa.types.is_primitive(kind) or pa.types.is_decimal(kind) or pa.types.is_null(kind)):
        raise InputError(f"{place}: column {shown(field.name)}: expected numbers, times or texts, got {kind}")
    return False


def _check_size(place: object, metadata: pa.parquet.FileMetaData) -> None:
    groups = [metadata.row_group(at) for at in range(metadata.num_row_groups)]
    rows, unpacked = (sum(getattr(group, name) for group in groups) for name in ("num_rows", "total_byte_size"))
    if rows > MOST_ROWS:
        raise InputError(f"{place}: expected at most {MOST_ROWS:,} rows, got {rows:,}")
    if unpacked > MOST_UNPACKED_BYTES:
        raise InputError(f"{place}: expected at most {MOST_UNPACKED_BYTES:,} bytes unpacked, got {unpacked:,}")


def _text_bytes(column: pa.ChunkedArray) -> int:
    """Return the size of a column of texts [byte] once each row has its own copy.

    Raises
    ------
    ArrowException
        A text is not UTF-8, or a row points to a text that the file does not have.
    """
    from pyarrow import compute

    total = 0
    for chunk in column.chunks:
        chunk.dictionary.validate(full=True)
        lengths = compute.binary_length(chunk.dictionary).cast("int64")
        total += compute.sum(compute.take(lengths, chunk.indices)).as_py() or 0
    return total
