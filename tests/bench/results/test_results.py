"""Result folders appear whole or not at all, and every fault in one is named."""

import errno
import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import RunFailedError
from bench.measure.runner import measure
from bench.results import writing as results
from bench.results.folder import artifact_faults, find_result, read_record, read_whole
from bench.results.layout import rescued_folder, result_folders, unfinished_folders
from bench.results.record import Record
from bench.results.samples import Sample, read_samples
from bench.results.writing import prepare_store, write_record
from hardware_profiles.errors import InputError
from sites import files

SAMPLES = [Sample("work", 0, 1.0, 2.0, 1e9, 5.0, "hash")]


@pytest.fixture
def record(fake_workload, job, cpu_device) -> Record:
    return measure(fake_workload, job, device=cpu_device)


def test_a_record_reads_back_as_it_was_written(record, job):
    stored = read_record(job.store / record.id)
    assert stored.model_copy(update={"artifacts": (), "digests_file": None}) == record


def test_the_samples_of_a_run_are_kept_and_add_up_to_its_work(record, job):
    table = read_samples(job.store / record.id).to_pydict()
    assert set(table["series"]) == {"work"}
    assert sum(table["value"]) == pytest.approx(sum(window.work for window in record.windows))


def test_the_artifact_hash_is_that_of_the_file(record, job):
    import hashlib

    folder = job.store / record.id
    artifact = read_record(folder).artifacts[0]
    assert artifact.sha256 == hashlib.sha256((folder / artifact.name).read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda path: path.unlink(), "it is missing"),
        (lambda path: path.write_bytes(b"x" * path.stat().st_size), "it was changed"),
        (lambda path: path.write_bytes(path.read_bytes() + b"x"), r"expected \d+ bytes of sha256 .* it was changed"),
        (lambda path: (path.unlink(), path.mkdir()), "expected a file of samples, got a folder"),
    ],
)
def test_a_file_of_a_result_that_is_not_as_written_is_named(change, words, record, job):
    folder = job.store / record.id
    assert artifact_faults(folder, read_whole(folder)) == {}
    change(folder / "samples.parquet")
    with pytest.raises(InputError, match=f"samples.parquet: .*{words}") as raised:
        read_whole(folder)
    assert artifact_faults(folder, read_record(folder)) == {"samples.parquet": str(raised.value)}


def test_an_empty_store_says_that_it_is_empty(tmp_path):
    for name in ("latest:fake_cpu", "2026"):
        with pytest.raises(InputError, match="the store is empty"):
            find_result(tmp_path / "results", name)


def test_a_result_is_never_overwritten(record, job):
    with pytest.raises(RunFailedError, match="never overwritten"):
        write_record(job.store, record, SAMPLES)
    assert unfinished_folders(job.store) == []


@pytest.mark.parametrize("step", ["mkdir", "_json", "_write", "flush", "rename"])
def test_a_full_disk_at_any_step_leaves_nothing_and_says_so(step, record, job, monkeypatch):
    fresh = record.model_copy(update={"id": "20260101T000000Z-fake_cpu-ffff"})

    def full(*args, **_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(args[0]) if args else None)

    owner = next((module for module in (files, results) if hasattr(module, step)), None)
    if owner is not None:
        monkeypatch.setattr(owner, step, full)
    else:
        monkeypatch.setattr(f"pathlib.Path.{step}", full)
    with pytest.raises(RunFailedError, match="No space left on device; nothing was written") as raised:
        write_record(job.store, fresh, SAMPLES)
    monkeypatch.undo()
    assert "\n" not in str(raised.value)
    assert unfinished_folders(job.store) == []
    assert [folder.name for folder in result_folders(job.store)] == [record.id]
    assert list(result_folders(rescued_folder())) == []


def test_a_result_that_exists_although_its_folder_was_not_flushed_is_reported_as_written(record, job, monkeypatch):
    fresh = record.model_copy(update={"id": "20260101T000000Z-fake_cpu-ffff"})
    flush = files.flush

    def refuses_the_store(path):
        if path == job.store:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        flush(path)

    monkeypatch.setattr(files, "flush", refuses_the_store)
    with pytest.raises(RunFailedError) as raised:
        write_record(job.store, fresh, SAMPLES)
    assert str(raised.value) == (
        f"{job.store / fresh.id}: was written, but its folder could not be flushed to the disk: Input/output error; "
        "a crash of the machine may lose it"
    )
    assert read_whole(job.store / fresh.id).id == fresh.id
    assert unfinished_folders(job.store) == []


def test_temporary_folders_are_no_results(job):
    (job.store / ".tmp-20260101T000000Z-fake_cpu-ffff-1").mkdir()
    assert list(result_folders(job.store)) == []
    assert len(unfinished_folders(job.store)) == 1


@given(garbage=st.binary(max_size=200))
def test_a_corrupt_result_is_one_line_that_names_the_file(garbage, tmp_path_factory):
    folder = tmp_path_factory.mktemp("corrupt")
    (folder / "result.json").write_bytes(garbage)
    with pytest.raises(InputError) as raised:
        read_record(folder)
    assert "result.json" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_result_with_a_wrong_value_names_its_key(record, job):
    path = job.store / record.id / "result.json"
    data = json.loads(path.read_text())
    data["windows"][0]["work"] = -1
    path.write_text(json.dumps(data))
    with pytest.raises(InputError, match=r"windows\[0\]\.work: expected .* got -1"):
        read_record(path.parent)


def test_a_result_of_an_unknown_schema_version_is_refused(record, job):
    path = job.store / record.id / "result.json"
    path.write_text(path.read_text().replace('"schema_version": 1', '"schema_version": 99'))
    with pytest.raises(InputError, match="schema_version"):
        read_record(path.parent)


def test_the_store_must_not_be_or_lie_in_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    for store in (tmp_path / "file", tmp_path / "file" / "deep" / "er"):
        with pytest.raises(InputError, match=r"--out: expected a folder .*, which is a file"):
            prepare_store(store)


def test_results_are_found_by_id_beginning_path_and_latest(record, job):
    folder = job.store / record.id
    for name in (record.id, record.id[:20], str(folder), "latest:fake_cpu"):
        assert find_result(job.store, name) == folder


@pytest.mark.parametrize("name", ["", "nonsense", "latest:nonsense"])
@pytest.mark.usefixtures("record")
def test_an_unknown_result_is_refused(name, job):
    with pytest.raises(InputError, match="expected a known id"):
        find_result(job.store, name)
