"""The command line on a machine without an NVIDIA GPU: one line that says what is missing and what helps."""

import json
import shutil

import pytest

pytestmark = pytest.mark.skipif(shutil.which("nvidia-smi") is not None, reason="this machine has an NVIDIA driver")


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "--device", "gpu:0"),
        ("run", "sha256d_scan_cuda", "--device", "gpu:7", "--publish"),
        ("run", "llm", "--model", "llama-3.1-8b", "--dtype", "fp8", "--device", "gpu:0"),
    ],
)
def test_run_on_a_gpu_that_is_not_there_says_what_helps_and_stores_nothing(refused, tmp_path, arguments):
    line = refused(*arguments)
    assert "there is no NVIDIA driver here; install the NVIDIA driver" in line
    assert not list(tmp_path.glob("results/*"))


def test_run_of_a_gpu_workload_on_the_cpu_names_the_device_it_wants(refused):
    assert "expected gpu" in refused("run", "memory_copy_cuda")


def test_doctor_explains_what_a_gpu_run_lacks_here(perwatt):
    findings = {one["part"]: one for one in json.loads(perwatt("doctor", "--json").stdout)["gpu"]}
    assert findings["NVIDIA driver"]["code"] == "no_driver"
    assert "580" in findings["NVIDIA driver"]["cure"]
    assert all(one["good"] or one["cure"] for one in findings.values())
