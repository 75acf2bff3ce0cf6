"""One test body for every variant of the nonce scan."""

import csv
import random
from pathlib import Path

import numpy as np
import pytest

from kernels.errors import KernelInputError
from kernels.scan_cpu import scan as scan_module
from kernels.scan_cpu import selftest, variants
from kernels.scan_cpu.scan import early_mask, meets_target, scan
from kernels.sha256.header import MAX_TARGET, NONCES, midstate, tail, with_nonce
from kernels.sha256.reference import sha256d

HEADERS = list(csv.DictReader((Path(__file__).parents[1] / "data" / "headers.csv").read_text("ascii").splitlines()))
GENESIS = bytes.fromhex(HEADERS[0]["header_hex_80_bytes"])
ONE_IN_8 = (1 << 253) - 1


THIS_MACHINE = [found.variant.name for found in variants.all_variants() if not found.reason.startswith("needs a")]


@pytest.fixture(params=THIS_MACHINE)  # those of another architecture are checked in test_kernel_assembly
def variant(request):
    found = variants.availability(request.param)
    if not found.available:
        pytest.skip(f"{request.param}: {found.reason}")
    return request.param


def expected_hits(header80, start, count, target):
    nonces = ((start + offset) % NONCES for offset in range(count))
    return tuple(nonce for nonce in nonces if meets_target(header80, nonce, target))


def test_every_real_header_is_found_and_nothing_else(variant):
    for row in HEADERS:
        nonce = int(row["nonce"])
        found = scan(bytes.fromhex(row["header_hex_80_bytes"]), (nonce - 301) % NONCES, 700, variant=variant)
        assert found.hits == (nonce,), row["height"]
        assert found.hashes == 700


def test_ten_thousand_random_header_nonce_pairs_agree_with_hashlib(variant):
    generator = random.Random(variant)
    for _ in range(100):
        header80, start = generator.randbytes(80), generator.getrandbits(32)
        assert scan(header80, start, 100, variant=variant, target=ONE_IN_8).hits == expected_hits(
            header80, start, 100, ONE_IN_8
        )


def test_every_bit_of_the_last_word_is_right(variant):
    module = variants.load(variant)
    header80 = random.Random(3).randbytes(80)
    first, steps, out = 48 * 1000, 4, np.empty(512, dtype=np.uint32)
    nonces = range(first, first + steps * module.STEP)
    words = {nonce: int.from_bytes(sha256d(with_nonce(header80, nonce))[28:], "big") for nonce in nonces}
    for bit in range(32):
        job = np.array([*midstate(header80), *tail(header80)[:3], 1 << bit], dtype=np.uint32)
        found, done = module.scan_steps(job, np.uint32(first), steps, out)
        assert done == steps
        assert sorted(out[:found].tolist()) == [nonce for nonce in nonces if not words[nonce] >> bit & 1]


def test_hits_are_found_in_every_lane(variant):
    count = 2005
    start = NONCES // 3
    hits = scan(GENESIS, start, count, variant=variant, target=ONE_IN_8).hits
    assert hits == expected_hits(GENESIS, start, count, ONE_IN_8)
    assert {hit % 16 for hit in hits} == set(range(16))


@pytest.mark.parametrize("before", [0, 1, 2, 47, 48, 49])
@pytest.mark.parametrize("after", [0, 1, 2, 47, 48, 49])
def test_a_window_holds_exactly_its_nonces(variant, before, after):
    row = HEADERS[0]
    nonce = int(row["nonce"])
    assert scan(GENESIS, nonce - before, before + after, variant=variant).hits == ((nonce,) if after else ())


@pytest.mark.parametrize("threads", [2, 3])
def test_hits_at_the_borders_of_chunks_are_found_once(variant, threads, monkeypatch):
    monkeypatch.setattr(scan_module, "_SMALLEST_CHUNK", 64)
    for start in (NONCES - 700, 12345):
        found = scan(GENESIS, start, 1500, variant=variant, target=ONE_IN_8, threads=threads)
        assert found.hits == expected_hits(GENESIS, start, 1500, ONE_IN_8)


@pytest.mark.parametrize("start", [NONCES - 1, NONCES - 16, NONCES - 151])
def test_windows_wrap_past_the_last_nonce(variant, start):
    assert scan(GENESIS, start, 300, variant=variant, target=ONE_IN_8).hits == expected_hits(
        GENESIS, start, 300, ONE_IN_8
    )


@pytest.mark.parametrize("bits", [256, 255, 254, 250, 240, 233])
def test_targets_easier_than_difficulty_1(variant, bits, monkeypatch):
    monkeypatch.setattr(scan_module, "_CANDIDATES", 96)  # the buffer of candidates fills up again and again
    target, count = (1 << bits) - 1, 1 << min(12, 264 - bits)
    found = scan(GENESIS, 77, count, variant=variant, target=target)
    assert found.hits == expected_hits(GENESIS, 77, count, target)
    if target == MAX_TARGET:
        assert found.hits == tuple(range(77, 77 + count))


