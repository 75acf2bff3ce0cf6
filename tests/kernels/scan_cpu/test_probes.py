"""The probes execute what they say."""

from bench.machine.clock import core_clock_hz, neighbour_cycles
from kernels.native import NotNativeError
from kernels.scan_cpu import clock_probe


def test_dependent_and_independent_additions_run():
    assert clock_probe.dependent_adds(3) == 3 * clock_probe.ADDS_PER_LOOP
    assert clock_probe.independent_adds(3) == 1


def test_additions_run_in_a_numba_whose_code_cannot_be_stored(monkeypatch):
    def unable(*_):
        raise NotNativeError("x")

    monkeypatch.setattr(clock_probe, "native", unable)
    clock_probe._loaded.cache_clear()
    assert clock_probe.dependent_adds(3) == 3 * clock_probe.ADDS_PER_LOOP
    assert clock_probe.independent_adds(3) == 1
    clock_probe._loaded.cache_clear()


def test_a_cpu_without_such_a_chain_has_no_clock(monkeypatch):
    monkeypatch.setattr(clock_probe.platform, "machine", lambda: "riscv64")
    clock_probe._loaded.cache_clear()
    assert core_clock_hz() is None
    assert neighbour_cycles() is None
    clock_probe._loaded.cache_clear()
