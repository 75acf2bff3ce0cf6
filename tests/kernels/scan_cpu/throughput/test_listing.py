"""The listing of a variant: compiled once, then read from the cache."""

import pytest

from kernels.errors import KernelInputError
from kernels.native import Code
from kernels.scan_cpu.throughput import listing as module
from kernels.scan_cpu.throughput.listing import listing

LOOP = "scan:\n.LBB0_1:\n\taddl\t$1, %eax\n\tjne\t.LBB0_1\n\tretq\n"


@pytest.fixture
def compiled(monkeypatch, tmp_path):
    """Names of the modules that were compiled."""
    names = []

    def compile_module(name, midstates):
        names.append((name, midstates))
        return Code("scan", LOOP.encode(), 2)

    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr("kernels.native._as_imported", lambda: True)
    monkeypatch.setattr(module, "scan_assembly", compile_module)
    return names


def test_a_listing_is_compiled_once_and_then_read(compiled):
    first, again = (listing.__wrapped__("scalar", 4) for _ in range(2))
    assert first == again
    assert first.hashes == 8
    assert [(len(region.lines), region.times) for region in first.regions] == [(2, 1)]
    assert compiled == [("kernels.scan_cpu.version_rolling.scalar", 4)]


def test_an_unknown_variant_is_named():
    with pytest.raises(KernelInputError, match="variant: expected one of"):
        listing("nothing")
