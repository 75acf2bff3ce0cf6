"""A disk that fills while a result is written: the measurement is named, and made again once there is room."""

import pytest
from doubles.namespaces.operator_machine import operator

pytestmark = pytest.mark.slow


def test_a_disk_that_fills_in_mid_run_is_named_and_resume_measures_again(tmp_path):
    with operator(tmp_path, {"small": None}, disks_mib={"small": 300}) as machine:
        filler = machine.lab.hosts["small"].folder / "filler"
        process = machine.start("lab", "run", "lab.toml", "--plan", "smoke", "matmul_f32_cpu")
        machine.until_it_measures("small", process)
        machine.lab.run_on("small", ["dd", "if=/dev/zero", f"of={filler}", "bs=1M"])
        done = machine.end_of(process)
        assert done.returncode == 1, (done.stdout, done.stderr)
        (row,) = machine.coverage()["measurements"]
        assert (row["state"], row["code"]) == ("failed", "disk_full")
        done = machine.perwatt("lab", "resume")  # the disk is still full
        assert done.returncode == 1, (done.stdout, done.stderr)
        (row,) = machine.coverage()["measurements"]
        assert (row["state"], row["code"]) == ("refused", "disk_full")
        machine.lab.run_on("small", ["rm", str(filler)])
        done = machine.perwatt("lab", "resume")
        assert done.returncode == 0, (done.stdout, done.stderr)
        assert machine.coverage()["counts"] == {"measured": 1}
