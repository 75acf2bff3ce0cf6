"""Damage to Parquet tables that leaves the file sound: columns of other types and names, odd values, many rows."""

import io
import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
from pyarrow import parquet

from sites.parquet import read_table

LONG = 10_000  # rows
MANY_ROWS = 300_000_000  # of one value: a file of some kilobytes, and gigabytes of memory
ODD = (
    None, True, 0, -1, 2**63 - 1, -(2**63), 1e308, -1e308, 5e-324, float("nan"), float("inf"), "", "x", "1", "²",
    "\u202e", "\x1b]0;x\x07", "9" * 5000, b"", b"\xff", date(1, 1, 1), date(9999, 12, 31),
    datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, tzinfo=UTC), timedelta(days=10**6),
    Decimal(10) ** 30, [], [1], {"a": 1},
)  # fmt: skip


def damaged_table(content: bytes, draw: random.Random) -> bytes:
    """Return a Parquet file with one or two things in it changed."""
    sink = io.BytesIO()
    try:
        read_table(content, "", parquet.read_schema(io.BytesIO(content)).names, "")  # refuses gigabytes
        table = parquet.read_table(io.BytesIO(content)).slice(0, LONG)
        for _ in range(draw.choice((1, 1, 2))):
            table = draw.choice(KINDS)(table, draw)
        parquet.write_table(table, sink, compression=draw.choice(("none", "snappy", "zstd")))
    except (pa.ArrowException, OverflowError, OSError, ValueError):  # damaged before, or nothing that Parquet holds
        return content
    return sink.getvalue()


def many_rows(content: bytes, rows: int = MANY_ROWS) -> bytes:
    """Return a file of some kilobytes whose first row is repeated many times."""
    table = parquet.read_table(io.BytesIO(content)).slice(0, 1)
    group = pa.table([pa.repeat(column[0], 1_000_000) for column in table.columns], schema=table.schema)
    sink = io.BytesIO()
    with parquet.ParquetWriter(sink, table.schema, compression="zstd") as writer:
        for _ in range(rows // group.num_rows):
            writer.write_table(group)
    return sink.getvalue()


def long_text(content: bytes, column: int, rows: int = 100_000) -> bytes:
    """Return a file of some kilobytes in which one text of a megabyte is repeated many times."""
    table = parquet.read_table(io.BytesIO(content)).slice(0, 1)
    sink = io.BytesIO()
    columns = [pa.repeat(one[0], rows) for one in table.columns]
    columns[column] = pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int32()), rows), ["a" * 2**20])
    parquet.write_table(pa.table(columns, names=table.column_names), sink, compression="zstd", store_schema=False)
    return sink.getvalue()


def _column(table, draw):
    """Put odd values of one type into a column."""
    at, value = draw.randrange(table.num_columns), draw.choice(ODD)
    values = [value if draw.random() < 0.9 else None for _ in range(table.num_rows)]
    return table.set_column(at, table.column_names[at], pa.array(values))


def _cell(table, draw):
    """Put one odd value into a column, where its type takes it."""
    at = draw.randrange(table.num_columns)
    values = table.column(at).to_pylist()
    if values:
        values[draw.randrange(len(values))] = draw.choice(ODD)
    try:
        return table.set_column(at, table.column_names[at], pa.array(values, table.schema.types[at]))
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return _column(table, draw)


def _type(table, draw):
    """Cast a column to another type, or read its bits as one."""
    at = draw.randrange(table.num_columns)
    kind = draw.choice((
        pa.int8(), pa.uint64(), pa.float32(), pa.string(), pa.large_string(), pa.binary(), pa.date32(),
        pa.timestamp("s"), pa.timestamp("ms", "Asia/Tokyo"), pa.timestamp("ns"), pa.decimal128(38, 10), pa.bool_(),
        pa.dictionary(pa.int32(), pa.string()), pa.duration("s"), pa.time64("ns"),
    ))  # fmt: skip
    try:
        return table.set_column(at, table.column_names[at], table.column(at).cast(kind, safe=False))
    except pa.ArrowException:
        return table.set_column(at, table.column_names[at], pa.nulls(table.num_rows, kind))


def _bits(table, draw):
    """Fill a column of times with any bits."""
    at = draw.randrange(table.num_columns)
    bits = pa.array([draw.getrandbits(63) - 2**62 for _ in range(table.num_rows)], pa.int64())
    kind = draw.choice((pa.timestamp("s"), pa.timestamp("us", "UTC"), pa.date64(), pa.int64()))
    return table.set_column(at, table.column_names[at], bits.view(kind))


def _names(table, draw):
    names = list(table.column_names)
    names[draw.randrange(len(names))] = draw.choice([*names, "", "time_utc", "\x1b[31m", "a" * 10_000])
    return table.rename_columns(names)


def _rows(table, draw):
    return draw.choice((
        lambda: table.slice(0, 0),
        lambda: pa.concat_tables([table] * 300),
        lambda: table.slice(0, max(1, table.num_rows - 1)),
        lambda: table.remove_column(0) if table.num_columns > 1 else table,
    ))()  # fmt: skip


KINDS = (_column, _cell, _cell, _type, _bits, _names, _rows)
