"""How long years take, once compiled: `pytest tests/sites/horizon/test_speed.py --benchmark-only`."""

from bench.device_rates import resolve_device
from sites.examples import example_path
from sites.file.inputs import read_inputs
from sites.horizon.statement import statement
from sites.horizon.years import run_years


def state_all(read, years):
    return [statement(run_years(inputs, site, years)) for inputs, site in read]


def test_ten_years_of_the_example_site(benchmark):
    """Wanted: under 50 ms."""
    read = read_inputs(example_path("georgia-50mw-gpu-modules"), resolve_device)
    benchmark.pedantic(state_all, args=(read, 10), rounds=30, warmup_rounds=2)


def test_ten_years_of_40_sites(benchmark):
    """Wanted: under 2 s."""
    read = read_inputs(example_path("fleet-40-sites"), resolve_device)
    benchmark.pedantic(state_all, args=(read, 10), rounds=5, warmup_rounds=1)
    benchmark.extra_info["sites"] = len(read)
