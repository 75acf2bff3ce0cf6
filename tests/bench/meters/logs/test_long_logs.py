"""Long logs and logs that grow: bounded memory, stated limits, and the answers of a fresh reading."""

import os
import subprocess
import sys

import pytest
from doubles.logs.random_logs import make

from bench.meters.logs import EmptyLogError, LogReader, read_log, tabular, text
from bench.meters.logs.rows import malformed
from hardware_profiles.errors import InputError

START = 1_767_225_600
MIB = 2**20


@pytest.fixture
def small_blocks(monkeypatch):
    """Read a few bytes and a few rows at a time."""
    monkeypatch.setattr(text, "BLOCK_BYTES", 61)
    monkeypatch.setattr(tabular, "CHUNK_ROWS", 30)


def outcome(reading):
    try:
        return reading()
    except InputError as error:
        return f"{type(error).__name__}: {error}"


def log_of(path, count, row="{t},{w}\n", header="time,power_w\n"):
    with path.open("w") as file:
        file.write(header)
        file.writelines(row.format(t=START + i, w=400 + i % 7, i=i, d=i % 2) for i in range(count))
    return path


@pytest.mark.slow
def test_blocks_change_no_answer(tmp_path, monkeypatch):
    path = tmp_path / "power.csv"
    for seed in range(150):
        made = make(seed)
        path.write_bytes(made.data)
        whole = outcome(lambda: read_log(path, made.settings))  # noqa: B023
        with monkeypatch.context() as small:
            small.setattr(text, "BLOCK_BYTES", 61)
            assert outcome(lambda: read_log(path, made.settings)) == whole, seed  # noqa: B023


