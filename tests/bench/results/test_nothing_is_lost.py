"""What could fail when a result is written fails before the run; what fails late all the same loses no result."""

import errno
import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from bench.errors import RunFailedError
from bench.measure.runner import Job, measure, measure_together
from bench.results import writing as results
from bench.results.folder import find_result, read_whole
from bench.results.layout import rescued_folder, result_names, second_folders, unfinished_folders
from bench.results.samples import Sample, read_samples
from bench.results.writing import new_id, prepare_store, write_record, write_records
from hardware_profiles.errors import InputError


@pytest.fixture
def refused_flush(monkeypatch):
    """Let fsync answer an error number for folders, or for everything."""
    real = os.fsync

    def install(number, *, files_too=False):
        def fsync(handle):
            if files_too or stat.S_ISDIR(os.fstat(handle).st_mode):
                raise OSError(number, os.strerror(number))
            real(handle)

        monkeypatch.setattr(os, "fsync", fsync)

    return install


def refuse_writing(monkeypatch, store, number=errno.ENOSPC):
    """Let nothing be written below the store from now on."""
    real = results._write

    def write(path, content):
        if store in path.parents:
            raise OSError(number, os.strerror(number), str(path))
        real(path, content)

    monkeypatch.setattr(results, "_write", write)


def bring_back(message):
    """Run the command that a message gives."""
    command = message.partition("bring it back with: ")[2]
    subprocess.run(["bash", "-c", command], check=True, timeout=600)


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP, errno.ENOSYS])
def test_a_file_system_that_cannot_flush_folders_is_a_notice_before_the_run_and_keeps_the_result(
    number, refused_flush, fake_workload, job, cpu_device
):
    refused_flush(number)
    assert prepare_store(job.store) == (
        f"{job.store}: its file system cannot flush a folder: a crash of the machine may lose the latest results"
    )
    record = measure(fake_workload, job, device=cpu_device)
    assert read_whole(job.store / record.id).status == "ok"


def test_a_folder_that_can_be_flushed_has_no_notice_and_is_left_empty(tmp_path):
    assert prepare_store(tmp_path / "a" / "results") == ""
    assert list((tmp_path / "a" / "results").iterdir()) == []


@pytest.mark.parametrize("files_too", [False, True])
def test_a_disk_that_fails_to_flush_is_refused_before_the_run(files_too, refused_flush, tmp_path):
    refused_flush(errno.EINVAL if files_too else errno.EIO, files_too=files_too)
    with pytest.raises(InputError, match=r"--out: expected a folder that results can be written to, got .*results: "):
        prepare_store(tmp_path / "results")
    assert list((tmp_path / "results").iterdir()) == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES])
def test_a_store_that_takes_no_result_is_refused_before_the_run(number, tmp_path, monkeypatch):
    refuse_writing(monkeypatch, tmp_path / "results", number)
    with pytest.raises(InputError, match=re.escape(os.strerror(number))):
        prepare_store(tmp_path / "results")
    assert list((tmp_path / "results").iterdir()) == []


def test_a_store_whose_results_would_have_too_long_a_path_is_refused_before_the_run(tmp_path):
    store = tmp_path
    while len(str(store)) + 210 < 3990:
        store /= "d" * 200
    store /= "e" * (3990 - len(str(store)))
    with pytest.raises(InputError, match="File name too long"):
        prepare_store(store)


@pytest.mark.parametrize("name", ["results", "my results; it's $HOME", "-r", "r\udce9s"])
def test_a_result_that_its_store_refuses_late_is_elsewhere_and_the_printed_command_brings_it_back(
    name, fake_workload, job, cpu_device, monkeypatch
):
    store = job.store.parent / name
    job = Job(job.run_id, job.argv, job.plan, store, job.system, job.commit)
    prepare_store(store)
    with monkeypatch.context() as full:
        refuse_writing(full, store)
        with pytest.raises(RunFailedError) as raised:
            measure(fake_workload, job, device=cpu_device)
    assert "No space left on device; the whole result is in " in str(raised.value)
    (id_,) = result_names(rescued_folder())
    assert read_whole(rescued_folder() / id_).id == id_
    bring_back(str(raised.value))
    assert result_names(store) == [id_]
    assert read_whole(store / id_).status == "ok"
    assert read_samples(store / id_).num_rows
    assert result_names(rescued_folder()) == []


def test_without_a_home_that_can_be_written_the_result_is_in_a_temporary_folder(
    fake_workload, job, cpu_device, tmp_path, monkeypatch
):
    (tmp_path / "state").write_text("in the way")
    refuse_writing(monkeypatch, job.store)
    with pytest.raises(RunFailedError, match="perwatt-rescued-") as raised:
        measure(fake_workload, job, device=cpu_device)
    monkeypatch.undo()
    bring_back(str(raised.value))
    assert len(result_names(job.store)) == 1


def test_a_store_that_is_removed_during_the_run_is_made_again(fake_workload, job, cpu_device):
    real = fake_workload.check_output

    def check_output():
        shutil.rmtree(job.store)
        return real()

    fake_workload.check_output = check_output
    record = measure(fake_workload, job, device=cpu_device)
    assert read_whole(job.store / record.id).status == "ok"


