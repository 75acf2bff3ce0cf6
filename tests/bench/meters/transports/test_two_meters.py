"""Two meters of different transports in one run from the command line: they check each other."""

import json
import math

import pytest

from bench.results.folder import read_record
from bench.results.layout import result_folders


@pytest.fixture
def run(perwatt, peer, fake_workload, monkeypatch, tmp_path):
    """Measure a workload with a Modbus meter and a BMC, and return how the command ended and the record."""
    fake_workload.name, fake_workload.unit = "matmul_f32_cpu", "flop"
    monkeypatch.setattr("bench.workloads.registry.create", lambda *_: fake_workload)

    def start(rail_w, bmc_w):
        rail, bmc = peer("eastron-sdm630", rail_w), peer("redfish-power", bmc_w)
        done = perwatt(
            "run", "matmul_f32_cpu", "--threads", "1", "--plan", "smoke",
            "--meter", f"modbus:{rail.target},table=eastron-sdm630,boundary=node",
            "--meter", f"redfish:{bmc.target},table=redfish-power", "--json",
        )  # fmt: skip
        folders = list(result_folders(tmp_path / "results"))
        return done, read_record(folders[0]) if folders else None

    return start


def load(t):
    return 400.0 + 30.0 * math.sin(t / 3.0)


def test_both_are_in_the_record_and_agree(run):
    done, record = run(load, load)
    assert done.returncode == 0, done.stderr
    assert {name.partition(":")[0] for name in record.meters} == {"modbus", "redfish"}
    assert "meter_disagreement" not in json.dumps(json.loads(done.stdout))
    powers = [energy.joules / (w.end_s - w.start_s) for w in record.windows for energy in w.energy]
    assert powers == pytest.approx([400.0] * len(powers), rel=0.02)


def test_two_that_differ_are_named(run):
    done, _ = run(load, lambda t: 1.3 * load(t))
    assert "meter_disagreement" in done.stdout + done.stderr
