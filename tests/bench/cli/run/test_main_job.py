"""What the main job says beyond its records: the machine beside the catalogue, the example site, its spread."""

import dataclasses
import json

import pytest

from bench.cli.output import emit_json
from bench.cli.run.tables import document, print_run
from bench.main_job import CATALOGUE_DEVICES, assess, surroundings
from bench.measure.runner import measure
from bench.meters.kinds.declared import Declared


def test_the_machine_stands_beside_the_catalogue_and_the_site_has_a_p90(fake_workload, job, cpu_device, capsys):
    fake_workload.name = "sha256d_scan_cpu"
    record = measure(fake_workload, job, [], device=cpu_device)
    found = assess([record], surroundings(job.store))
    print_run([record], job.store, found)
    text = capsys.readouterr().out
    for name in ("this machine", *CATALOGUE_DEVICES):
        assert name in text
    emit_json(document([record], job.store, found))
    printed = json.loads(capsys.readouterr().out)
    machine, *rated = printed["devices"]
    assert machine["hash_per_s"] == record.rate.value
    assert (machine["power_w"], machine["j_per_th"]) == (None, None)
    assert [line["basis"] for line in rated] == ["rated"] * len(CATALOGUE_DEVICES)
    for metric in ("net_usd", "mining_usd_per_mwh", "inference_usd_per_mwh"):
        one = printed["scenarios"]["site"][metric]
        assert one["p99"] < one["p90"] < one["p50"] < one["p10"]
    assert printed["scenarios"]["count"] == 10_000
    megawatts = {line["name"]: line for line in printed["megawatts"]}
    assert "this machine" not in megawatts, "nothing is known of its power"
    assert megawatts["antminer-s21:200t"]["net_usd"] > megawatts["antminer-s19-xp:140t"]["net_usd"] > 0
    assert megawatts["antminer-s21:200t"]["spread"]["p90"] < megawatts["antminer-s21:200t"]["spread"]["p50"]
    for line in megawatts.values():
        if line["net_after_capital_usd"] is not None:
            assert line["net_after_capital_usd"] == pytest.approx(line["net_usd"] - line["capital_usd_per_year"])
    assert "P90" in text


def test_a_machine_whose_power_is_stated_fills_the_site_too_and_stands_still_where_it_never_pays(
    fake_workload, job, cpu_device
):
    fake_workload.name = "sha256d_scan_cpu"
    smoke = measure(fake_workload, job, [Declared(65.0)], device=cpu_device)
    assert "this machine" not in {line.name for line in assess([smoke], surroundings(job.store)).megawatts}
    quick = dataclasses.replace(job, plan=dataclasses.replace(job.plan, name="quick"))
    record = measure(fake_workload, quick, [Declared(65.0)], device=cpu_device)
    (machine,) = [line for line in assess([record], surroundings(job.store)).megawatts if line.name == "this machine"]
    assert (machine.basis, machine.btc_per_day, machine.usd_per_mwh, machine.net_usd) == ("measured", 0.0, None, 0.0)
