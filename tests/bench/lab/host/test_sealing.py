"""A job that ended is sealed; at whatever step that is interrupted, the next look finishes it and loses nothing."""

import os
from itertools import count
from pathlib import Path

import pytest
from doubles.lab.folder_hosts import finish, job, machine, unsealed

from bench.lab.host import jobs, layout, sealing
from bench.lab.host.bundle import write_bundle
from bench.lab.host.sealing import read_ending


class Killed(BaseException):
    """The process ends here."""


def killed_after(monkeypatch, steps):
    """Let the step of this number be the last one: each flush, file and rename is a step."""
    left = [steps]

    def counted(real):
        def step(*arguments, **options):
            if left[0] == 0:
                raise Killed
            left[0] -= 1
            return real(*arguments, **options)

        return step

    monkeypatch.setattr(sealing, "flush", counted(sealing.flush))
    monkeypatch.setattr(sealing, "write_file", counted(sealing.write_file))
    monkeypatch.setattr(Path, "rename", counted(Path.rename))
    monkeypatch.setattr(Path, "unlink", counted(Path.unlink))


def test_a_sealing_that_is_killed_at_every_step_is_finished_by_the_next_look(tmp_path, monkeypatch):
    for steps in count():
        one, folder = job("a", number=steps), tmp_path / str(steps)
        ended = unsealed(folder, one, results=2)
        with monkeypatch.context() as patch:
            killed_after(patch, steps)
            try:
                sealing.seal(*ended)
            except Killed:
                whole = False
            else:
                whole = True
        (seen,) = jobs.state(folder).jobs
        assert (seen.state, len(seen.ending.results)) == ("ended", 2), steps
        assert seen.ending.reason in {"", "killed"}
        names = (layout.whole(folder, one.id) / layout.MANIFEST_FILE).read_text().split()[1::2]
        assert {"job.json", "end.json", "log.txt"} < set(names)
        if whole:
            break
    assert steps > 8


def test_a_job_whose_ending_was_written_keeps_it(tmp_path, monkeypatch):
    ended = unsealed(tmp_path, job("a"))
    with monkeypatch.context() as patch:
        killed_after(patch, 2)  # the room is free again, end.json is written
        with pytest.raises(Killed):
            sealing.seal(*ended)
    (seen,) = jobs.state(tmp_path).jobs
    assert (seen.ending.exit_status, seen.ending.reason) == (0, "")


def test_a_disk_that_is_full_at_the_end_keeps_the_job_until_there_is_room(tmp_path, monkeypatch):
    import errno

    one = job("a")

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "end.json")

    with monkeypatch.context() as patch:
        patch.setattr(sealing, "write_file", full)
        with pytest.raises(OSError, match="No space left"):
            finish(tmp_path, one)
        (seen,) = jobs.state(tmp_path).jobs
        assert (seen.state, seen.code) == ("dead", "disk_full")
    (seen,) = jobs.state(tmp_path).jobs
    assert (seen.state, len(seen.ending.results)) == ("ended", 1)


def test_a_long_log_keeps_its_end(tmp_path):
    one = job("a")
    partial = layout.partial(tmp_path, one.id)
    partial.mkdir(parents=True)
    (partial / layout.JOB_FILE).write_text(one.model_dump_json())
    (partial / layout.LOG_FILE).write_bytes(b"x" * 3 * sealing.LARGEST_LOG_BYTES + b"the end")
    final = sealing.settle(partial)
    log = (final / layout.LOG_FILE).read_bytes()
    assert log.startswith(b"(the beginning is cut off)\n")
    assert log.endswith(b"the end")
    assert len(log) < sealing.LARGEST_LOG_BYTES + 100


def test_what_the_host_did_not_write_stays_there(tmp_path):
    """A link, a hidden file and an unfinished result are neither in the manifest nor in the bundle."""
    import io
    import tarfile

    one = job("a")
    folder = finish(tmp_path, one)
    (folder / "results" / ".tmp-unfinished").mkdir()
    (folder / "results" / ".tmp-unfinished" / "result.json").write_text("{")
    (folder / "secret").symlink_to("/etc/passwd")
    (folder / "log.txt").unlink()
    (folder / "log.txt").symlink_to("/etc/passwd")
    stream = io.BytesIO()
    write_bundle(tmp_path, [one.id, "f" * 16], stream)
    stream.seek(0)
    with tarfile.open(fileobj=stream) as tar:
        names = [member.name.partition("/")[2] for member in tar]
    assert {"job.json", "end.json", "MANIFEST.sha256"} == {name for name in names if "/" not in name}
    assert not any("unfinished" in name for name in names)
    assert read_ending(folder).host_id == machine("a")
