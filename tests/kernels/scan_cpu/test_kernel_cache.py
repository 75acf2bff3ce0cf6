"""Stored code: used by a second process, which does not import Numba; compiled again after an edit of the generator."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import kernels
from kernels import generator, jit

SCRIPT = """
import json, sys
import numpy
from kernels.scan_cpu import variants
scan = variants.load("scalar")
scan.scan_steps(numpy.zeros(12, numpy.uint32), 0, 1, numpy.zeros(64, numpy.uint32))
print(json.dumps([scan.from_cache, "numba" in sys.modules]))
"""

MODULES = [
    *(("compiled", name) for name in ("scalar", "lanes8", "lanes16", "shani", "hybrid", "mixed")),
    *(("version_rolling", name) for name in ("scalar", "lanes8", "lanes16", "shani", "hybrid", "mixed")),
]


def cache_hits(folder):
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder / "cache"), "PYTHONPATH": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=True, cwd=folder
    )
    return json.loads(done.stdout)


def test_a_second_process_hits_and_an_edit_of_the_generator_misses(tmp_path):
    package = tmp_path / "kernels"
    shutil.copytree(Path(kernels.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    assert [cache_hits(tmp_path), cache_hits(tmp_path)] == [[False, True], [True, False]]
    edited = package / "sha256" / "description.py"
    edited.write_text(edited.read_text(encoding="utf-8") + "\n# edited\n", encoding="utf-8")
    assert [cache_hits(tmp_path), cache_hits(tmp_path)] == [[False, True], [True, False]]


def test_every_module_that_a_scan_imports_is_stamped():
    script = "import sys\nfrom kernels.scan_cpu import variants\n" + "".join(
        f"import kernels.scan_cpu.{package}.{name}\n" for package, name in MODULES
    )
    script += (
        "import kernels\n"
        "modules = [module for name, module in sys.modules.items() if name.startswith('kernels.')]\n"
        "print(' '.join(module.__file__.removeprefix(kernels.__path__[0] + '/') for module in modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    imported = {name for name in done.stdout.split() if not name.endswith("__init__.py")}
    own = {f"scan_cpu/{package}/{name}.py" for package, name in MODULES}
    assert imported - own - {"scan_cpu/variants.py", "errors.py", "settings.py"} == set(generator.GENERATOR_FILES)


def test_without_numbas_inside_the_cache_is_switched_off(monkeypatch):
    class Plain:
        def __init__(self, function):
            self.function = function

    calls = []

    def fake_njit(**options):
        calls.append(options)
        return Plain

    monkeypatch.setattr(jit, "njit", fake_njit)
    assert isinstance(jit.kernel_njit(len), Plain)
    assert calls == [{"nogil": True, "cache": True}, {"nogil": True}]


@pytest.mark.parametrize("name", generator.GENERATOR_FILES)
def test_the_stamped_files_exist(name):
    assert (Path(kernels.__file__).parent / name).is_file()
