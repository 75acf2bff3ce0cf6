"""The lab's miner in the main job: configured or of the newest result, first in every table, and never waited for."""

import json
import time

import pytest
from doubles.asic_result import put_asic
from doubles.crowded import LONG_S
from doubles.miners import antminer
from doubles.miners.server import FakeMiner

from bench.cli.output import emit_json
from bench.cli.run.tables import document, print_run
from bench.lab_miner import DISPLAYED, ask, configured_host, lab_miner
from bench.main_job import assess, surroundings
from bench.measure.runner import measure
from hardware_profiles.errors import InputError


@pytest.fixture(autouse=True)
def without_pauses(monkeypatch):
    monkeypatch.setattr("bench.miners.link.PAUSE_S", 0.0)
    monkeypatch.setattr("bench.miners.identify.PAUSE_S", 0.0)
    monkeypatch.delenv("PERWATT_MINER", raising=False)
    monkeypatch.setattr(ask, "__defaults__", (LONG_S,))


@pytest.fixture
def configured(monkeypatch):
    """A miner on loopback that PERWATT_MINER names; its replies are those of an Antminer S19 Pro."""
    fake = FakeMiner(antminer.s19_pro(3600, 111_000.0, 1000, 65536))
    monkeypatch.setenv("PERWATT_MINER", f"127.0.0.1:{fake.port}")
    yield fake
    fake.close()


@pytest.fixture
def main_job(fake_workload, job, cpu_device, capsys):
    """Run the part of the main job after the measurement; return its text and its document."""

    def run():
        fake_workload.name = "sha256d_scan_cpu"
        prepared = surroundings(job.store)
        record = measure(fake_workload, job, [], device=cpu_device)
        found = assess([record], prepared)
        print_run([record], job.store, found)
        text = capsys.readouterr().out
        emit_json(document([record], job.store, found))
        return text, json.loads(capsys.readouterr().out)

    return run


def test_without_a_variable_and_a_result_there_is_no_miner(tmp_path):
    assert configured_host() == ""
    assert lab_miner(tmp_path) is None


def test_the_newest_valid_result_comes_first_and_fills_a_megawatt(main_job, job):
    put_asic(job.store, 0, watts=9999.0)
    newest = put_asic(job.store, 1)
    put_asic(job.store, 2, plan="smoke")
    put_asic(job.store, 3, status="invalid")
    text, printed = main_job()
    first, machine = printed["devices"][:2]
    assert (first["name"], first["basis"], first["j_per_th"]) == (
        "miner Bitmain Antminer S21", "measured", pytest.approx(3500 / 198),
    )  # fmt: skip
    assert machine["name"] == "this machine"
    assert printed["megawatts"][0]["name"] == "miner Bitmain Antminer S21"
    assert printed["megawatts"][0]["basis"] == "measured"
    assert printed["megawatts"][0]["btc_per_day"] > 0.0
    assert printed["miner"]["result"] == newest.name
    assert f"rate verified by shares, result {newest.name}" in text
    assert text.index("miner Bitmain Antminer S21") < text.index("antminer-s21:200t")


def test_a_result_without_watts_at_the_wall_is_first_but_fills_no_megawatt(main_job, job):
    put_asic(job.store, watts=None)
    text, printed = main_job()
    assert printed["devices"][0]["name"] == "miner Bitmain Antminer S21"
    assert printed["devices"][0]["power_w"] is None
    assert "miner Bitmain Antminer S21" not in {line["name"] for line in printed["megawatts"]}
    assert "not in the megawatt table: result" in text
    assert "expected the watts at the wall" in text


def test_a_configured_miner_is_first_with_what_it_displays_as_tier_d_and_the_command_that_measures_it(
    main_job, configured, job
):
    put_asic(job.store)  # another machine
    text, printed = main_job()
    first = printed["devices"][0]
    assert first["basis"] == DISPLAYED
    assert first["name"].startswith("miner ")
    assert "S19 Pro" in first["name"]
    assert first["power_w"] is None
    assert printed["miner"]["result"] is None
    assert printed["miner"]["displayed"] is not None
    assert first["name"] not in {line["name"] for line in printed["megawatts"]}
    assert "displays now (tier D, not measured)" in text
    assert f"perwatt run asic --miner 127.0.0.1:{configured.port} --meter shelly:HOST" in text


@pytest.mark.usefixtures("configured")
def test_a_configured_miner_stands_with_its_own_result(main_job, job):
    folder = put_asic(job.store, name="Bitmain Antminer S19 Pro", settings={
        "family": "antminer", "maker": "Bitmain", "model": "Antminer S19 Pro", "unit": "",
    })  # fmt: skip
    put_asic(job.store, 1)  # newer, of another machine
    text, printed = main_job()
    assert printed["miner"]["result"] == folder.name
    assert printed["devices"][0]["basis"] == "measured"
    assert "displays now (tier D, not measured)" in text
    assert "perwatt run asic" not in text


def test_a_miner_that_does_not_answer_costs_one_line_and_the_result_is_shown(main_job, job, monkeypatch):
    fake = FakeMiner({})
    fake.close()
    monkeypatch.setenv("PERWATT_MINER", f"127.0.0.1:{fake.port}")
    put_asic(job.store)
    text, printed = main_job()
    assert printed["miner"]["fault"]
    assert len([line for line in text.splitlines() if "PERWATT_MINER" in line]) == 1
    assert printed["devices"][0]["name"] == "miner Bitmain Antminer S21"


def test_a_miner_that_does_not_answer_and_no_result_is_one_line(main_job, monkeypatch):
    fake = FakeMiner({})
    fake.close()
    monkeypatch.setenv("PERWATT_MINER", f"127.0.0.1:{fake.port}")
    text, printed = main_job()
    assert printed["devices"][0]["name"] == "this machine"
    assert len([line for line in text.splitlines() if "miner" in line and "127.0.0.1" in line]) == 1


def test_a_miner_that_keeps_silent_is_given_up():
    fake = FakeMiner({}, quirk="silent")
    began_s = time.monotonic()
    answer = ask(f"127.0.0.1:{fake.port}", wait_s=0.3)
    assert time.monotonic() - began_s < LONG_S
    assert answer.reading is None
    assert "no answer within 0.3 s" in answer.fault
    fake.close()


def test_a_variable_that_is_no_address_is_the_users_mistake(monkeypatch, tmp_path):
    monkeypatch.setenv("PERWATT_MINER", "http://192.0.2.7/")
    with pytest.raises(InputError, match="PERWATT_MINER"):
        lab_miner(tmp_path)
