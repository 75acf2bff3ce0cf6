"""The command line with meters: a plug on loopback, a log written while it runs, a log attached afterwards."""

import json
import math
import os
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

pytestmark = pytest.mark.alone


def perwatt(folder, *arguments):
    environment = {**os.environ, "PERWATT_LOCKS": str(folder / "locks")}
    return subprocess.run(
        [sys.executable, "-m", "bench", *arguments],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def curve(t):
    return 100.0 + 30.0 * math.sin(2.0 * t)


def curve_j(t0, t1):
    return 100.0 * (t1 - t0) - 15.0 * (math.cos(2.0 * t1) - math.cos(2.0 * t0))


SERVERS = {}


def plug_server(spec):
    return SERVERS[int(spec.rpartition(":")[2])]


@pytest.fixture
def plug():
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps({"id": 0, "apower": curve(time.monotonic())}).encode()
            self.send_response(200 if self.server.answering else 503)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.answering = True
    SERVERS[server.server_port] = server
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"shelly:127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def logger(tmp_path):
    """Writes a log of time and watts at 50 Hz until it is told to stop."""
    path = tmp_path / "power.csv"
    stop = threading.Event()

    def write():
        with path.open("w") as file:
            file.write("time,watts\n")
            while not stop.wait(0.02):
                now = time.time()
                file.write(f"{now:.4f},{curve(time.monotonic()):.4f}\n")
                file.flush()

    thread = threading.Thread(target=write)
    thread.start()
    yield path
    stop.set()
    thread.join()


def test_a_plug_that_plays_a_known_curve_gives_its_joules_to_half_a_per_cent(tmp_path, plug):
    done = perwatt(
        tmp_path, "run", "matmul_f32_cpu", "--plan", "smoke", "--meter", f"{plug},accuracy=1%",
        "--meter-period-s", "0.02", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (record,) = json.loads(done.stdout)["records"]
    assert record["run"]["window_s"] == 2.0
    assert "100 periods" in record["run"]["window_why"]
    for window in record["windows"]:
        (energy,) = window["energy"]
        assert energy["joules"] == pytest.approx(curve_j(window["start_s"], window["end_s"]), rel=0.005)
        assert energy["samples"] >= 50
    metric = record["metrics"]["energy_per_flop_wall"]
    assert (metric["boundary"], metric["tier"], metric["basis"]) == ("wall", "B", "measured")


def test_a_live_log_is_joined_and_a_later_one_attached_as_a_record_that_supersedes(tmp_path, logger):
    done = perwatt(
        tmp_path, "run", "matmul_f32_cpu", "--plan", "smoke", "--meter", f"trace:{logger}",
        "--meter-period-s", "0.02", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (record,) = json.loads(done.stdout)["records"]
    for window in record["windows"]:
        assert window["energy"][0]["joules"] == pytest.approx(curve_j(window["start_s"], window["end_s"]), rel=0.005)

    late = tmp_path / "late.csv"
    shifted = [line.split(",") for line in logger.read_text().splitlines()[1:] if line.count(",") == 1]
    late.write_text("time,watts\n" + "".join(f"{float(t) - 18000.0:.4f},{w}\n" for t, w in shifted[:-1]))
    done = perwatt(
        tmp_path, "run", "--attach", record["id"], "--meter", f"trace:{late}",
        "--clock-offset-s", "-18000", "--meter-period-s", "0.02", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (joined,) = json.loads(done.stdout)["records"]
    assert joined["supersedes"] == record["id"]
    assert joined["id"] != record["id"]
    assert joined["meters"] == ["trace:power.csv", "trace:late.csv"]
    assert joined["meters_gaps"][0]["inner_over_outer"] == pytest.approx(1.0, abs=1e-3)
    assert (tmp_path / "results" / record["id"] / "result.json").exists()

    again = perwatt(tmp_path, "run", "--attach", joined["id"], "--meter", f"trace:{late}")
    assert again.returncode == 2
    assert "a log that is not attached yet" in again.stderr
    wrong = perwatt(tmp_path, "run", "--attach", record["id"], "--meter", f"trace:{late}", "--json")
    (shifted_away,) = json.loads(wrong.stdout)["records"]
    codes = {reason["code"] for reason in shifted_away["warnings"]}
    assert "trace_not_covering" in codes


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "--attach", "nothing"), "the log to add"),
        (("run", "matmul_f32_cpu", "--attach", "x", "--meter", "trace:a"), "no workload with it"),
        (("run", "matmul_f32_cpu", "--meter", "shely:x"), "did you mean shelly"),
        (("run", "matmul_f32_cpu", "--meter", "trace:nowhere/power.csv"), "a folder that exists"),
        (("run", "matmul_f32_cpu", "--meter", "shelly:h", "--meter-period-s", "-1"), "above 0"),
        (("run", "matmul_f32_cpu", "--watts", "-3"), "above 0 W"),
        (("compare", "antminer-s21"), "two or more"),
        (("compare", "antminer-s21", "antminer-s99"), "did you mean|or the profile"),
        (("compare", "--run", "matmul_f32_cpu"), "two workloads"),
        (("compare", "--run", "matmul_f32_cpu", "memory_triad_cpu", "--pairs", "0"), "1 or more"),
    ],
)
def test_a_wrong_request_is_one_line_and_status_two(tmp_path, arguments, words):
    done = perwatt(tmp_path, *arguments)
    assert done.returncode == 2, (done.stdout, done.stderr)
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    import re

    assert re.search(words, done.stderr), done.stderr