def test_a_target_one_below_the_hash_rejects_and_the_hash_itself_accepts(variant):
    for row in HEADERS[:6]:
        header80, nonce = bytes.fromhex(row["header_hex_80_bytes"]), int(row["nonce"])
        value = int(row["block_hash"], 16)
        assert scan(header80, nonce - 10, 100, variant=variant, target=value - 1).hits == ()
        assert scan(header80, nonce - 10, 100, variant=variant, target=value).hits == (nonce,)


def test_the_selftest_passes(variant):
    assert len(selftest.run_selftest(variant, threads=2)) == 10


def test_the_selftest_catches_a_wrong_answer(monkeypatch):
    monkeypatch.setattr(selftest, "scan", lambda *_, **__: scan_module.ScanResult((), 1))
    with pytest.raises(selftest.SelfTestError, match="nonce of block 0 found: expected nonces"):
        selftest.run_selftest("scalar")


def test_an_empty_window_has_no_hits():
    assert scan(GENESIS, 5, 0, variant="scalar") == scan_module.ScanResult((), 0)


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        ((bytes(79), 0, 1), {}, "header: expected 80 bytes, got 79"),
        ((bytes(80), 0, 1), {"target": 1 << 256}, "target: expected 1 to 2^256 - 1 (the maximum), got 0x1"),
        ((bytes(80), 0, 1), {"target": 0}, "target: expected 1"),
        ((bytes(80), 0, 1), {}, "nbits: expected a target of 1 to 2^256 - 1, got 0x00000000, which is zero"),
        ((GENESIS, -1, 1), {}, "start_nonce: expected 0 to 2^32 - 1, got -1"),
        ((GENESIS, 1 << 32, 1), {}, "start_nonce"),
        ((GENESIS, 0, -1), {}, "count: expected 0 to 2^32 nonces, got -1"),
        ((GENESIS, 0, 1), {"threads": 0}, "threads: expected at least 1, got 0"),
        ((GENESIS, 0, 1), {"variant": "lane16"}, "got 'lane16'; did you mean lanes16"),
    ],
)
def test_a_callers_mistake_is_named(arguments, options, words):
    with pytest.raises(KernelInputError) as caught:
        scan(*arguments, **options)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_early_mask_keeps_every_hash_that_meets_the_target():
    generator = random.Random(5)
    for _ in range(300):
        target = generator.getrandbits(generator.randint(1, 256)) | 1
        value = generator.randint(0, target)
        last_word = int.from_bytes(value.to_bytes(32, "little")[28:], "big")
        assert last_word & early_mask(target) == 0
    assert early_mask(0xFFFF << 208) == 0xFFFFFFFF
    assert early_mask(MAX_TARGET) == 0


def test_the_bundled_headers_are_real():
    tabled = {int(row["height"]): row for row in HEADERS}
    for known in selftest.known_headers():
        assert known.header80.hex() == tabled[known.height]["header_hex_80_bytes"]
        assert sha256d(known.header80)[::-1].hex() == tabled[known.height]["block_hash"]


def test_a_missing_feature_is_named(monkeypatch):
    monkeypatch.setattr(variants, "host_features", lambda: frozenset({"avx2"}))
    monkeypatch.setattr(variants, "_machine", lambda: "x86_64")
    with pytest.raises(KernelInputError, match="variant lanes16: not available here: this CPU lacks avx512f"):
        variants.load("lanes16")
    with pytest.raises(KernelInputError, match="neon_sha2: not available here: needs aarch64, this CPU is x86_64"):
        variants.load("neon_sha2")
    assert [variant.name for variant in variants.candidates()] == ["lanes8", "scalar"]
    assert variants.default_variant().name == "lanes8"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"NUMBA_CPU_FEATURES": "+avx2,-avx512f"}, ["lanes8", "scalar"]),
        ({"NUMBA_CPU_NAME": "generic"}, ["scalar"]),
        ({"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": "+sha,+sse4.1"}, ["shani", "scalar"]),
        ({"NUMBA_ENABLE_AVX": "0"}, ["shani", "scalar"]),
        ({"NUMBA_CPU_NAME": "znver4"}, ["lanes16", "lanes8", "scalar", "shani"]),
    ],
)
def test_numbas_environment_decides_the_candidates(environment, expected, monkeypatch):
    monkeypatch.setattr(variants, "host_features", lambda: frozenset({"avx2", "avx512f", "sha", "sse4.1"}))
    monkeypatch.setattr(variants, "_machine", lambda: "x86_64")
    for name in ("NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES", "NUMBA_ENABLE_AVX"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    names = {variant.name for variant in variants.candidates()}
    assert names - {"mixed"} == set(expected)
    if "lanes16" not in names:
        with pytest.raises(KernelInputError, match=r"masks .*avx512f"):
            variants.load("lanes16")


def test_the_table_of_variants_imports_without_numba():
    text = Path(variants.__file__).read_text(encoding="utf-8")
    assert "numba import" not in text
    assert "import numba" not in text
