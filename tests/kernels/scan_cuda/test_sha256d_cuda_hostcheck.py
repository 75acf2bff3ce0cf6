"""The CUDA C text compiled as C++ and run on the CPU against hashlib: right before any GPU sees it."""

import struct
from hashlib import sha256

import numpy as np
import pytest
from oracles.cuda_hostcheck import HostCheck, compiler

from kernels.errors import KernelInputError
from kernels.gpu.toolchain import ToolMissingError
from kernels.scan_cpu.scan import early_mask, meets_target
from kernels.scan_cpu.selftest import known_headers
from kernels.scan_cuda.codegen import NONCES_PER_THREAD, job_record, scan_text
from kernels.scan_cuda.variants import TEXT_VARIANTS
from kernels.sha256.description import INITIAL_STATE, compress
from kernels.sha256.header import midstate, tail, with_nonce
from kernels.sha256.reference import INTEGERS

PAIRS = 10_000


@pytest.fixture(scope="module")
def host():
    try:
        return HostCheck(list(TEXT_VARIANTS))
    except ToolMissingError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def random_headers():
    return np.random.default_rng(20261120).integers(0, 256, (PAIRS, 80), dtype=np.uint8)


@pytest.mark.parametrize("variant", TEXT_VARIANTS)
def test_hostcheck_text_gives_hashlibs_word_on_ten_thousand_random_pairs(host, random_headers, variant):
    expected = [
        struct.unpack(">8I", sha256(sha256(header.tobytes()).digest()).digest())[7] for header in random_headers
    ]
    words = random_headers.view(">u4").astype(np.uint64)
    state = compress(INTEGERS, INITIAL_STATE, [words[:, i] for i in range(16)])
    record = job_record(host.texts[variant], state, [words[:, i] for i in range(16, 19)], 0)
    jobs = np.stack([np.broadcast_to(np.asarray(word).astype(np.uint32), PAIRS) for word in record], axis=1)
    got = host.last_words(variant, jobs, words[:, 19])
    assert np.array_equal(got, np.array(expected, dtype=np.uint32))


@pytest.mark.parametrize("variant", TEXT_VARIANTS)
def test_hostcheck_kernel_finds_a_real_blocks_nonce_and_nothing_else(host, variant):
    known = known_headers()[0]
    record = job_record(host.texts[variant], midstate(known.header80), tail(known.header80), 0xFFFFFFFF)
    first = (known.nonce // NONCES_PER_THREAD - 5) * NONCES_PER_THREAD
    assert host.scan(variant, record, first, 11) == [known.nonce]


@pytest.mark.parametrize("variant", TEXT_VARIANTS)
def test_hostcheck_kernel_finds_every_easy_hit_across_the_wrap_past_2_to_the_32(host, variant):
    header = known_headers()[1].header80
    target = (1 << 249) - 1
    record = job_record(host.texts[variant], midstate(header), tail(header), early_mask(target))
    first, threads = 2**32 - 2 * NONCES_PER_THREAD, 1280 // NONCES_PER_THREAD
    nonces = [(first + i) % 2**32 for i in range(threads * NONCES_PER_THREAD)]
    expected = {nonce for nonce in nonces if meets_target(header, nonce, target)}
    assert len(expected) > 3
    assert set(host.scan(variant, record, first, threads)) == expected


def test_hostcheck_kernel_counts_more_hits_than_it_can_keep_and_writes_no_further(host):
    header = known_headers()[1].header80
    record = job_record(host.texts["plain"], midstate(header), tail(header), 0)
    assert len(host.scan("plain", record, 0, 1, capacity=16)) == 16


def test_hostcheck_job_words_are_what_a_textbook_hash_gives(host):
    known = known_headers()[0]
    record = job_record(host.texts["plain"], midstate(known.header80), tail(known.header80), 0)
    digest = sha256(sha256(with_nonce(known.header80, 7)).digest()).digest()
    got = host.last_words("plain", np.array([record], dtype=np.uint32), np.array([0x07000000]))
    assert int(got[0]) == int.from_bytes(digest[28:], "big")


def test_hostcheck_without_a_compiler_says_how_to_get_one(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ToolMissingError, match="install one, on Debian: apt install g"):
        compiler()


def test_hostcheck_unknown_text_variant_is_refused_by_name():
    with pytest.raises(KernelInputError, match=r"expected one of plain, imad, imad_shift, .*, got 'imat'"):
        scan_text("imat")
