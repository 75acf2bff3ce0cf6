"""One bad entry of a store is one line and hangs nothing; a senseless or edited record is not believed."""

import json
import os
import socket

import pytest
from doubles.stored import edit, rewrite

from bench.measure.runner import measure
from bench.report.gather import gather
from bench.results.folder import find_result, read_record, read_whole
from bench.results.history import headlines
from bench.results.layout import RECORD
from bench.results.samples import Sample, parquet_of, read_samples
from bench.results.text import encodable
from bench.results.writing import write_record
from hardware_profiles.errors import InputError


@pytest.fixture
def sound(fake_workload, job, cpu_device):
    """The folder of a sound result."""
    return job.store / measure(fake_workload, job, device=cpu_device).id


@pytest.fixture(params=["few", "many"])
def size(request, monkeypatch):
    if request.param == "many":
        monkeypatch.setattr("bench.results.history.MANY", 0)


def odd_socket(path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(path))


ENTRIES = {
    "a FIFO": os.mkfifo,
    "a socket": odd_socket,
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a link to nothing": lambda path: path.symlink_to("gone"),
    "Too many levels of symbolic links": lambda path: path.symlink_to(path.name),
}


@pytest.mark.parametrize("got", ENTRIES)
def test_an_entry_that_is_no_folder_is_one_line_and_the_rest_is_listed(got, sound, monkeypatch):
    monkeypatch.chdir(sound.parent)
    (sound.parent / "notes.txt").write_text("a file is passed over")
    ENTRIES[got](sound.parent / "odd")
    faults = []
    assert [line.id for line in headlines(sound.parent, faults.append)] == [sound.name]
    assert faults == [f"{sound.parent / 'odd'}: expected a result folder, got {got}"]
    assert [one.reason for one in gather([], sound.parent).unreadable] == [f"odd: expected a result folder, got {got}"]


def huge(path):
    path.touch()
    os.truncate(path, RECORD.limit_bytes + 1)


RECORDS = {
    "got a FIFO": os.mkfifo,
    "which is a regular file, got a device": lambda path: path.symlink_to("/dev/zero"),
    "got a folder": lambda path: path.mkdir(),
    "expected a readable record, got no such file": lambda path: path.symlink_to("gone"),
    "Too many levels of symbolic links": lambda path: path.symlink_to(path.name),
    "expected at most 16777216 bytes": huge,
    "got one of 5000 digits": lambda path: path.write_text('{"id": ' + "7" * 5000 + "}"),
    "nested too deeply": lambda path: path.write_text("[" * 200_000),
    "expected UTF-8 text, got UTF-16": lambda path: path.write_text('{"id": "x"}', encoding="utf-16"),
}


@pytest.mark.usefixtures("size")
@pytest.mark.parametrize("got", RECORDS)
def test_a_record_that_is_no_ordinary_file_is_one_line_and_the_rest_is_listed(got, sound):
    odd = sound.parent / "odd"
    odd.mkdir()
    RECORDS[got](odd / "result.json")
    faults = []
    assert [line.id for line in headlines(sound.parent, faults.append)] == [sound.name]
    (fault,) = faults
    assert got in fault
    assert str(odd) in fault
    assert len(fault) < 400
    with pytest.raises(InputError) as raised:
        read_record(odd)
    assert str(raised.value) == fault
    assert len(gather([], sound.parent).unreadable) == 1


def test_samples_that_are_a_fifo_are_one_line(sound):
    (sound / "samples.parquet").unlink()
    os.mkfifo(sound / "samples.parquet")
    with pytest.raises(InputError, match=r"samples\.parquet: expected .*, which is a regular file, got a FIFO"):
        read_whole(sound)
    with pytest.raises(InputError, match=r"samples\.parquet: expected .*, which is a regular file, got a FIFO"):
        read_samples(sound)


@pytest.mark.skipif(os.geteuid() == 0, reason="root can read everything")
def test_a_folder_that_is_not_readable_is_named(sound):
    sound.chmod(0)
    with pytest.raises(InputError, match="expected a readable file, got Permission denied"):
        find_result(sound.parent, str(sound))
    sound.chmod(0o700)


