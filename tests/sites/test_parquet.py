"""A Parquet file of some kilobytes cannot take more memory than the limit."""

import io

import pyarrow as pa
import pytest
from pyarrow import parquet

from hardware_profiles.errors import InputError
from sites.parquet import read_table


def written(table, **settings):
    sink = io.BytesIO()
    parquet.write_table(table, sink, **settings)
    return sink.getvalue()


def repeated(text, rows):
    return pa.table({"a": pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int32()), rows), [text])})


def test_a_text_that_is_repeated_is_counted_in_each_row():
    content = written(repeated("x" * 2**20, 600), store_schema=False)
    assert len(content) < 100_000
    with pytest.raises(InputError, match=r"^own.parquet: expected at most 536,870,912 bytes of text, got 629,145,600$"):
        read_table(content, "own.parquet", ["a"], "a table")


def test_too_many_rows_of_one_value_are_refused_before_they_are_read():
    content = written(pa.table({"a": pa.repeat(1.5, 2_000_001)}))
    assert len(content) < 100_000
    with pytest.raises(InputError, match=r"expected at most 2,000,000 rows, got 2,000,001"):
        read_table(content, "own.parquet", ["a"], "a table")


@pytest.mark.parametrize("value", [[1], {"b": 1}, b"bytes"])
def test_a_column_whose_cells_are_no_single_values_is_refused(value):
    with pytest.raises(InputError, match="column 'a': expected numbers, times or texts, got"):
        read_table(written(pa.table({"a": [value]})), "own.parquet", ["a"], "a table")


def test_other_columns_are_not_read():
    table = read_table(written(pa.table({"a": ["x", None], "b": [[1], [2]]})), "own.parquet", ["a", "c"], "a table")
    assert table.to_pydict() == {"a": ["x", None]}


def test_a_text_that_is_not_utf_8_is_a_corrupt_file():
    content = written(pa.table({"a": pa.array([b"\xff"]).view(pa.string())}))
    with pytest.raises(InputError, match=r"^own.parquet: expected a table, got a corrupt file: .*UTF8"):
        read_table(content, "own.parquet", ["a"], "a table")
