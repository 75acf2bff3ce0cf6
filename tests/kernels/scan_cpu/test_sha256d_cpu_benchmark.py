"""Benchmarks of the scan (`pytest --benchmark-only`): every variant, and a cached variant from a fresh process."""

import os
import subprocess
import sys

import numpy as np
import pytest

from bench.machine.clock import core_clock_hz
from kernels.scan_cpu import selftest, variants
from kernels.scan_cpu.scan import job_words
from kernels.sha256.header import nbits_to_target

NONCES = 1 << 18
RAN_HERE = [variant.name for variant in variants.candidates()]


@pytest.mark.parametrize("variant", RAN_HERE)
@pytest.mark.benchmark(group="sha256d_scan_cpu")
def test_scan(benchmark, variant):
    """Scan 2^18 nonces on one core; cycles per hash go into extra_info."""
    selftest.run_selftest(variant)
    module = variants.load(variant)
    known = selftest.known_headers()[0]
    job = job_words(known.header80, nbits_to_target(0x1D00FFFF))
    out = np.empty(1024, dtype=np.uint32)
    steps = NONCES // module.STEP
    first = known.nonce - known.nonce % module.STEP - steps // 2 * module.STEP
    before = core_clock_hz()
    found, _ = benchmark.pedantic(module.scan_steps, (job, np.uint32(first), steps, out), rounds=30, warmup_rounds=3)
    after = core_clock_hz()
    assert out[:found].tolist() == [known.nonce]
    hashes = steps * module.STEP
    benchmark.extra_info["hashes"] = hashes
    benchmark.extra_info["mh_per_s"] = hashes / benchmark.stats.stats.median / 1e6
    if before and after:
        benchmark.extra_info["cycles_per_hash"] = benchmark.stats.stats.median * (before + after) / 2 / hashes


SCRIPT = """
import sys, time
start = time.perf_counter()
import numba
numba_s = time.perf_counter() - start
import numpy
from kernels.scan_cpu import variants
module = variants.load(sys.argv[1])
module.scan_steps(numpy.zeros(12, numpy.uint32), numpy.uint32(0), 1, numpy.zeros(64, numpy.uint32))
print(numba_s, time.perf_counter() - start - numba_s)
"""


@pytest.mark.parametrize("variant", RAN_HERE)
@pytest.mark.benchmark(group="cached variant, fresh process")
def test_import_and_run_cached(benchmark, variant, tmp_path):
    """Start Python, import Numba, import and run a cached variant; the parts go into extra_info."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    parts = []

    def once():
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, variant], env=environment, capture_output=True, text=True, check=True
        )
        parts.append([float(text) for text in done.stdout.split()])

    once()
    parts.clear()
    benchmark.pedantic(once, rounds=5)
    benchmark.extra_info["import_numba_s"] = min(part[0] for part in parts)
    benchmark.extra_info["import_and_run_variant_s"] = min(part[1] for part in parts)
