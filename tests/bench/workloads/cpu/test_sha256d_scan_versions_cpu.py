"""The workload of the nonce scan with several versions."""

import pytest

from bench.workloads.protocol import VerificationError, WorkloadOptions
from bench.workloads.registry import create
from kernels.scan_cpu import scan as scan_module
from kernels.scan_cpu import variants


@pytest.mark.slow
@pytest.mark.parametrize("midstates", [2, 4, 8])
def test_a_call_hashes_whole_headers_and_finds_the_one_that_is_real(midstates):
    workload = create(f"sha256d_scan_vr{midstates}_cpu", WorkloadOptions(variant="scalar", threads=1))
    workload.prepare()
    assert len(workload.verify()) == 10
    assert workload.run(1).work == 1 << 16
    assert workload.check_output()[0].detail.startswith("1 of 1")
    assert workload.parameters()["midstates_per_schedule"] == midstates


def test_a_call_that_misses_the_version_is_wrong(monkeypatch):
    workload = create("sha256d_scan_vr2_cpu", WorkloadOptions(variant="scalar", threads=1))
    workload.prepare()
    monkeypatch.setattr(scan_module, "meets_target", lambda *_: False)
    with pytest.raises(VerificationError, match=r"block 0: expected version 0x00000001 and nonce 2083236893, got \(\)"):
        workload.run(1)


def test_every_variant_of_this_machine_is_a_candidate():
    workload = create("sha256d_scan_vr4_cpu", WorkloadOptions(threads=1))
    assert workload._candidates() == [variant.name for variant in variants.candidates()]
