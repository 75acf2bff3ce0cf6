"""Numba's cache of the compiled code of sites: missed after an edit of any file that it is made from."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import sites
from sites import jit

SCRIPT = """
from sites.scenarios.kernels.philox import normal_quantile
normal_quantile(0.3)
print(sum(normal_quantile.stats.cache_hits.values()))
"""


def test_a_second_process_hits_and_an_edit_of_another_compiled_file_misses(tmp_path):
    root = Path(sites.__file__).parent.parent
    for name in ("sites", "kernels"):
        shutil.copytree(root / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache"), "PYTHONPATH": str(tmp_path)}

    def hits():
        command = [sys.executable, "-c", SCRIPT]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, cwd=tmp_path)
        return int(done.stdout)

    assert [hits(), hits()] == [0, 1]
    edited = tmp_path / "sites" / "scenarios" / "kernels" / "vectors.py"
    edited.write_text(edited.read_text(encoding="utf-8") + "\n# edited\n", encoding="utf-8")
    assert [hits(), hits()] == [0, 1]


def test_every_file_with_compiled_code_is_stamped():
    folder = Path(sites.__file__).parent
    texts = {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in folder.rglob("*.py")}
    compiled = {name for name, text in texts.items() if "@site_njit" in text}
    others = {"dispatch/columns.py", "dispatch/formulas.py", "hours/power.py", "scenarios/kernels/vectors.py"}
    assert compiled | others == set(jit.COMPILED_FILES)
    assert not [name for name, text in texts.items() if "from numba import njit" in text]


@pytest.mark.parametrize("name", jit.COMPILED_FILES)
def test_the_stamped_files_exist(name):
    assert (Path(sites.__file__).parent / name).is_file()
