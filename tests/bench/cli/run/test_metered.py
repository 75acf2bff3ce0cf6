"""The command line with meters: a plug on loopback, a log written while it runs, a log attached afterwards."""

import json
import math
import os
import re
import socket
import subprocess
import sys
import time

import pytest
from doubles.plug import FakePlug

SMOKE = ("run", "matmul_f32_cpu", "--threads", "1", "--plan", "smoke")


def curve(t):
    return 100.0 + 30.0 * math.sin(2.0 * t)


def curve_j(t0, t1):
    return 100.0 * (t1 - t0) - 15.0 * (math.cos(2.0 * t1) - math.cos(2.0 * t0))


@pytest.fixture
def plug(clock):
    fake = FakePlug(clock, curve=curve)
    yield fake
    fake.close()


@pytest.fixture
def workload(fake_workload, monkeypatch):
    """What every command measures here: seconds of a clock that the tests move."""
    fake_workload.name, fake_workload.unit = "matmul_f32_cpu", "flop"
    monkeypatch.setattr("bench.workloads.registry.create", lambda *_: fake_workload)
    return fake_workload


@pytest.fixture
def logger(clock, tmp_path):
    """Write a log of time and watts at 50 Hz."""
    path = tmp_path / "power.csv"
    path.write_text("time,watts\n")

    def write():
        while True:
            clock.sleep(0.02)
            with path.open("a") as file:
                file.write(f"{clock.time():.4f},{curve(clock.monotonic()):.4f}\n")

    clock.Thread(target=write).start()
    return path


@pytest.mark.usefixtures("workload")
def test_a_log_that_does_not_exist_yet_is_one_line_before_the_run(perwatt, tmp_path, logger):
    done = perwatt(*SMOKE, "--meter", f"trace:{tmp_path / 'none.csv'},wait=1", "--json")
    assert done.stderr.splitlines()[0] == (
        f"warning: {tmp_path / 'none.csv'}: this log does not exist yet; after each workload perwatt waits for it for "
        "up to 1 s (`trace:FILE,wait=SECONDS` changes this)"
    )
    assert "this log does not exist yet" not in perwatt(*SMOKE, "--meter", f"trace:{logger}", "--json").stderr


@pytest.mark.usefixtures("workload")
def test_a_plug_that_plays_a_known_curve_gives_its_joules_to_half_a_per_cent(perwatt, plug):
    done = perwatt(*SMOKE, "--meter", f"{plug.spec},accuracy=1%", "--meter-period-s", "0.02", "--json")
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


