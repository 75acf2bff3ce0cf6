"""`perwatt miner simulate` says first that it is a simulation, and at its end how many hashes it counted."""

import json
import socket
import threading

import pytest
from click.testing import CliRunner

from bench.cli import perwatt
from bench.errors import RunFailedError
from bench.stratum.server import ServerOptions
from bench.stratum.thread import WorkServer
from bench.stratum.verify import ShareClass
from hardware_profiles.errors import InputError
from kernels.scan_cpu import variants

DIFFICULTY = 2.0**-14


@pytest.fixture
def simulate():
    names = [candidate.name for candidate in variants.candidates()]
    variant = next(name for name in ("shani", "neon_sha2", *names) if name in names)

    def run(*options, shares=20):
        with WorkServer(ServerOptions(difficulty=DIFFICULTY)) as server:
            host, port = server.start("127.0.0.1", 0)
            words = ["miner", "simulate", f"{host}:{port}", "--shares", str(shares), "--variant", variant, *options]
            result = CliRunner().invoke(perwatt, words, standalone_mode=False)
        return result, server

    return run


def test_the_first_line_says_that_a_cpu_hashes_and_the_end_has_the_count(simulate):
    result, server = simulate()
    lines = result.stdout.splitlines()
    assert lines[0].startswith("simulated miner: the CPU of this machine hashes; no ASIC is involved")
    assert any(line.startswith("hashes ") and "counted one by one" in line for line in lines)
    assert any(line.startswith("rate ") and line.endswith("(counted)") for line in lines)
    assert server.shares.counts(0.0, 1e12)[ShareClass.VALID] >= 20


def test_as_json_the_document_says_so_too_and_has_the_exact_count(simulate):
    result, server = simulate("--json", "--crlf", "--duplicates", "1")
    document = json.loads(result.stdout)
    counts = server.shares.counts(0.0, 1e12)
    assert document["simulated"].startswith("simulated miner")
    assert document["personality"] == "CRLF, duplicates 1"
    assert document["hashes"] % 4096 == 0
    assert document["shares"] == counts[ShareClass.VALID] == counts[ShareClass.DUPLICATE]
    assert document["refused"] == {"Duplicate share": document["shares"]}


def test_a_server_that_ends_first_is_said_with_the_count_so_far():
    names = [candidate.name for candidate in variants.candidates()]
    variant = next(name for name in ("shani", "neon_sha2", *names) if name in names)
    with WorkServer(ServerOptions(difficulty=DIFFICULTY)) as server:
        host, port = server.start("127.0.0.1", 0)
        stopping = threading.Thread(target=lambda: server.shares.wait(0, 120.0) and server.stop())
        stopping.start()
        words = ["miner", "simulate", f"{host}:{port}", "--variant", variant]
        result = CliRunner().invoke(perwatt, words, standalone_mode=False)
        stopping.join()
    assert result.stdout.splitlines()[-1].startswith(f"ended      before its time: no connection to {host}:{port}: ")
    assert "counted one by one" in result.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["127.0.0.1"], "HOST:PORT: expected a host with the port of its work server"),
        (["127.0.0.1:3333", "--threads", "0"], "--threads: expected 1 to"),
        (["127.0.0.1:3333", "--shares", "0"], "--shares: expected a whole number above 0"),
        (["127.0.0.1:3333", "--duplicates", "2"], "--duplicates: expected a share from 0 to 1"),
        (["127.0.0.1:3333", "--storm", "-1"], "--storm: expected"),
    ],
)
def test_a_wrong_request_is_one_line(options, message):
    result = CliRunner().invoke(perwatt, ["miner", "simulate", *options], standalone_mode=False)
    assert isinstance(result.exception, InputError)
    assert str(result.exception).startswith(message)


def test_a_server_that_is_not_there_is_one_line():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    words = ["miner", "simulate", f"127.0.0.1:{port}", "--variant", "scalar", "--seconds", "1"]
    result = CliRunner().invoke(perwatt, words, standalone_mode=False)
    assert isinstance(result.exception, RunFailedError)
    assert "no connection to 127.0.0.1" in str(result.exception)
