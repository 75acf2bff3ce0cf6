"""`doctor` on the miner that PERWATT_MINER names: whether it answers, in one line."""

import json

import pytest
from doubles.miners import antminer
from doubles.miners.server import FakeMiner


@pytest.fixture
def miner(monkeypatch):
    monkeypatch.setattr("bench.miners.link.PAUSE_S", 0.0)
    monkeypatch.setattr("bench.miners.identify.PAUSE_S", 0.0)
    fake = FakeMiner(antminer.s19_pro())
    yield fake
    fake.close()


def line_of(perwatt, host):
    done = perwatt("doctor", env={"PERWATT_MINER": host})
    assert done.returncode == 0
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("miner ")]
    return line


def test_a_miner_that_answers_is_named_by_its_model(perwatt, miner):
    host = f"127.0.0.1:{miner.port}"
    assert line_of(perwatt, host) == f"miner    at {host} answers: Bitmain Antminer S19 Pro"


def test_one_that_does_not_answer_is_one_line_and_the_doctor_goes_on(perwatt, miner):
    miner.close()
    host = f"127.0.0.1:{miner.port}"
    assert line_of(perwatt, host).startswith(f"miner    at {host} does not answer: ")
    found = json.loads(perwatt("doctor", "--json", env={"PERWATT_MINER": host}).stdout)["miner"]
    assert (found["host"], found["answers"]) == (host, False)


def test_without_the_variable_and_with_a_wrong_one_the_line_says_so(perwatt, monkeypatch):
    monkeypatch.delenv("PERWATT_MINER", raising=False)
    assert "none configured" in line_of(perwatt, "")
    assert "PERWATT_MINER: expected" in line_of(perwatt, "http://192.0.2.7/")