def test_a_meter_that_cannot_be_opened_is_one_line_and_status_one(tmp_path):
    done = perwatt(tmp_path, "run", "matmul_f32_cpu", "--plan", "smoke", "--meter", "shelly:127.0.0.1:1")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "refused" in done.stderr


def start(folder, *arguments):
    environment = {**os.environ, "PERWATT_LOCKS": str(folder / "locks")}
    return subprocess.Popen(
        [sys.executable, "-m", "bench", *arguments],
        cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def locked(folder):
    """Wait until a run holds the lock of a plug."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if list((folder / "locks").glob("shelly*.lock")):
            return
        time.sleep(0.05)
    raise AssertionError("no run took its lock")


def test_two_runs_on_one_meter_leave_one_figure_and_one_invalid_record(tmp_path, plug):
    options = ("matmul_f32_cpu", "--plan", "smoke", "--meter", plug, "--meter-period-s", "0.02", "--json")
    first = start(tmp_path, "run", *options, "--out", "first")
    locked(tmp_path)
    second = perwatt(tmp_path, "run", *options, "--out", "second")
    stdout, stderr = first.communicate(timeout=120)
    assert second.returncode == 1, second.stderr
    (refused,) = json.loads(second.stdout)["records"]
    assert (refused["status"], refused["metrics"], refused["windows"]) == ("invalid", {}, [])
    assert [reason["code"] for reason in refused["reasons"]] == ["domain_busy"]
    assert first.returncode == 0, stderr
    (record,) = json.loads(stdout)["records"]
    assert "energy_per_flop_wall" in record["metrics"]
    assert "another_run" in {reason["code"] for reason in record["warnings"]}


def test_a_plug_that_vanishes_in_the_middle_of_a_run_is_a_record_with_its_reason(tmp_path, plug):
    server = plug_server(plug)
    run = start(
        tmp_path, "run", "matmul_f32_cpu", "--plan", "smoke", "--meter", plug, "--meter-period-s", "0.03", "--json"
    )
    locked(tmp_path)
    time.sleep(1.0)
    server.answering = False
    stdout, stderr = run.communicate(timeout=120)
    assert run.returncode == 0, stderr
    assert "Traceback" not in stderr
    (record,) = json.loads(stdout)["records"]
    codes = {reason["code"] for reason in record["warnings"]}
    assert {"energy_missing"} < codes
    assert codes & {"meter_lost", "sample_gap", "edge_missing"}
    assert set(record["metrics"]) == {"rate"}
    assert all(energy["joules"] is None for window in record["windows"][-1:] for energy in window["energy"])
