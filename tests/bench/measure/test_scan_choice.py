"""The main job's choice between the plain scan and that of four versions: the faster, and why."""

import pytest
from doubles.workload import FakeWorkload

from bench import limits
from bench.measure import quiet_pairs, scan_choice
from bench.measure.scan_choice import choose_cpu_scan, choose_gpu_scan
from bench.workloads import registry
from bench.workloads.protocol import VerificationError, WorkloadOptions


class FakeScan(FakeWorkload):
    def __init__(self, name, options, unit_s):
        super().__init__(unit_s)
        self.name, self.options = name, options
        self.ranking = ("lanes8", "scalar", "lanes16")
        self.verified = 1
        self.failing = None

    def prepare(self):
        if self.failing is not None:
            raise self.failing
        self.variant = (self.options.extra.get("variants") or self.ranking)[0]


@pytest.fixture
def scans(monkeypatch):
    """Let fakes take the place of the workloads, with a speed each; short slices."""
    speeds = {"sha256d_scan_cpu": 1e-4, "sha256d_scan_cuda": 1e-4}
    failures = {}
    made = []

    def create(name, options):
        scan = FakeScan(name, options, speeds[name])
        scan.failing = failures.get(name)
        made.append(scan)
        return scan

    monkeypatch.setattr(registry, "create", create)
    monkeypatch.setattr(limits, "QUIET_PAIRS", 4)
    monkeypatch.setattr("bench.measure.interleave.SLICE_S", 0.002)
    monkeypatch.setattr(scan_choice, "GPU_SLICE_S", 0.004)
    return speeds, failures, made


def steady(monkeypatch):
    monkeypatch.setattr(quiet_pairs, "_state", lambda: (3e9, 1.28))


def test_the_scan_of_four_versions_is_chosen_where_it_is_faster(scans, monkeypatch):
    steady(monkeypatch)
    scans[0]["sha256d_scan_vr4_cpu"] = 5e-5
    choice = choose_cpu_scan(WorkloadOptions(threads=1))
    assert (choice.chosen.name, choice.chosen.variant, choice.other.name) == (
        "sha256d_scan_vr4_cpu", "lanes8", "sha256d_scan_cpu",
    )  # fmt: skip
    assert choice.ratio == pytest.approx(2.0)
    assert choice.sentence() == (
        "chosen scan: sha256d_scan_vr4_cpu:lanes8 (sha256d_scan_vr4_cpu:lanes8 over sha256d_scan_cpu:lanes8: 2.0000 "
        "(2.0000 to 2.0000) per CPU second, faster; 4 of 4 interleaved pairs were quiet)"
    )
    assert choice.document()["workload"] == "sha256d_scan_vr4_cpu"
    assert choice.plain_name == "sha256d_scan_cpu"


@pytest.mark.parametrize("unit_s", [1e-4, 2e-4], ids=["equally fast", "slower"])
def test_the_plain_scan_is_kept_where_the_other_is_not_faster(scans, monkeypatch, unit_s):
    steady(monkeypatch)
    scans[0]["sha256d_scan_vr4_cpu"] = unit_s
    choice = choose_cpu_scan(WorkloadOptions())
    assert (choice.chosen.name, choice.other.name) == ("sha256d_scan_cpu", "sha256d_scan_vr4_cpu")
    assert choice.plain_name == "sha256d_scan_cpu"


def test_pairs_that_were_not_quiet_still_give_the_better_guess_and_the_word(scans, monkeypatch):
    monkeypatch.setattr(quiet_pairs, "_state", lambda: (3e9, 2.0))
    scans[0]["sha256d_scan_vr4_cpu"] = 5e-5
    choice = choose_cpu_scan(WorkloadOptions())
    assert choice.chosen.name == "sha256d_scan_vr4_cpu"
    assert "not quiet: no verdict" in choice.sentence()
    assert f"; {quiet_pairs.limits.QUIET_PAIRS} are needed); ungated" in choice.sentence()


def test_only_the_two_fastest_variants_are_compiled_for_four_versions(scans, monkeypatch):
    steady(monkeypatch)
    scans[0]["sha256d_scan_vr4_cpu"] = 5e-5
    choice = choose_cpu_scan(WorkloadOptions())
    assert choice.chosen.options.extra == {"variants": ("lanes8", "scalar")}


@pytest.mark.parametrize("name", ["sha256d_scan_cpu", "sha256d_scan_vr4_cpu"])
def test_a_comparison_that_fails_leaves_the_plain_scan_to_be_measured(scans, name):
    scans[0]["sha256d_scan_vr4_cpu"] = 5e-5
    scans[1][name] = VerificationError("hybrid: block 0: expected nonce 1, got ()")
    choice = choose_cpu_scan(WorkloadOptions())
    assert choice.chosen.name == "sha256d_scan_cpu"
    assert "the comparison failed: hybrid: block 0" in choice.sentence()
    assert scans[2][0].closed == 1
    assert choice.chosen is scans[2][-1], "a fresh one, whose own fault becomes its record"


@pytest.mark.parametrize(("unit_s", "chosen"), [(5e-5, "sha256d_scan_vr4_cuda"), (2e-4, "sha256d_scan_cuda")])
def test_on_a_gpu_the_faster_scan_is_chosen_too(scans, unit_s, chosen):
    scans[0]["sha256d_scan_vr4_cuda"] = unit_s
    choice = choose_gpu_scan(WorkloadOptions(device="gpu:0"))
    assert choice.chosen.name == chosen
    assert "in 8 interleaved pairs" in choice.sentence()
