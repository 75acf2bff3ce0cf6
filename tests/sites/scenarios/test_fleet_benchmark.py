"""Speed of the scenario engine; run with --benchmark-only (nothing is asserted about time)."""

import dataclasses
import os
import resource
import time

import pytest
from oracles.fleet_numpy import run_shard_numpy

from bench.device_rates import resolve_device
from sites.capital.switching import converted
from sites.examples import example_path
from sites.file.build import load_site
from sites.file.inputs import read_inputs
from sites.scenarios.defaults import default_model
from sites.scenarios.engine import Run, fleet_cases, local, run_fleet, run_shard

SCENARIOS = 10_000


@pytest.fixture(scope="module")
def fleet():
    """The example fleet of 40 sites with every second one half converted to the Georgia example's GPU modules."""
    half = load_site(example_path(), resolve_device)
    sites = [site for _, site in read_inputs(example_path("fleet-40-sites"), resolve_device)]
    module = half.inference[0]
    for index in range(0, len(sites), 2):
        pue = half.gpu_pue.mean() + 0.0 * sites[index].gpu_pue
        sites[index] = converted(dataclasses.replace(sites[index], gpu_pue=pue), module, 0.5)
    model = dataclasses.replace(default_model(), measurement=False)
    return fleet_cases(sites, model), Run(1, model)


def _cells(cases):
    return sum(case.hours for case in cases) * SCENARIOS


def test_engine_40_sites_10000_scenarios_one_core(benchmark, fleet):
    cases, run = fleet
    benchmark.group = "fleet"
    run_fleet(cases, run, 8)
    benchmark.pedantic(run_fleet, (cases, run, SCENARIOS), {"execute": local(1)}, rounds=3)
    benchmark.extra_info["cells_per_s_core"] = _cells(cases) / benchmark.stats.stats.min
    benchmark.extra_info["coupled_hours_frac"] = float(
        sum((case.bounds[:, 2] - case.bounds[:, 1]).sum() for case in cases) / sum(case.hours for case in cases)
    )
    benchmark.extra_info["peak_rss_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def test_engine_on_all_cores_over_one(benchmark, fleet):
    cases, run = fleet
    cores = len(os.sched_getaffinity(0))
    run_fleet(cases, run, 8)
    one, many, cpu = [], [], []
    for _ in range(6):
        for threads, found in ((1, one), (cores, many)):
            begin, spent = time.perf_counter(), time.process_time()
            run_fleet(cases, run, SCENARIOS // 4, execute=local(threads))
            found.append(time.perf_counter() - begin)
            cpu.append(time.process_time() - spent)
    benchmark.pedantic(run_fleet, (cases, run, SCENARIOS), rounds=1)
    benchmark.extra_info |= {
        "cores": cores,
        "speedup": min(one) / min(many),
        "cpu_time_of_all_over_one": min(cpu[1::2]) / min(cpu[::2]),
        "cells_per_s": _cells(cases) / min(many) / 4,
    }


def test_engine_over_numpy_one_core(benchmark, fleet):
    cases, run = fleet
    some = [cases[0], cases[1]]
    for case in some:
        run_shard(case, run, 0, 8)
    slow = {}
    for chunk in (8, 32):
        begin = time.perf_counter()
        for case in some:
            run_shard_numpy(case, run, 0, 64, chunk=chunk)
        slow[chunk] = (time.perf_counter() - begin) / 64
    benchmark.pedantic(lambda: [run_shard(case, run, 0, 2048) for case in some], rounds=5)
    fast = benchmark.stats.stats.min / 2048
    benchmark.extra_info |= {
        "over_numpy": min(slow.values()) / fast,
        "numpy_ns_per_cell": min(slow.values()) / sum(case.hours for case in some) * 1e9,
        "ns_per_cell": fast / sum(case.hours for case in some) * 1e9,
    }
