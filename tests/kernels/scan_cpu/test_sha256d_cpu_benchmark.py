"""Benchmarks of the scan (`pytest --benchmark-only`): every variant, and a cached variant from a fresh process."""

import os
import resource
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
    compiled = variants.load(variant)
    known = selftest.known_headers()[0]
    job = job_words(known.header80, nbits_to_target(0x1D00FFFF))
    out = np.empty(1024, dtype=np.uint32)
    steps = NONCES // compiled.STEP
    first = known.nonce - known.nonce % compiled.STEP - steps // 2 * compiled.STEP
    before = core_clock_hz()
    found, _ = benchmark.pedantic(compiled.scan_steps, (job, first, steps, out), rounds=30, warmup_rounds=3)
    after = core_clock_hz()
    assert out[:found].tolist() == [known.nonce]
    hashes = steps * compiled.STEP
    benchmark.extra_info["hashes"] = hashes
    benchmark.extra_info["mh_per_s"] = hashes / benchmark.stats.stats.median / 1e6
    if before and after:
        benchmark.extra_info["cycles_per_hash"] = benchmark.stats.stats.median * (before + after) / 2 / hashes


SCRIPT = """
import sys, time
start = time.perf_counter()
from kernels.scan_cpu.scan import scan
from kernels.scan_cpu.selftest import known_headers
import_s = time.perf_counter() - start
known = known_headers()[0]
hits = scan(known.header80, known.nonce - 1000, 1 << 16, variant=sys.argv[1]).hits
assert hits == (known.nonce,)
print(import_s, time.perf_counter() - start - import_s, "numba" in sys.modules)
"""


@pytest.mark.parametrize("variant", RAN_HERE)
@pytest.mark.benchmark(group="cached variant, whole process")
def test_start_and_hash_with_a_cached_variant(benchmark, variant, tmp_path):
    """Start Python, load a stored variant and hash 2^16 headers; the parts go into extra_info."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    parts = []

    def once():
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, variant], env=environment, capture_output=True, text=True, check=True
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        import_s, hash_s, numba = done.stdout.split()
        cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        parts.append((float(import_s), float(hash_s), cpu_s, numba))

    once()
    parts.clear()
    benchmark.pedantic(once, rounds=5)
    assert {part[3] for part in parts} == {"False"}, "a stored variant does not import Numba"
    for place, name in enumerate(("import_s", "load_and_hash_s", "cpu_s")):
        benchmark.extra_info[name] = min(part[place] for part in parts)
