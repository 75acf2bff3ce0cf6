"""A samples file of another form, type or size is one line."""

import pytest

from bench.results.samples import Sample, parquet_of, read_samples
from hardware_profiles.errors import InputError


def columns(**changes):
    import pyarrow as pa

    one = {"series": ["work"], "window": [0], "t_s": [0.0], "t_end_s": [1.0], "utc_s": [1.0], "value": [1.0]}
    kept = {name: value for name, value in {**one, "unit": ["hash"], **changes}.items() if value is not None}
    return pa.table(kept)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"extra": [1]}, "expected the columns series, window, t_s, t_end_s, utc_s, value, unit, got .*, extra"),
        ({"unit": None}, "expected the columns"),
        ({"value": ["high"]}, "column value: expected a number in each row, got string"),
        ({"window": [0.5]}, "column window: expected a whole number in each row, got double"),
        ({"series": [7]}, "column series: expected text in each row, got int64"),
        ({"t_s": [True]}, "column t_s: expected a number in each row, got bool"),
        ({"value": [float("nan")]}, "column value: expected finite numbers up to 1e.30"),
        ({"value": [2**60 + 1]}, "expected numbers of samples, got another"),
        ({"value": [1e308]}, "column value: expected finite numbers up to 1e.30"),
    ],
)
def test_samples_of_other_columns_types_or_sizes_are_one_line(changes, words, tmp_path):
    from pyarrow import parquet

    parquet.write_table(columns(**changes), tmp_path / "samples.parquet")
    with pytest.raises(InputError, match=f"samples.parquet: {words}"):
        read_samples(tmp_path)


def test_whole_numbers_of_an_older_file_are_read_as_numbers(tmp_path):
    from pyarrow import parquet

    parquet.write_table(columns(value=[3]), tmp_path / "samples.parquet")
    assert read_samples(tmp_path).to_pylist()[0]["value"] == 3.0


def test_a_window_of_any_whole_number_is_compared_as_a_number(tmp_path):
    from pyarrow import parquet

    parquet.write_table(columns(window=[2**60 + 1]), tmp_path / "samples.parquet")
    assert read_samples(tmp_path).to_pylist()[0]["window"] == 2**60 + 1


def test_more_samples_than_the_limit_are_refused_before_they_are_unpacked(tmp_path, monkeypatch):
    (tmp_path / "samples.parquet").write_bytes(parquet_of([Sample("work", 0, 0.0, 1.0, 0.0, 1.0, "hash")] * 3))
    monkeypatch.setattr("sites.parquet.MOST_ROWS", 2)
    with pytest.raises(InputError, match="expected at most 2 rows, got 3"):
        read_samples(tmp_path)
    monkeypatch.undo()
    monkeypatch.setattr("sites.parquet.MOST_UNPACKED_BYTES", 2)
    with pytest.raises(InputError, match="expected at most 2 bytes unpacked"):
        read_samples(tmp_path)


def test_samples_are_written_as_they_are_and_without_pandas():
    """Importing pandas would take longer than the rest of a run's start."""
    import subprocess
    import sys

    import pyarrow as pa
    from pyarrow import parquet

    script = """
import sys
from bench.results.samples import Sample, parquet_of
rows = [Sample("wörk", -1, 1.0, 2, 3.5, float("inf"), ""), Sample("", 2**40, -1.0, 2.0, 3.0, 4, "W")]
for samples in (rows, []):
    sys.stdout.buffer.write(len(content := parquet_of(samples)).to_bytes(4, "big") + content)
assert "pandas" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout
    size = int.from_bytes(done[:4], "big")
    tables = [parquet.read_table(pa.BufferReader(part)) for part in (done[4 : 4 + size], done[8 + size :])]
    assert [tuple(row.values()) for row in tables[0].to_pylist()] == [
        ("wörk", -1, 1.0, 2.0, 3.5, float("inf"), ""), ("", 2**40, -1.0, 2.0, 3.0, 4.0, "W"),
    ]  # fmt: skip
    assert tables[1].num_rows == 0
    assert tables[1].schema.equals(tables[0].schema)
