"""The probes execute what they say."""

from kernels.scan_cpu import clock_probe, port_probe


def test_dependent_and_independent_additions_run():
    assert clock_probe.dependent_adds(3) == 3 * clock_probe.ADDS_PER_LOOP
    assert clock_probe.independent_adds(3) == 1


def test_every_port_probe_that_this_cpu_has_runs():
    for probe in port_probe.probes().values():
        assert probe(2) is None


def test_a_masked_feature_hides_its_probe(monkeypatch):
    monkeypatch.setattr(port_probe, "compiled_features", lambda: frozenset({"avx2"}))
    assert list(port_probe.probes()) == ["ymm"]
