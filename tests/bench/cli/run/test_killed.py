"""However a run dies, a reader finds whole, valid results or none."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.measure.runner import measure
from bench.results.folder import read_record
from bench.results.layout import result_folders
from bench.results.samples import read_samples

LIMIT_S = 600.0

# Writes one record again and again, each time in a child that kills itself at the next step that touches the disk.
KILLED_AT_STEP = """
import json, os, pathlib, shutil, signal, sys
from bench.results import writing as results
from sites import files
from bench.results.record import Record
from bench.results.samples import Sample

store = pathlib.Path(sys.argv[1])
record = Record.model_validate_json(sys.stdin.read())
samples = [
    Sample("work", window.index, window.start_s, window.end_s, 0.0, window.work, "hash")
    for window in record.windows
    for _ in range(window.batches)
]


def write_and_die_at(step, folder):
    seen = 0

    def dying(function):
        def call(*args, **kwargs):
            nonlocal seen
            seen += 1
            if seen == step:
                os.kill(os.getpid(), signal.SIGKILL)
            done = function(*args, **kwargs)
            seen += 1
            if seen == step:
                os.kill(os.getpid(), signal.SIGKILL)
            return done
        return call

    for module, name in ((results, "_write"), (results, "parquet_of"), (results, "_json"), (files, "flush")):
        setattr(module, name, dying(getattr(module, name)))
    for name in ("rename", "mkdir"):
        setattr(pathlib.Path, name, dying(getattr(pathlib.Path, name)))
    os.fsync = dying(os.fsync)
    results.write_record(folder, record, samples)


(store / "first").mkdir()
results.write_record(store / "first", record, samples)  # imports what the children would each import anew
shutil.rmtree(store / "first")
statuses = []
while 0 not in statuses and len(statuses) < 100:
    folder = store / f"{len(statuses) + 1:03}"
    folder.mkdir()
    child = os.fork()
    if child == 0:
        write_and_die_at(len(statuses) + 1, folder)
        os._exit(0)
    statuses.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
print(json.dumps(statuses))
"""


def assert_all_whole(store: Path) -> int:
    folders = list(result_folders(store))
    for folder in folders:
        record = read_record(folder)
        assert record.status == "ok"
        assert {artifact.name for artifact in record.artifacts} == {"samples.parquet"}
        assert read_samples(folder).num_rows >= sum(window.batches for window in record.windows)
    return len(folders)


def test_killing_before_or_after_each_write_and_rename_leaves_whole_results_or_none(
    tmp_path, fake_workload, job, cpu_device
):
    record = measure(fake_workload, job, device=cpu_device).model_copy(update={"artifacts": ()})
    store = tmp_path / "killed"
    store.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", KILLED_AT_STEP, str(store)],
        input=record.model_dump_json(), capture_output=True, text=True, check=True, timeout=600,
    )  # fmt: skip
    *killed, last = json.loads(done.stdout)
    assert set(killed) == {-signal.SIGKILL}
    assert last == 0
    assert len(killed) > 20
    whole = [assert_all_whole(folder) for folder in sorted(store.iterdir())]
    assert whole == sorted(whole), "a step after the rename lost the result"
    assert (whole[0], whole[-1]) == (0, 1)


def until(condition, process):
    """Wait until a condition holds or the process ends; how long Python takes to start is the host's matter."""
    limit = time.monotonic() + LIMIT_S
    while not condition() and process.poll() is None:
        assert time.monotonic() < limit, "the process neither came so far nor ended"
        time.sleep(0.002)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("step", "finished"), [("", 0), (".tmp-*/samples.parquet", 0), ("2*matmul_f64_cpu*", 1), ("2*matmul_f32_cpu*", 2)]
)
def test_killing_perwatt_run_at_a_step_of_its_results_leaves_whole_ones(tmp_path, step, finished):
    store = tmp_path / "results"
    command = [sys.executable, "-m", "bench", "run", "matmul_f64_cpu", "matmul_f32_cpu", "--plan", "smoke",
               "--threads", "1"]  # fmt: skip
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        until(lambda: store.exists() and (not step or any(store.glob(step))), process)
        process.kill()
    assert process.returncode in {-signal.SIGKILL, 0}
    assert assert_all_whole(store) >= finished


def test_a_ctrl_c_that_falls_into_a_callback_is_not_lost():
    code = (
        "import bench.__main__, ctypes, signal, time\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "ctypes.CFUNCTYPE(None)(lambda: signal.raise_signal(signal.SIGINT))()\n"
        "try:\n    time.sleep(600)\nexcept KeyboardInterrupt:\n    print('interrupted')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=600)
    assert (done.stdout, done.stderr) == ("interrupted\n", "")


def test_a_ctrl_c_that_falls_into_an_exec_of_text_ends_with_the_status_too(tmp_path):
    (tmp_path / "pressed.py").write_text(
        "import bench.__main__, bench.cli as cli\n"
        "press = 'import signal; signal.raise_signal(signal.SIGINT)'\n"
        "cli.perwatt.main = lambda **_: exec(press)\n"
        "cli.main([])\n"
    )
    command = [sys.executable, "-m", "pressed"]  # as `python -m bench`: there alone Python asks what it remembers
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=600)
    assert (done.returncode, done.stderr) == (130, "error: interrupted; the results written so far are complete\n")


def test_a_ctrl_c_that_compiled_code_turns_into_an_error_of_its_own_ends_with_the_status_too(tmp_path):
    (tmp_path / "pressed.py").write_text(
        "import signal, bench.cli as cli\n"
        "def build(**_):\n"
        "    try:\n        signal.raise_signal(signal.SIGINT)\n"
        "    except KeyboardInterrupt:\n        raise ValueError('SchemaError: KeyboardInterrupt:') from None\n"
        "cli.perwatt.main = build\n"
        "cli.main([])\n"
    )
    done = subprocess.run(
        [sys.executable, "pressed.py"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=600
    )
    assert (done.returncode, done.stderr) == (130, "error: interrupted; the results written so far are complete\n")


def test_ctrl_c_is_one_line(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "bench", "run", "matmul_f64_cpu", "--threads", "1"], cwd=tmp_path,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    until((tmp_path / "results").exists, process)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 130
    assert stderr.strip() == "error: interrupted; the results written so far are complete"
    assert_all_whole(tmp_path / "results")
