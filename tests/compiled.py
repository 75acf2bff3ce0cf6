"""A program that compiles what many tests call, and the tests themselves, so that no two workers compile the same.

`python compiled.py PART` compiles a part of it, so that two cores share the work.
"""

import contextlib
import io
import sys

from faults.zygote import WARM


def run(command):
    """Run the warm-up lines of one command, which the processes of tests/faults begin with."""
    from bench.__main__ import main

    for line in WARM:
        if line[0] == command:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
                main(list(line))


def kernels():
    from bench.inference.rates import make_setup
    from bench.inference.simulation.server import Server
    from bench.machine.clock import core_clock_hz, neighbour_cycles
    from kernels.scan_cpu import variants
    from kernels.scan_cpu.scan import scan

    core_clock_hz(), neighbour_cycles()
    for variant in variants.candidates():
        scan(bytes(80), 0, 100, variant=variant.name, target=1)
    Server.online(make_setup("llama-3.1-8b", "fp8", "nvidia-h200")).capacity_per_s(1000, 100)
    run("verify")


def sites():
    from bench.device_rates import resolve_device
    from sites.dispatch.year import site_year
    from sites.examples import example_path
    from sites.file.build import load_site
    from sites.scenarios.engine import Run, fleet_cases, run_fleet
    from sites.scenarios.model import ScenarioModel, Uncertain

    site = load_site(example_path(), resolve_device)
    site_year(site)
    for model in (ScenarioModel(), ScenarioModel({"btc": Uncertain(0.3)})):
        run_fleet(fleet_cases([site], model), Run(0, model), 8)
    run("yield")


def tests():
    import pytest

    with contextlib.redirect_stdout(io.StringIO()):  # the workers say what they cannot collect
        pytest.main(["--collect-only", "--quiet"])


if __name__ == "__main__":
    {"kernels": kernels, "sites": sites, "tests": tests}[sys.argv[1]]()
