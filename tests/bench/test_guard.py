"""Root packages have common names: a foreign one that is found first is named with the cure (ADR 0001)."""

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize("name", ["kernels", "hardware_profiles", "sites"])
def test_a_foreign_package_of_one_of_our_names_is_refused_with_the_cure(tmp_path, name):
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").touch()
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", "import bench"],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"ImportError: perwatt needs its own package '{name}' at ")
    assert str(tmp_path / name) in last
    assert "virtual environment of its own" in last
