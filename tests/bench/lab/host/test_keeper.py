"""A job under its keeper: real processes, ended, cancelled and killed at every point; what it wrote is never lost."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from bench.lab.host import jobs, layout
from bench.lab.host.identity import code_version
from bench.lab.host.sealing import read_started
from bench.machine.identity import machine_key
from bench.results.folder import read_whole
from bench.results.labs.plan import Job, JobParts

SHORT = ("matmul_f32_cpu", "--plan", "smoke", "--threads", "1", "--meter", "none")
LONG = ("matmul_f32_cpu", "--plan", "publish", "--threads", "1", "--meter", "none")
WRONG = ("no_such_workload",)  # ends at once, with status 2
LIMIT_S = 60


@pytest.fixture(autouse=True)
def nothing_is_left(tmp_path):
    """A test that fails leaves no measurement to the tests after it."""
    yield
    for process in psutil.process_iter(["cmdline"]):
        if any(f"{tmp_path}/" in word for word in process.info["cmdline"] or ()):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()


def make(argv=SHORT, **changes):
    parts = {
        "run_id": "r", "host": "me", "host_id": machine_key(), "device": "cpu", "workload": argv[0], "argv": argv,
        "plan": "smoke", "domains": ("host:me",), "perwatt_version": code_version(), "deadline_s": 60.0, **changes,
    }  # fmt: skip
    return Job.of(JobParts(**parts))


def seen(folder, job):
    return next((one for one in jobs.state(folder).jobs if one.id == job.id), None)


def ended(folder, job):
    until = time.monotonic() + LIMIT_S
    while (one := seen(folder, job)) is not None and one.state == "running":
        assert time.monotonic() < until
        time.sleep(0.05)
    return one


def processes_of(job):
    """Return the processes that work for a job: its id is in their command lines."""
    return [
        one for one in psutil.process_iter(["cmdline"]) if any(job.id in word for word in one.info["cmdline"] or ())
    ]


def nothing_runs(job):
    until = time.monotonic() + 10
    while processes_of(job):
        assert time.monotonic() < until, processes_of(job)
        time.sleep(0.02)
    return True


@pytest.mark.slow
def test_a_job_is_measured_and_its_files_have_the_digests_of_its_manifest(tmp_path):
    job = make(supersedes_result="20261130T220000Z-first-attempt-00000001")
    assert jobs.start(tmp_path, job)["state"] == "running"
    one = ended(tmp_path, job)
    assert (one.ending.exit_status, one.ending.reason) == (0, "")
    assert one.ending.started.monotonic_s < one.ending.ended.monotonic_s
    folder = layout.whole(tmp_path, job.id)
    record = read_whole(folder / "results" / one.ending.results[0])
    assert (record.run.host.id, record.run.host.name) == (machine_key(), "me")
    assert record.supersedes == job.supersedes_result
    subprocess.run(["sha256sum", "--quiet", "-c", "MANIFEST.sha256"], cwd=folder, check=True)
    assert nothing_runs(job)
    assert jobs.start(tmp_path, job)["refused"] == "job_exists"


def test_one_job_at_a_time_whatever_its_folder(tmp_path):
    first, second = make(LONG), make(SHORT)
    jobs.start(tmp_path / "one", first)
    assert jobs.start(tmp_path / "one", second)["refused"] == "busy"
    assert jobs.start(tmp_path / "two", second)["refused"] == "busy"
    assert seen(tmp_path / "one", second) is None
    assert jobs.start(tmp_path / "one", first)["refused"] == "job_exists"
    assert jobs.stop(tmp_path / "one", first.id) == {"stopped": True}
    assert ended(tmp_path / "one", first).ending.reason == "cancelled"
    assert nothing_runs(first)
    assert jobs.stop(tmp_path / "one", first.id) == {"stopped": False}


def test_nothing_of_a_job_runs_after_its_deadline(tmp_path):
    job = make(LONG, deadline_s=1.0)
    jobs.start(tmp_path, job)
    one = ended(tmp_path, job)
    assert one.ending.reason == "deadline"
    assert 1.0 <= one.ending.ended.monotonic_s - one.ending.started.monotonic_s < 20.0
    assert nothing_runs(job)


def test_a_wrong_request_ends_with_the_line_of_its_log(tmp_path):
    job = make(WRONG)
    jobs.start(tmp_path, job)
    ending = ended(tmp_path, job).ending
    assert (ending.exit_status, ending.reason) == (2, "measurement_failed")
    assert ending.detail.startswith("error: workload: expected one of")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"host_id": "00000000"}, "answers_for"),
        ({"perwatt_version": "0.0.1"}, "version_differs"),
        ({"device": "gpu:GPU-none"}, "device_missing"),
    ],
)
def test_a_job_that_is_not_for_this_host_is_refused_and_leaves_nothing(tmp_path, changes, code):
    job = make(**changes)
    assert jobs.start(tmp_path, job)["refused"] == code
    assert seen(tmp_path, job) is None


def test_a_job_that_comes_too_late_does_not_start(tmp_path):
    job = make()
    assert jobs.start(tmp_path, job, time.monotonic() - 1)["refused"] == "late"
    assert seen(tmp_path, job) is None


def test_a_full_disk_and_a_folder_that_cannot_be_made_are_refused(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    refused = jobs.start(tmp_path / "file" / "lab", make())
    assert refused == {"refused": "not_writable", "detail": f"{tmp_path}/file/lab: Not a directory"}
    monkeypatch.setattr(jobs, "room_bytes", lambda _: 3 * 2**20)
    refused = jobs.start(tmp_path, make())
    assert refused == {"refused": "disk_full", "detail": f"expected 256 MiB in {tmp_path}, got 3 MiB"}


@pytest.mark.slow
@pytest.mark.parametrize("after_s", [0.0, 0.1, 0.4, 0.6, 0.8])
def test_a_keeper_that_is_killed_at_any_point_takes_its_job_with_it_and_is_named(tmp_path, after_s):
    job = make(WRONG)
    jobs.start(tmp_path, job)
    time.sleep(after_s)
    _, keeper = read_started(layout.partial(tmp_path, job.id))
    if keeper is not None:
        os.kill(keeper, signal.SIGKILL)
    assert nothing_runs(job)
    ending = ended(tmp_path, job).ending
    assert ending.reason in {"killed", "measurement_failed"}
    assert (ending.reason == "killed") == (ending.exit_status is None)
    other = make(WRONG, deadline_s=61.0)
    assert jobs.start(tmp_path, other)["state"] == "running"  # the lease is free
    ended(tmp_path, other)


def test_perwatt_run_that_is_killed_is_named(tmp_path):
    job = make(LONG)
    jobs.start(tmp_path, job)
    _, keeper = read_started(layout.partial(tmp_path, job.id))
    for child in psutil.Process(keeper).children():
        child.kill()
    ending = ended(tmp_path, job).ending
    assert (ending.reason, ending.exit_status) == ("killed", -9)


@pytest.mark.slow
@pytest.mark.parametrize("after_s", [0.05, 0.3, 0.5, 0.8])
def test_a_start_that_is_killed_at_any_point_leaves_a_job_that_ends_or_none(tmp_path, after_s):
    job = make(WRONG)
    code = "import sys; from bench.lab.host.answer import serve; serve(sys.stdin.buffer, sys.stdout.buffer)"
    request = {"verb": "start", "folder": str(tmp_path), "request": {"job": job.model_dump(mode="json")}}
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True
    )
    with process:
        process.stdin.write(json.dumps(request).encode() + b"\n")
        process.stdin.flush()
        time.sleep(after_s)
        os.killpg(process.pid, signal.SIGKILL)
    one = ended(tmp_path, job)
    assert one is None or one.ending.reason in {"killed", "measurement_failed"}
    assert nothing_runs(job)
    other = make(WRONG, deadline_s=61.0)
    assert jobs.start(tmp_path, other)["state"] == "running"
    ended(tmp_path, other)


def test_a_measurement_ends_with_its_keeper_and_a_restart_of_the_host_is_named(tmp_path):
    job = make(LONG)
    jobs.start(tmp_path, job)
    partial = layout.partial(tmp_path, job.id)
    _, keeper = read_started(partial)
    (measurement,) = psutil.Process(keeper).children()
    while sum(measurement.cpu_times()[:2]) < 0.5:  # it is past its start
        time.sleep(0.02)
    os.kill(keeper, signal.SIGKILL)
    assert nothing_runs(job)
    note = json.loads((partial / layout.STARTED_FILE).read_text())
    note["stamp"]["boot_id"] = "an earlier boot"
    (partial / layout.STARTED_FILE).write_text(json.dumps(note))
    assert ended(tmp_path, job).ending.reason == "reboot"