def test_a_path_that_cannot_be_followed_is_a_wrong_request(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(InputError, match="expected a readable file, got Too many levels of symbolic links"):
        find_result(tmp_path, str(tmp_path / "loop"))
    for name in ("x" * 5000, "a\0b"):
        with pytest.raises(InputError, match="expected a known id"):
            find_result(tmp_path, name)


def deep(levels):
    value = 1
    for _ in range(levels):
        value = {"a": value}
    return value


def window(key, value):
    return lambda record: record["windows"][0].update({key: value})


SENSELESS = {
    "key system: expected at most 24 levels": lambda record: record["system"].update(deep=deep(300)),
    r"key system\.cpu: expected text without control characters": lambda r: r["system"].update(cpu="a\x1b[31m"),
    r"key system\.x: expected text without control": lambda record: record["system"].update(x="\ud800"),
    "key audit: expected text without control": lambda record: record["audit"].update({"a\x07": 1}),
    r"key system\.x: expected a finite number, got nan": lambda record: record["system"].update(x=float("nan")),
    r"key device\.settings\.x: expected a finite number": lambda r: r["device"]["settings"].update(x=float("inf")),
    r"key system\.x\[1\]: expected a whole number of at most": lambda record: record["system"].update(x=[1, 10**30]),
    r"key windows\[0\]: expected a window that ends after its start.*got 0 s": lambda record: record["windows"][
        0
    ].update(end_s=record["windows"][0]["start_s"]),
    r"key windows\[0\]: expected a window that ends after.*got -\d": window("end_s", -1e6),
    r"key windows\[0\]: expected a window that ends": window("end_s", 1e300),
    r"key windows\[0\]\.work: expected a number from": window("work", 1e-300),
    r"key windows\[0\]\.batches: expected a number less than or equal to": window("batches", 10**30),
    r"key metrics\.rate\.value: expected .* of its windows, got .*: it was changed": lambda record: record["metrics"][
        "rate"
    ].update(value=record["metrics"]["rate"]["value"] * 1000, interval_95=None),
    r"key metrics\.rate\.interval_95: expected low": lambda r: r["metrics"]["rate"].update(interval_95=[9e9, 1.0]),
    r"key metrics\.power_wall\.value: expected a number from 0\.001 to 1e\+09 W": lambda record: record[
        "metrics"
    ].update(power_wall={**record["metrics"]["rate"], "unit": "W", "value": 1e-300, "interval_95": None}),
    r"key assumed_power_w\.power_w: expected a number from": lambda record: record.update(
        assumed_power_w={"power_w": 1e300, "boundary": "wall", "source": "me"}
    ),
    r"key idle\[0\]\.power_w: expected at most": lambda record: record.update(
        idle=[{"meter": "m", "when": "before", "power_w": 1e300, "duration_s": 1.0}]
    ),
    r"key audit\.idle_spans_utc\[0\]: expected a list of": lambda r: r["audit"].update(idle_spans_utc=[["at", "a"]]),
    r"key audit\.idle_spans_utc\[0\]: expected": lambda record: record["audit"].update(idle_spans_utc=7),
    r"key reasons: expected reasons exactly where": lambda record: record.update(status="invalid"),
    r"key warnings\[0\]\.code: expected a known reason code, got 'bogus'": lambda record: record.update(
        warnings=[{"code": "bogus"}]
    ),
}


@pytest.mark.usefixtures("size")
@pytest.mark.parametrize("words", SENSELESS)
def test_a_record_that_the_schema_accepts_and_that_makes_no_sense_is_one_line(words, sound):
    path = edit(sound, SENSELESS[words])
    faults = []
    assert list(headlines(sound.parent, faults.append)) == []
    with pytest.raises(InputError, match=words) as raised:
        read_record(sound)
    assert faults == [str(raised.value)]
    assert str(path) in faults[0]
    assert "\n" not in faults[0]


@pytest.mark.usefixtures("size")
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda record: record["run"].update(plan="publish"), "result.json: expected sha256 .*: it was changed"),
        (lambda record: record.update(warnings=[]), "result.json: expected sha256 .*: it was changed"),
        (lambda record: record.update(artifacts=[]), "SHA256SUMS: expected|result.json: expected sha256"),
    ],
)
def test_an_edit_of_a_record_is_noticed_wherever_it_is_read(change, words, sound):
    record = json.loads((sound / "result.json").read_text())
    change(record)
    (sound / "result.json").write_text(json.dumps(record))
    faults = []
    assert list(headlines(sound.parent, faults.append)) == []
    with pytest.raises(InputError, match=words) as raised:
        read_record(sound)
    assert faults == [str(raised.value)]


def test_an_edit_of_the_samples_and_of_the_hash_in_the_record_is_noticed(sound):
    content = parquet_of([Sample("work", 0, 0.0, 1.0, 0.0, 1e9, "hash")])
    (sound / "samples.parquet").write_bytes(content)
    record = json.loads((sound / "result.json").read_text())
    record["artifacts"][0].update(sha256=stored_digest(content), size_bytes=len(content))
    (sound / "result.json").write_text(json.dumps(record))
    with pytest.raises(InputError, match=r"result\.json: expected sha256 .*: it was changed"):
        read_whole(sound)


def stored_digest(content):
    from bench.results.integrity.digests import digest

    return digest(content)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda path: path.unlink(), "expected the digests that the result was written with, got none: it is missing"),
        (lambda path: path.write_text("nonsense"), "expected one line of `sha256sum` for each of result.json"),
        (
            lambda path: (path.unlink(), os.mkfifo(path)),
            "expected .*, which is a regular file, got a FIFO",
        ),
        (
            lambda path: (path.unlink(), path.symlink_to(path.name)),
            "expected a readable .*, got Too many levels",
        ),
    ],
)
def test_digests_that_are_gone_or_unreadable_are_named(change, words, sound):
    change(sound / "SHA256SUMS")
    with pytest.raises(InputError, match=f"SHA256SUMS: {words}"):
        read_record(sound)


def test_the_digests_are_those_that_sha256sum_prints(sound):
    import shutil
    import subprocess

    if shutil.which("sha256sum") is None:
        pytest.skip("sha256sum is not on the PATH")
    done = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=sound, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["result.json: OK", "samples.parquet: OK"]


def test_an_older_record_without_digests_is_read(sound):
    record = json.loads((sound / "result.json").read_text())
    del record["digests_file"]
    rewrite(sound, record)
    (sound / "SHA256SUMS").unlink()
    assert read_whole(sound).digests_file is None


def test_control_characters_of_a_run_are_stored_with_escapes(sound, job):
    record = read_record(sound)
    run = record.run.model_copy(update={"argv": ("run", "a\x1b[31mb", "two\nlines")})
    new = record.model_copy(update={"id": "20260101T000000Z-fake_cpu-0000", "run": run, "artifacts": ()})
    assert read_whole(write_record(job.store, new, [])).run.argv == ("run", r"a\x1b[31mb", "two\nlines")
    assert encodable({"\x7f": ["\x00", ("\u0085",)]}) == {r"\x7f": [r"\x00", (r"\x85",)]}
