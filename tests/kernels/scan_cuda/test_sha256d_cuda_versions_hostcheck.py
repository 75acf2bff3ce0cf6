"""The CUDA C of the scan of several versions, compiled as C++ and run on the CPU against hashlib."""

import struct
from hashlib import sha256

import numpy as np
import pytest
from oracles.cuda_hostcheck import VersionsHostCheck

from kernels.errors import KernelInputError
from kernels.gpu.toolchain import ToolMissingError
from kernels.scan_cpu.scan import MIDSTATES, early_mask, meets_target
from kernels.scan_cpu.selftest import known_headers
from kernels.scan_cuda.codegen import NONCES_PER_THREAD
from kernels.scan_cuda.rolled_text import rolled_job_record, rolled_text
from kernels.scan_cuda.variants import ROLLED_VARIANTS
from kernels.sha256.description import INITIAL_STATE, compress
from kernels.sha256.header import (
    NONCES,
    VERSION_MASK,
    midstate,
    rolled_versions,
    tail,
    versions_around,
    with_nonce,
    with_version,
)
from kernels.sha256.reference import INTEGERS

PAIRS = 10_000


@pytest.fixture(scope="module")
def host():
    try:
        return VersionsHostCheck(ROLLED_VARIANTS)
    except ToolMissingError as error:
        pytest.skip(str(error))


def job_of(host, variant, header80, versions, mask):
    states = [midstate(with_version(header80, version)) for version in versions]
    return rolled_job_record(host.texts[variant], states, tail(header80), mask)


def last_word(header80):
    return struct.unpack(">8I", sha256(sha256(header80).digest()).digest())[7]


@pytest.fixture(scope="module", params=MIDSTATES)
def random_pairs(request):
    """Random headers, each with several random versions: 10,000 of (version, nonce); and hashlib's last words."""
    headers = np.random.default_rng(request.param).integers(0, 256, (PAIRS, 80), dtype=np.uint8)
    headers = headers.reshape(-1, request.param, 80)
    headers[:, :, 4:] = headers[:, :1, 4:]  # those of a job differ in the version only
    return headers, np.array([[last_word(header.tobytes()) for header in job] for job in headers], dtype=np.uint32)


@pytest.mark.parametrize("variant", ROLLED_VARIANTS)
def test_hostcheck_text_gives_hashlibs_word_on_ten_thousand_random_versions_and_nonces(host, random_pairs, variant):
    headers, expected = random_pairs
    assert expected.size == PAIRS
    words = headers.view(">u4").astype(np.uint64)
    states = [
        compress(INTEGERS, INITIAL_STATE, [words[:, version, i] for i in range(16)])
        for version in range(expected.shape[1])
    ]
    record = rolled_job_record(host.texts[variant], states, [words[:, 0, i] for i in range(16, 19)], 0)
    jobs = np.stack([np.broadcast_to(np.asarray(word).astype(np.uint32), len(headers)) for word in record], axis=1)
    assert np.array_equal(host.last_words(variant, jobs, words[:, 0, 19], expected.shape[1]), expected)


@pytest.mark.parametrize("midstates", MIDSTATES)
@pytest.mark.parametrize("variant", ROLLED_VARIANTS)
def test_hostcheck_kernel_finds_a_real_blocks_version_and_nonce_and_nothing_else(host, variant, midstates):
    for place, known in enumerate(known_headers()):
        index = place % midstates
        versions = versions_around(known.version, index, midstates)
        job = job_of(host, variant, known.header80, versions, 0xFFFFFFFF)
        first = (known.nonce // NONCES_PER_THREAD - 5) * NONCES_PER_THREAD
        assert host.scan(variant, job, first, 11) == [index * NONCES + known.nonce]


@pytest.mark.parametrize("midstates", MIDSTATES)
@pytest.mark.parametrize("variant", ROLLED_VARIANTS)
def test_hostcheck_kernel_finds_every_easy_hit_across_the_wraps_of_nonces_and_versions(host, variant, midstates):
    header80, target, threads = known_headers()[1].header80, (1 << 249) - 1, 1280 // NONCES_PER_THREAD
    versions = rolled_versions(0x20000004, midstates, (1 << 16) - midstates // 2)
    assert {0, VERSION_MASK} <= {version & VERSION_MASK for version in versions}
    job = job_of(host, variant, header80, versions, early_mask(target))
    first = NONCES - 2 * NONCES_PER_THREAD
    expected = {
        index * NONCES + (first + offset) % NONCES
        for offset in range(threads * NONCES_PER_THREAD)
        for index, version in enumerate(versions)
        if meets_target(with_version(header80, version), (first + offset) % NONCES, target)
    }
    assert len(expected) > 6
    assert {candidate // NONCES for candidate in expected} == set(range(midstates))
    found = host.scan(variant, job, first, threads)
    assert len(found) == len(set(found))
    assert set(found) == expected


def test_hostcheck_kernel_counts_more_hits_than_it_can_keep_and_writes_no_further(host):
    job = job_of(host, "plain", known_headers()[1].header80, [1, 2], 0)
    assert len(host.scan("plain", job, 0, 1, capacity=16)) == 16


def test_hostcheck_thread_tests_each_of_its_nonces_with_every_version_once(host):
    job = job_of(host, "imad_lea", known_headers()[1].header80, [1, 2, 3, 4], 0)
    found = host.scan("imad_lea", job, 2 * NONCES_PER_THREAD, 3)
    nonces = range(2 * NONCES_PER_THREAD, 5 * NONCES_PER_THREAD)
    assert sorted(found) == [index * NONCES + nonce for index in range(4) for nonce in nonces]


def test_hostcheck_job_words_are_what_a_textbook_hash_gives(host):
    header80 = known_headers()[0].header80
    job = job_of(host, "plain", header80, [5, 6], 0)
    expected = [last_word(with_nonce(with_version(header80, version), 7)) for version in (5, 6)]
    assert host.last_words("plain", np.array([job]), np.array([0x07000000]), 2).tolist() == [expected]


def test_a_variant_without_a_scan_of_several_versions_is_refused_by_name():
    with pytest.raises(KernelInputError, match=r"expected one that scans several versions \(plain, .*got 'imad'"):
        rolled_text("imad")
