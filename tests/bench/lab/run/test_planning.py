"""The jobs of a run: hosts, GPUs by UUID, miners, repeats, and requests that are refused before anything starts."""

import pytest

from bench.lab.inventory.read import parse_lab
from bench.lab.messages import DeviceSeen, Hello
from bench.lab.run.planning import UNKNOWN_GPU, Request, check, involved, plan_of
from bench.results.labs.ending import Stamp
from hardware_profiles.errors import InputError

LAB = """
[lab]
name = "lab"
[[host]]
name = "gpu[01-03]"
domain = "rack"
meters = ["rapl"]
tags = ["h100"]
[[host]]
name = "desk"
[[domain]]
name = "rack"
[[miner]]
name = "s21"
address = "192.0.2.7"
from = "desk"
meters = ["shelly:192.0.2.9"]
"""


@pytest.fixture
def lab(tmp_path):
    return parse_lab(LAB.encode(), tmp_path / "lab.toml")


def hello(*uuids):
    devices = [DeviceSeen(device="cpu", name="CPU"), *(DeviceSeen(device=f"gpu:{uuid}", name="H100") for uuid in uuids)]
    return Hello(host_id="0123abcd", hostname="x", user="x", perwatt_version="1", devices=tuple(devices),
                 now=Stamp(utc_s=0.0, monotonic_s=0.0, boot_id=""), folder="x", room_bytes=None)  # fmt: skip


def jobs(lab, known=None, extra=None, **asked):
    return plan_of(Request(plan="quick", **asked), lab, known or {}, "1", extra or {}).jobs


def test_all_hosts_are_measured_once_before_any_is_measured_again(lab):
    made = jobs(lab, workloads=("sha256d_scan_cpu",), repeat=2)
    assert [(job.host, job.workload) for job in made][3:5] == [
        ("desk", "sha256d_scan_cpu #1"),
        ("gpu01", "sha256d_scan_cpu #2"),
    ]
    assert len({job.id for job in made}) == len(made) == 8
    assert made[0].argv == ("sha256d_scan_cpu", "--plan", "quick", "--meter", "rapl")
    assert made[0].domains == ("host:gpu01", "rack")


def test_a_gpu_workload_is_a_job_for_each_gpu_by_its_uuid(lab):
    made = jobs(lab, {"gpu01": hello("GPU-a", "GPU-b")}, workloads=("matmul_bf16_nt_cuda",), hosts=("gpu[01-02]",))
    assert [(job.host, job.device) for job in made] == [
        ("gpu01", "gpu:GPU-a"), ("gpu01", "gpu:GPU-b"), ("gpu02", UNKNOWN_GPU)
    ]  # fmt: skip


def test_a_miner_is_measured_from_its_host_and_occupies_both(lab):
    (job,) = jobs(lab, workloads=("asic",), extra={"s21": ("--meter", "trace:x.csv")})
    assert (job.host, job.device) == ("desk", "asic:s21")
    assert job.argv[:3] == ("asic", "--miner", "192.0.2.7")
    assert job.argv[-2:] == ("--meter", "trace:x.csv")
    assert {"host:desk", "miner:s21"} <= set(job.domains)
    assert involved(Request(("asic",), "quick"), lab) == ["desk"]


def test_the_deadline_follows_the_plan_unless_it_is_stated(lab):
    assert jobs(lab, workloads=("sha256d_scan_cpu",))[0].deadline_s == 1800
    assert jobs(lab, workloads=("sha256d_scan_cpu",), deadline_s=7.0)[0].deadline_s == 7


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"workloads": ()}, "expected at least one workload"),
        ({"workloads": ("sha256d_scan_cp",)}, "did you mean sha256d_scan_cpu"),
        ({"workloads": ("sha256d_scan_cpu",), "hosts": ("gpu[01-04]",)}, "got 'gpu04'"),
        ({"workloads": ("sha256d_scan_cpu",), "tags": ("h10",)}, "did you mean h100"),
        ({"workloads": ("asic",), "tags": ("h100",)}, "at least one host or miner to measure"),
        ({"workloads": ("sha256d_scan_cpu",), "plan": "quik"}, "did you mean quick"),
    ],
)
def test_a_request_that_no_host_could_fulfil_is_refused_on_one_line(lab, asked, message):
    with pytest.raises(InputError, match=message) as caught:
        check(Request(**{"plan": "quick", **asked}), lab)
    assert "\n" not in str(caught.value)