@pytest.mark.parametrize(
    ("header", "rows", "settings"),
    [
        ("time,power_w\n", "{t},{w}\n", {}),
        ("time;power_w\r\n", "{t};{w},{i}\r\n", {}),
        ("time;power_w\n", "{iso};1.{w}\n", {"decimal": "comma"}),
        ("time,gpu,power (W)\n", "{iso},0,{w}\n{iso},1,{w}.5\n", {"where": "gpu=1"}),
        ("time,gpu,power (W)\n", "{iso},0,{w}\n{iso},1,{w}.5\n", {"sum": "gpu"}),
        ("time,power\n", "{t},{w} W\n", {}),
        ("", "Time,01-01-2026 {clock}.000,Watts,{w}.5,Volts,230\n", {}),
        ("", "Instantaneous power reading: {w} Watts\nIPMI timestamp: Thu Jan  1 {clock} 2026\n", {}),
    ],
)
@pytest.mark.usefixtures("small_blocks")
def test_a_log_that_grows_reads_as_a_fresh_one(tmp_path, header, rows, settings):
    grown, path = tmp_path / "grown.csv", tmp_path / "fresh.csv"
    grown.touch()
    reader = LogReader(grown, settings)
    data = header
    for i in range(1600):
        clock = f"{i // 3600:02}:{i // 60 % 60:02}:{i % 60:02}"
        data += rows.format(t=START + i, w=400 + i % 7, i=i % 5, clock=clock, iso=f"2026-01-01T{clock}Z")
    for end in (5, 40, len(data) // 3, len(data) // 2 + 1, len(data) // 2 + 2, len(data)):
        grown.write_text(data[:end], newline="")
        path.write_text(data[:end], newline="")
        found, fresh = outcome(reader.read), outcome(lambda: read_log(path, settings))
        assert found == fresh or found == str(fresh).replace("fresh.csv", "grown.csv"), end
    assert len(found.samples) == 1600


def test_a_log_that_grows_is_not_read_from_its_start(tmp_path, monkeypatch):
    path = log_of(tmp_path / "power.csv", 40_000)
    reader = LogReader(path)
    reader.read()
    rows = []
    add = tabular.TableReader.add
    monkeypatch.setattr(tabular.TableReader, "add", lambda *a: (rows.append(len(a[2])), add(*a)))
    with path.open("a") as file:
        file.write(f"{START + 40_000},17\n{START + 40_001},18\n1767")
    log = reader.read()
    assert (sum(rows), len(log.samples), log.samples[-1]) == (2, 40_002, (START + 40_001, 18.0))
    assert log == read_log(path)


def test_a_log_that_was_written_anew_is_read_anew(tmp_path):
    path = log_of(tmp_path / "power.csv", 3000)
    reader = LogReader(path)
    reader.read()
    log_of(path, 4000, row="{t},9{w}\n")
    assert reader.read() == read_log(path)
    log_of(path, 2000, row="{t},8{w}\n")
    assert reader.read() == read_log(path)


@pytest.mark.parametrize(
    ("early", "late", "first_w"),
    [
        ("{day:02}/01/2026 12:{i:02}:00;1400", "13/01/2026 12:{i:02}:00;1400,5", 1400.0),  # a decimal comma comes late
        ("{day:02}/01/2026 12:{i:02}:00;400.5", "21/01/2026 12:{i:02}:00;400.5", 400.5),  # and a day above 12
        ("2026-01-{day:02}T12:{i:02}:00;1.400", "2026-01-21T12:{i:02}:00;1.400,25", 1400.0),  # and what a point means
        ("2026-01-{day:02}T12:{i:02}:00;1.400", "2026-01-21T12:{i:02}:00;1.4", 1.4),
    ],
)
@pytest.mark.usefixtures("small_blocks")
def test_what_only_later_lines_show_holds_for_the_earlier_ones(tmp_path, early, late, first_w):
    lines = [early.format(day=1 + i // 20, i=i % 20) for i in range(160)]
    lines += [late.format(i=i) for i in range(9)]
    path = tmp_path / "power.csv"
    path.write_text("time;power_w\n" + "\n".join(lines) + "\n")
    samples = read_log(path).samples
    assert samples[0] == (START + 43_200.0, first_w)
    assert samples[20][0] == START + 43_200.0 + 86_400.0


def test_the_limit_of_lines_is_stated(tmp_path, monkeypatch):
    monkeypatch.setattr(text, "MOST_LINES", 1000)
    with pytest.raises(InputError, match="expected at most 1000 lines"):
        read_log(log_of(tmp_path / "power.csv", 1000))
    assert len(read_log(log_of(tmp_path / "power.csv", 999)).samples) == 999


def test_the_limit_of_bytes_is_stated(tmp_path):
    path = tmp_path / "power.csv"
    with path.open("wb") as file:
        file.truncate(text.LOG.limit_bytes + 1)
    with pytest.raises(InputError, match=f"at most {text.LOG.limit_bytes} bytes"):
        read_log(path)


def test_a_line_without_an_end_is_refused(tmp_path):
    path = tmp_path / "power.csv"
    path.write_text("time,power_w\n" + "9" * 2 * text.LONGEST_LINE)
    with pytest.raises(InputError, match=f"line 2: expected at most {text.LONGEST_LINE} characters a line"):
        read_log(path)
    path.write_text("x" * (text.LONGEST_LINE - 1))
    with pytest.raises(EmptyLogError):
        read_log(path)


def test_lines_that_are_no_rows_are_refused_before_all_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(malformed, "MOST_LINES", 1000)
    path = log_of(tmp_path / "power.csv", 500)
    path.write_text(path.read_text() + "a,b,c\n" * 60)
    with pytest.raises(InputError, match="got 51 of 552 lines unreadable, the first is 'a,b,c'"):
        read_log(path)


CHILD = """
import resource, sys
from pathlib import Path
from bench.meters.logs import read_log
pages = int(Path("/proc/self/statm").read_text().split()[0])
limit = pages * resource.getpagesize() + int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
settings = dict(pair.split("=", 1) for pair in sys.argv[3:])
print(len(read_log(Path(sys.argv[1]), settings).samples))
"""


@pytest.mark.parametrize(
    ("header", "row", "settings", "samples"),
    [
        ("time,power_w\n", "{t},{w}\n", (), 400_000),
        ("time,power_w\n", '"{t}","{w}.{i}"\n', (), 400_000),
        ("time,id,note,power_w\n", "{t},{i},n{i},{w}\n", (), 400_000),
        ("time,gpu,power_w\n", "{t},{d},{w}\n", ("sum=gpu",), 200_000),
    ],
)
def test_a_log_of_many_lines_needs_little_memory(tmp_path, header, row, settings, samples):
    """A sample takes 16 bytes to keep and some more to judge; as Python objects these took 200 MB."""
    path = log_of(tmp_path / "power.csv", 400_000, row, header)
    argv = [sys.executable, "-c", CHILD, str(path), str(64 * MIB), *settings]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": "."})
    assert done.returncode == 0, done.stderr[-300:]
    assert int(done.stdout) == samples
