"""What the main job says beyond its records: the machine beside the catalogue, the example site, its spread."""

import json

from bench.cli.output import emit_json
from bench.cli.run_report import document, print_run
from bench.main_job import CATALOGUE_DEVICES, assess, surroundings
from bench.runner import measure


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
    assert "P90" in text
