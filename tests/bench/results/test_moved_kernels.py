"""A kernel that moved to another file is the same kernel: a record names workload, version and variant, no module."""

import json

import pytest
from doubles.stored import rewrite

from bench.compare.load import of_record
from bench.compare.verdicts import compare
from bench.measure.runner import measure
from bench.results.folder import read_record
from bench.results.history import headlines, trend
from bench.workloads.cpu import matmul_cpu
from bench.workloads.protocol import WorkloadOptions

BEFORE = "90f7a47d5223ac9dc9f81c1360d0b66405d6684a"  # the last commit with all kernels in one folder
WORKLOAD = {"name": "matmul_f32_cpu", "version": 1, "unit": "flop", "variant": "blas"}  # in a record of that commit


def test_records_from_before_and_after_the_move_are_one_series_and_comparable(monkeypatch, short_job, cpu_device):
    monkeypatch.setattr(matmul_cpu, "SIZE", 256)
    job = short_job(window_s=0.05)
    new = measure(matmul_cpu.MatmulCpu("matmul_f32_cpu", WorkloadOptions(threads=1)), job, device=cpu_device)
    text = (job.store / new.id / "result.json").read_text()
    document = json.loads(text)
    assert {key: document["workload"][key] for key in WORKLOAD} == WORKLOAD
    assert "kernels." not in text
    assert "kernels/" not in text

    earlier = {
        **document,
        "id": "20250101T000000Z-matmul_f32_cpu-0000",
        "workload": {**document["workload"], **WORKLOAD},
    }
    earlier["run"] = {**document["run"], "run_id": "earlier", "commit": BEFORE, "commit_dirty": False}
    earlier["windows"] = [{**window, "work": window["work"] / 2} for window in document["windows"]]
    rate = document["metrics"]["rate"]
    earlier["metrics"] = {"rate": {**rate, "value": rate["value"] / 2, "interval_95": None}}
    folder = job.store / earlier["id"]
    rewrite(folder, earlier)

    points = trend(headlines(job.store), "rate", "matmul_f32_cpu")
    assert [point.headline.id for point in points] == [earlier["id"], new.id]
    assert points[1].change_frac == pytest.approx(1.0)
    rows = compare([of_record(read_record(folder)), of_record(new)])
    assert rows[-1].ratio == pytest.approx(2.0)