def test_a_process_of_its_own_reads_a_plug_while_it_computes(tmp_path):
    fake = FakePlug(time, curve=lambda t: 100.0 + 1e-6 * math.sin(t))
    environment = {**os.environ, "PERWATT_LOCKS": str(tmp_path / "locks")}
    done = subprocess.run(
        [sys.executable, "-m", "bench", *SMOKE, "--meter", fake.spec, "--meter-period-s", "0.01", "--json"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    fake.close()
    assert done.returncode == 0, done.stderr
    (record,) = json.loads(done.stdout)["records"]
    assert (record["status"], len(record["windows"])) == ("ok", 2)
    for window in record["windows"]:
        (energy,) = window["energy"]
        if energy["joules"] is None:  # the machine was too busy to ask the plug in time
            assert energy["reasons"]
        else:
            assert energy["joules"] == pytest.approx(100.0 * (window["end_s"] - window["start_s"]))


@pytest.mark.usefixtures("workload")
def test_a_live_log_is_joined_and_a_later_one_attached_as_a_record_that_supersedes(perwatt, logger, tmp_path):
    done = perwatt(*SMOKE, "--meter", f"trace:{logger}", "--meter-period-s", "0.02", "--json")
    assert done.returncode == 0, done.stderr
    (record,) = json.loads(done.stdout)["records"]
    for window in record["windows"]:
        assert window["energy"][0]["joules"] == pytest.approx(curve_j(window["start_s"], window["end_s"]), rel=0.005)

    late = tmp_path / "late.csv"
    shifted = [line.split(",") for line in logger.read_text().splitlines()[1:] if line.count(",") == 1]
    late.write_text("time,watts\n" + "".join(f"{float(t) - 18000.0:.4f},{w}\n" for t, w in shifted[:-1]))
    done = perwatt(
        "run", "--attach", record["id"], "--meter", f"trace:{late}",
        "--clock-offset-s", "-18000", "--meter-period-s", "0.02", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (joined,) = json.loads(done.stdout)["records"]
    assert joined["supersedes"] == record["id"]
    assert joined["id"] != record["id"]
    assert joined["meters"] == ["trace:power.csv", "trace:late.csv"]
    assert joined["meters_gaps"][0]["inner_over_outer"] == pytest.approx(1.0, abs=1e-3)
    assert (tmp_path / "results" / record["id"] / "result.json").exists()

    again = perwatt("run", "--attach", joined["id"], "--meter", f"trace:{late}")
    assert again.returncode == 2
    assert "a log that is not attached yet" in again.stderr
    wrong = perwatt("run", "--attach", record["id"], "--meter", f"trace:{late}", "--json")
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
        (("run", "matmul_f32_cpu", "--watts", "-3"), "expected a power from 0.001"),
        (("compare", "antminer-s21"), "two or more"),
        (("compare", "antminer-s21", "antminer-s99"), "did you mean|or the profile"),
        (("compare", "--run", "matmul_f32_cpu"), "two workloads"),
        (("compare", "--run", "matmul_f32_cpu", "memory_triad_cpu", "--pairs", "0"), "1 or more"),
    ],
)
def test_a_wrong_request_is_one_line_and_status_two(perwatt, arguments, words):
    done = perwatt(*arguments)
    assert done.returncode == 2, (done.stdout, done.stderr)
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert re.search(words, done.stderr), done.stderr


@pytest.mark.usefixtures("workload")
def test_a_meter_that_cannot_be_opened_is_one_line_and_status_one(perwatt):
    with socket.socket() as bound:  # the port is taken, and nobody listens on it
        bound.bind(("127.0.0.1", 0))
        done = perwatt(*SMOKE, "--meter", f"shelly:127.0.0.1:{bound.getsockname()[1]}")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "refused" in done.stderr


def test_two_runs_on_one_meter_leave_one_figure_and_one_invalid_record(perwatt, plug, workload, tmp_path):
    options = (*SMOKE, "--meter", plug.spec, "--meter-period-s", "0.02", "--json")
    second = []
    run = workload.run

    def run_beside(n):
        if not second:
            second.append(
                subprocess.run(
                    [sys.executable, "-m", "bench", *options, "--out", "second"],
                    cwd=tmp_path, capture_output=True, text=True, timeout=600, check=False,
                )
            )  # fmt: skip
        return run(n)

    workload.run = run_beside
    first = perwatt(*options, "--out", "first")
    assert second[0].returncode == 1, second[0].stderr
    (refused,) = json.loads(second[0].stdout)["records"]
    assert (refused["status"], refused["metrics"], refused["windows"]) == ("invalid", {}, [])
    assert [reason["code"] for reason in refused["reasons"]] == ["domain_busy"]
    assert first.returncode == 0, first.stderr
    (record,) = json.loads(first.stdout)["records"]
    assert "energy_per_flop_wall" in record["metrics"]
    assert "another_run" in {reason["code"] for reason in record["warnings"]}


@pytest.mark.usefixtures("workload")
def test_a_plug_that_vanishes_in_the_middle_of_a_run_is_a_record_with_its_reason(clock, perwatt, plug):
    clock.after(3.0, lambda: setattr(plug, "mode", "error"))  # the load is on for 2 s before the first window of 3 s
    done = perwatt(*SMOKE, "--meter", plug.spec, "--meter-period-s", "0.03", "--json")
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    (record,) = json.loads(done.stdout)["records"]
    codes = {reason["code"] for reason in record["warnings"]}
    assert {"energy_missing"} < codes
    assert codes & {"meter_lost", "sample_gap", "edge_missing"}
    assert "rate" in record["metrics"]
    assert not [name for name in record["metrics"] if "energy" in name or "power" in name]
    assert all(energy["joules"] is None for window in record["windows"][-1:] for energy in window["energy"])