def test_a_relative_store_whose_current_folder_is_removed_loses_no_result(
    fake_workload, job, cpu_device, tmp_path, monkeypatch
):
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    job = Job(job.run_id, job.argv, job.plan, Path("results"), job.system, job.commit)
    prepare_store(job.store)
    shutil.rmtree(here)
    with pytest.raises(RunFailedError, match="the whole result is in"):
        measure(fake_workload, job, device=cpu_device)
    assert len(result_names(rescued_folder())) == 1
    monkeypatch.chdir(tmp_path)


def test_a_user_without_a_home_has_the_temporary_folder_only(monkeypatch, tmp_path):
    def no_home(_):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setattr(Path, "expanduser", no_home)
    assert [folder.parent for folder in second_folders()] == [tmp_path]


def test_a_store_that_becomes_a_file_during_the_run_loses_no_result(fake_workload, job, cpu_device):
    job.store.rmdir()
    job.store.write_text("")
    with pytest.raises(RunFailedError, match="which is a file; the whole result is in"):
        measure(fake_workload, job, device=cpu_device)
    assert len(result_names(rescued_folder())) == 1


def test_of_two_workloads_measured_together_both_results_are_kept(fake_workload, job, cpu_device, monkeypatch):
    refuse_writing(monkeypatch, job.store)
    with pytest.raises(RunFailedError) as raised:
        measure_together([fake_workload, type(fake_workload)()], job, device=cpu_device)
    assert str(raised.value).count("bring it back with: ") == 2
    assert len(result_names(rescued_folder())) == 2


def test_arguments_variables_and_programs_that_are_not_utf_8_are_kept_with_escapes(
    fake_workload, job, cpu_device, monkeypatch
):
    monkeypatch.setitem(os.environ, "OMP_PLACES", "\udcff")
    job = Job.start(job.plan, job.store, ["run", "--out", "r\udce9s"])
    monkeypatch.setattr("bench.measure.audit.cpu._busiest", lambda *_: "m\udcfcll (pid 7)")
    monkeypatch.setattr("bench.limits.FOREIGN_LOAD_FRAC", -1.0)
    record = read_whole(job.store / measure(fake_workload, job, device=cpu_device).id)
    assert record.run.argv == ("run", "--out", r"r\udce9s")
    assert record.system["environment_variables"]["OMP_PLACES"] == r"\udcff"
    assert any(r"m\udcfcll (pid 7)" in warning.detail for warning in record.warnings)


def test_a_series_whose_name_is_not_utf_8_is_kept(fake_workload, job, cpu_device):
    record = measure(fake_workload, job, device=cpu_device).model_copy(update={"id": "20260101T000000Z-fake_cpu-0"})
    write_record(job.store, record, [Sample("trace:r\udce9s", 0, 1.0, 1.0, 1e9, 5.0, "W")])
    assert read_samples(job.store / record.id).to_pydict()["series"] == [r"trace:r\udce9s"]


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), KeyboardInterrupt()])
def test_of_several_results_all_are_stored_or_none(error, fake_workload, job, cpu_device, monkeypatch):
    record = measure(fake_workload, job, device=cpu_device)
    copies = [(record.model_copy(update={"id": new_id("fake_cpu", record.run.started_utc)}), []) for _ in range(50)]
    real, count = results._write, []

    def write(path, content):
        count.append(path)
        if len(count) > 40:
            raise error
        real(path, content)

    with monkeypatch.context() as broken:
        broken.setattr(results, "_write", write)
        with pytest.raises((RunFailedError, KeyboardInterrupt)):
            write_records(job.store, copies)
    assert result_names(job.store) == [record.id]
    assert unfinished_folders(job.store) == []
    write_records(job.store, copies)
    assert len(result_names(job.store)) == 51


def test_ids_made_in_one_second_do_not_collide_and_older_shorter_ones_are_read(fake_workload, job, cpu_device):
    record = measure(fake_workload, job, device=cpu_device)
    ids = {new_id("fake_cpu", record.run.started_utc) for _ in range(20_000)}
    assert len(ids) == 20_000
    assert all(re.fullmatch(r"\d{8}T\d{6}Z-fake_cpu-[0-9a-f]{8}", id_) for id_ in ids)
    old = record.model_copy(update={"id": "20250101T000000Z-fake_cpu-12ab"})
    write_record(job.store, old, [])
    assert find_result(job.store, "20250101T000000Z-fake_cpu-12ab") == job.store / old.id


@pytest.mark.parametrize("fault", [ValueError("4,2"), ImportError("libarrow"), MemoryError(), KeyError("x")])
def test_samples_that_cannot_be_packed_cost_the_run_its_samples_only(
    fault, fake_workload, job, cpu_device, monkeypatch
):
    def fails(_):
        raise fault

    monkeypatch.setattr(results, "parquet_of", fails)
    record = read_whole(job.store / measure(fake_workload, job, device=cpu_device).id)
    (reason,) = (reason for reason in record.warnings if reason.code == "samples_not_stored")
    assert reason.detail.startswith(type(fault).__name__)
    assert record.artifacts == ()
    assert record.metrics["rate"].value is not None


def test_a_library_that_packs_no_samples_is_refused_before_the_run(tmp_path, monkeypatch):
    def fails(_):
        raise ImportError("libarrow.so: no such file")

    monkeypatch.setattr(results, "parquet_of", fails)
    with pytest.raises(InputError, match="pyarrow: expected a package that packs samples, got ImportError: libarrow"):
        prepare_store(tmp_path / "results")
