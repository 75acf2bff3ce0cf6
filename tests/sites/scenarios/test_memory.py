"""Memory: shocks are held for the ranges at work alone, and a run that would not fit is refused before it begins."""

import numpy as np
import pytest

from bench.device_rates import resolve_device
from hardware_profiles.errors import InputError
from sites import memory
from sites.examples import example_path
from sites.file.build import load_site
from sites.scenarios import engine as fleet
from sites.scenarios.engine import Run, fleet_cases, local, run_fleet
from sites.scenarios.model import ScenarioModel, Uncertain

MODEL = ScenarioModel({"btc": Uncertain(0.6)})


@pytest.fixture(scope="module")
def cases():
    return fleet_cases([load_site(example_path("georgia-50mw-mining"), resolve_device)], MODEL)


def test_a_run_that_memory_cannot_hold_is_refused_with_the_number_that_it_can(cases, monkeypatch):
    monkeypatch.setattr(fleet, "free_bytes", lambda: 10_000_000)
    with pytest.raises(InputError, match=r"expected at most 52,083 of 1 site-years in the 0.0 GB .* got 1,000,000"):
        run_fleet(cases, Run(1, MODEL), 1_000_000)
    monkeypatch.setattr(fleet, "free_bytes", lambda: None)
    assert run_fleet(cases, Run(1, MODEL), 8).scenarios == 8


def test_shocks_are_drawn_once_a_range_and_let_go_when_every_site_has_had_them():
    draws = []
    shocks = fleet._Shocks(3)

    def draw():
        draws.append(1)
        return np.ones(4)

    taken = [shocks.take(draw) for _ in range(3)]
    assert len(draws) == 1
    assert all(one is taken[0] for one in taken)
    assert shocks._drawn is None


def test_more_ranges_than_threads_give_the_bits_of_one(cases, monkeypatch):
    whole = run_fleet(cases, Run(3, MODEL), 100)
    monkeypatch.setattr(fleet, "SHARD", 16)
    for threads in (1, 3):
        split = run_fleet(cases, Run(3, MODEL), 100, execute=local(threads))
        assert np.array_equal(split.rows[0], whole.rows[0])
        assert np.array_equal(split.totals[0], whole.totals[0])


@pytest.mark.parametrize(
    ("machine", "container", "free"),
    [
        ("MemTotal: 9 kB\nMemAvailable: 5 kB\n", ("max", "1"), 5120),
        ("MemAvailable: 5 kB\n", ("4000", "1000"), 3000),
        ("MemAvailable: 5 kB\n", ("4000", "5000"), 0),
        ("nothing\n", ("4000", "1000"), 3000),
        ("nothing\n", ("max", "1000"), None),
    ],
)
def test_free_memory_is_the_machines_or_the_containers(tmp_path, monkeypatch, machine, container, free):
    (tmp_path / "meminfo").write_text(machine)
    (tmp_path / "memory.max").write_text(f"{container[0]}\n")
    (tmp_path / "memory.current").write_text(f"{container[1]}\n")
    monkeypatch.setattr(memory, "MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "CGROUP", tmp_path)
    assert memory.free_bytes() == free
