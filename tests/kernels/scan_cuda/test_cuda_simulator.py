"""The readable numba.cuda kernels in Numba's simulator, each in a process of its own: it is chosen at import."""

import os
import subprocess
import sys
import warnings
from pathlib import Path

from kernels.gpu.numba_launch import small_grids_allowed

ROOT = Path(__file__).parents[3]

SCAN = """
import numpy as np
from kernels.scan_cpu.selftest import known_headers
from kernels.scan_cuda.readable import numba_job, scan_kernel

known = known_headers()[0]
found, out = np.zeros(1, np.uint32), np.zeros(8, np.uint32)
job = numba_job(known.header80, 0xFFFFFFFF, nonces_per_thread=4)
scan_kernel[2, 4](job, np.uint32(known.nonce - 9), np.uint32(7), found, out)
assert found[0] == 1 and out[0] == known.nonce, (found, out, known.nonce)
job = numba_job(known.header80, 0, nonces_per_thread=2)
found[0] = 0
scan_kernel[1, 4](job, np.uint32(2**32 - 3), np.uint32(3), found, out)
assert sorted(out[:6].tolist()) == [0, 1, 2, 2**32 - 3, 2**32 - 2, 2**32 - 1], out
print("scan right")
"""

MATMUL = """
import numpy as np
from kernels.matmul.formats import FORMATS
from kernels.matmul.readable import launch
from kernels.matmul.tolerance import check_entries

generator = np.random.default_rng(3)
for name, dtype in (("fp32", np.float32), ("fp16", np.float16)):
    a, b = (generator.uniform(-1, 1, (rows, 35)).astype(dtype) for rows in (18, 17))
    d = np.full((18, 17), np.nan, dtype)
    launch(name, a, b, d)
    i, j = np.indices(d.shape).reshape(2, -1)
    check = check_entries(FORMATS[name], a[i].astype(float), b[j].astype(float), d[i, j].astype(float))
    assert check.passed, check
    print(name, "right")
"""


def _path() -> str:
    return os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))


def in_simulator(script: str) -> str:
    environment = {**os.environ, "NUMBA_ENABLE_CUDASIM": "1", "PYTHONPATH": _path()}
    command = [sys.executable, "-W", "ignore", "-c", script]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_numba_scan_finds_the_planted_nonce_and_wraps_past_2_to_the_32_in_the_simulator():
    assert "scan right" in in_simulator(SCAN)


def test_numba_product_lies_within_the_stated_bound_in_the_simulator_also_at_ragged_edges():
    printed = in_simulator(MATMUL)
    assert "fp32 right" in printed
    assert "fp16 right" in printed


def test_a_small_grid_is_no_reason_for_numbas_warning():
    with small_grids_allowed():
        warnings.warn("Grid size 1 will likely result in GPU under-utilization due to low occupancy.", stacklevel=1)
