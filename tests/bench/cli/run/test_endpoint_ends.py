"""How `perwatt run endpoint` ends when something is wrong: one line, its status, and nothing left behind."""

import signal
import subprocess
import sys
import threading

import psutil
import pytest
from doubles.crowded import LONG_S, until
from doubles.endpoint.server import Setup, serving

from bench.endpoint.mixes import parse_mixes
from bench.results.folder import read_record
from bench.results.layout import result_folders
from hardware_profiles.errors import InputError

URL = ("--url", "http://127.0.0.1:9")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--concurrency", "0"), "--concurrency"),
        (("--concurrency", "4,x"), "4,x"),
        (("--concurrency", "1e9"), "20,000"),
        (("--concurrency", "4", "--rate", "2"), "either --rate or --concurrency"),
        (("--rate", "nan"), "--rate"),
        (("--rate", "-1"), "--rate"),
        (("--output", "1"), "--output"),
        (("--most", "0"), "--most"),
        (("--limits", "llama3.1-8b", "--ttft-ms", "5"), "either --limits"),
        (("--limits", "nonsense"), "--limits"),
        (("--tpot-ms", "0"), "above 0"),
        (("--dataset", "missing.txt"), "missing.txt"),
        (("--meter", "none", "--meter", "shelly:10.0.0.9"), "--meter none"),
        (("--plan", "quik"), "quick"),
        (("--api-key-env", "NO_SUCH_NAME"), "--api-key-env: expected"),
        (("--api-key-file", "missing"), "--api-key-file: missing: expected"),
        (("--api-key-file", "key", "--api-key-env", "KEY"), "either --api-key-file or --api-key-env"),
        (("--url", "ftp://10.0.0.5"), "ftp"),
        (("--processes", "0"), "--processes"),
        (("--processes", "9"), "--processes: expected at most the requests at a time, got 9"),
        (("--processes", "5", "--concurrency", "2,4"), "--processes"),
        (("--most", "8"), "--most: expected --concurrency sweep with it, got 8"),
        (("--most", "8", "--concurrency", "4"), "--most"),
        (("--burstiness", "2"), "--burstiness: expected --rate with it"),
        (("--mixes", "16:8,64:4,8:20", "--input", "5"), "--input: expected no --mixes with it"),
        (("--mixes", "16:8,64:4,8:20", "--output", "5"), "--output: expected no --mixes with it"),
        (("--mixes", "16:8,64:4,8:20", "--dataset", "prompts.txt"), "--dataset: expected no --mixes with it"),
        (("--dataset", "prompts.txt", "--input", "5"), "--input: expected no --dataset with it"),
        (("--dataset", "prompts.txt", "--seed", "5"), "--seed: expected no --dataset with it"),
        (("--ca-file", "ca.pem"), "--ca-file: expected an address that begins with https:"),
        (("--meter-period-s", "1"), "--meter-period-s: expected --meter with it"),
        (("--meter", "none", "--meter-period-s", "1"), "--meter-period-s: expected --meter with it"),
        (("--meter", "shelly:10.0.0.9", "--clock-offset-s", "1"), "--clock-offset-s: expected --meter trace:FILE"),
        (("--url", "tiny", "--api-key-env", "KEY"), "--api-key-env: expected a server that asks for a key, got 'tiny'"),
    ],
)
def test_a_wrong_option_is_one_line_with_status_2_and_nothing_is_measured(refused, options, words, tmp_path):
    """An option without effect is a wrong one."""
    assert words in refused("run", "endpoint", *URL, *options)
    assert not list(result_folders(tmp_path / "results"))


@pytest.mark.parametrize(
    "text", ["", "512:128", "1:2,1:2,1:2", "1:2,3:4,x", "0:2,3:4,5:6", "1:1,3:4,5:6", "1:2,3:4,-5:6"]
)
def test_fewer_than_three_mixes_and_what_is_no_mix_are_refused(text):
    with pytest.raises(InputError, match="--mixes: expected 3 or more different mixes"):
        parse_mixes(text)


def test_a_server_that_is_not_there_is_one_line_with_status_1(refused):
    assert "127.0.0.1:9" in refused("run", "endpoint", *URL, status=1)


def test_lengths_beyond_the_context_of_the_server_are_refused(refused):
    with serving() as server:
        url = f"http://127.0.0.1:{server.port}"
        line = refused("run", "endpoint", "--url", url, "--input", 99_990, "--output", 100)
    assert "at most 100,000 tokens together" in line


def test_a_server_that_goes_away_amid_the_run_costs_the_figures_not_the_record(perwatt, tmp_path, monkeypatch):
    monkeypatch.setattr("bench.endpoint.workload.STEADY_BLOCK_S", 0.1)
    with serving(Setup(token_s=0.002)) as server:
        url = f"http://127.0.0.1:{server.port}"

        def leave():
            until(lambda: server.requests > 60)
            server.loop.call_soon_threadsafe(server.stop)

        threading.Thread(target=leave, daemon=True).start()
        done = perwatt("run", "endpoint", "--url", url, "--input", 8, "--output", 10, "--concurrency", 2)
    assert done.returncode == 1, done.stdout
    assert len(done.stderr.splitlines()) == 1
    (folder,) = result_folders(tmp_path / "results")
    record = read_record(folder)
    assert record.status != "ok"
    assert record.rate is None


def test_ctrl_c_is_one_line_and_leaves_no_process_no_connection_and_no_half_result(tmp_path):
    with serving(Setup(token_s=0.002)) as server:
        command = [sys.executable, "-m", "bench", "run", "endpoint", "--url", f"http://127.0.0.1:{server.port}",
                   "--input", "8", "--output", "10", "--concurrency", "4", "--processes", "2"]  # fmt: skip
        process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            until(lambda: server.most_connections >= 4 or process.poll() is not None)
            workers = psutil.Process(process.pid).children(recursive=True)
            assert len(workers) >= 2
            process.send_signal(signal.SIGINT)
            _, stderr = process.communicate(timeout=LONG_S)
        finally:
            process.kill()
        assert process.returncode == 130
        assert stderr.strip() == "error: interrupted; the results written so far are complete"
        _, alive = psutil.wait_procs(workers, timeout=LONG_S)
        assert not alive
        until(lambda: not server.connections)
    assert not list(result_folders(tmp_path / "results"))
    assert not list((tmp_path / "results").glob("*/result.json"))
