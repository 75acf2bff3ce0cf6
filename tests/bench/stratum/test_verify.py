"""Verification against shares that other software produced, blocks of the chain, and the project's own reference."""

import csv
import os
import random
import time
from pathlib import Path

import pytest

from bench.stratum.difficulty import share_difficulty, target_of
from bench.stratum.jobs import ROLLED_BITS, Job, JobSource, Template, swap_words
from bench.stratum.verify import (
    ShareClass,
    Submission,
    header_of,
    merkle_root,
    read_submission,
    rolled_version,
    verify,
)
from kernels.sha256.header import Header
from kernels.sha256.reference import sha256d

HEADERS = list(csv.DictReader((Path(__file__).parents[2] / "kernels/data/headers.csv").read_text("ascii").splitlines()))

# A share at 683.5 of a real pool's job, as the tests of ESP-Miner hold it; its coinbase has 260 bytes.
POOL_COINBASE = (
    (
        "01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff4b0389130cfabe6d6d5cbab26a2599e92916"
        "edec5657a94a0708ddb970f5c45b5d12905085617eff8e"
    ),
    (
        "31650707758de07b010000000000001cfd7038212f736c7573682f000000000379ad0c2a000000001976a9147c154ed1dc59609e3d26abb2df2ea3"
        "d587cd8c4188ac00000000000000002c6a4c2952534b424c4f434b3ae725d3994b811572c1f345deb98b56b465ef8e153ecbbd27fa37bf1b005161"
        "380000000000000000266a24aa21a9ed63b06a7946b190a3fda1d76165b25c9b883bcc6621b040773050ee2a1bb18f1800000000"
    ),
)
POOL_BRANCHES = (
    "2b77d9e413e8121cd7a17ff46029591051d0922bd90b2b2a38811af1cb57a2b2",
    "5c8874cef00f3a233939516950e160949ef327891c9090467cead995441d22c5",
    "2d91ff8e19ac5fa69a40081f26c5852d366d608b04d2efe0d5b65d111d0d8074",
    "0ae96f609ad2264112a0b2dfb65624bedbcea3b036a59c0173394bba3a74e887",
    "e62172e63973d69574a82828aeb5711fc5ff97946db10fc7ec32830b24df7bde",
    "adb49456453aab49549a9eb46bb26787fb538e0a5f656992275194c04651ec97",
    "a7bc56d04d2672a8683892d6c8d376c73d250a4871fdf6f57019bcc737d6d2c2",
    "d94eceb8182b4f418cd071e93ec2a8993a0898d4c93bc33d9302f60dbbd0ed10",
    "5ad7788b8c66f8f50d332b88a80077ce10e54281ca472b4ed9bbbbcb6cf99083",
    "9f9d784b33df1b3ed3edb4211afc0dc1909af9758c6f8267e469f5148ed04809",
    "48fd17affa76b23e6fb2257df30374da839d6cb264656a82e34b350722b05123",
    "c4f5ab01913fc186d550c1a28f3f3e9ffaca2016b961a6a751f8cca0089df924",
    "cff737e1d00176dd6bbfa73071adbb370f227cfb5fba186562e4060fcec877e1",
)
POOL_PREVIOUS = "0c859545a3498373a57452fac22eb7113df2a465000543520000000000000000"
POOL_ROOT = "5bdc1968499c3393873edf8e07a1c3a50a97fc3a9d1a376bbf77087dd63778eb"


def pool_job(difficulty):
    template = Template(
        swap_words(bytes.fromhex(POOL_PREVIOUS)),
        tuple(map(bytes.fromhex, POOL_BRANCHES)),
        0x647025B5,
        0x1705AE3A,
        0x20000004,
    )
    return Job("1", template, *map(bytes.fromhex, POOL_COINBASE), difficulty, 0.0, clean=True)


def test_a_recorded_share_of_a_pool_has_its_root_its_hash_and_its_difficulty():
    share = read_submission(["w", "1", "00000000", "647025b5", "0a029ed1"], 4)
    extranonce1 = bytes.fromhex("01000000")
    assert merkle_root(pool_job(1.0), extranonce1, share.extranonce2).hex() == POOL_ROOT
    digest = sha256d(header_of(pool_job(1.0), share, extranonce1, 0))
    assert digest[::-1].hex() == "00000000005fe144efbc66241c0094b8fdc2702b7729226fdfed70ca8094c0b5"
    assert share_difficulty(int.from_bytes(digest, "little")) == pytest.approx(683.5109367, rel=1e-9)
    assert verify(pool_job(683.5), share, extranonce1, 0).share_class is ShareClass.VALID
    assert verify(pool_job(683.6), share, extranonce1, 0).share_class is ShareClass.LOW_DIFFICULTY


def test_the_other_recorded_share_has_its_hash_and_its_difficulty():
    previous = swap_words(bytes.fromhex("d02b10fc0d4711eae1a805af50a8a83312a2215e00017f2b0000000000000000"))
    root = bytes.fromhex("6d0359c451434605c52a5a9ce074340be47c2c63840731f9edf1db3f26b1cdd9")
    digest = sha256d(Header(0x20000004, previous, root, 0x646FF1A9, 0x1705AE3A, 0x276E8947).pack())
    assert digest[::-1].hex() == "000000000e30101020e2ec8c9302a9ee56b2b2bef354b63489a0801f5789ed19"
    assert share_difficulty(int.from_bytes(digest, "little")) == pytest.approx(18.0434658, rel=1e-8)


# A session of a Bitaxe with public-pool on the test network, which rolled version bits.
ROLLED_COINBASE = (
    "02000000010000000000000000000000000000000000000000000000000000000000000000ffffffff1903c943255c7075626c69632d706f6f6c5c",
    (
        "ffffffff037a90000000000000160014e6f22ca44dc800e9d049621a3b9a42c509f1c4bc3b0f250000000000160014e6f22ca44dc800e9d049621a"
        "3b9a42c509f1c4bc0000000000000000266a24aa21a9edbd3d1d916aa0b57326a2d88ebe1b68a1d7c48585f26d8335fe6a94b62755f64c00000000"
    ),
)
ROLLED_BRANCHES = (
    "175335649d5e8746982969ec88f52e85ac9917106fba5468e699c8879ab974a1",
    "d5644ab3e708c54cd68dc5aedc92b8d3037449687f92ec41ed6e37673d969d4a",
    "5c9ec187517edc0698556cca5ce27e54c96acb014770599ed9df4d4937fbf2b0",
)


def test_a_recorded_share_with_rolled_version_bits_meets_the_difficulty_that_its_pool_had_set():
    previous = "171592f223740e92d223f6e68bff25279af7ac4f2246451e0000000200000000"
    template = Template(
        swap_words(bytes.fromhex(previous)), tuple(map(bytes.fromhex, ROLLED_BRANCHES)), 0x64B3F3EC, 0x192495F8
    )
    job = Job("1", template, *map(bytes.fromhex, ROLLED_COINBASE), 512.0, 0.0, clean=False)
    share = read_submission(["w", "1", "c7080000", "64b3f3ec", "ed460d91", "00002000"], 4)
    extranonce1 = bytes.fromhex("57a6f098")
    assert verify(job, share, extranonce1, ROLLED_BITS).share_class is ShareClass.VALID
    assert verify(job, share, extranonce1, ROLLED_BITS).share_class is ShareClass.DUPLICATE
    assert verify(job, share, extranonce1, 0).share_class is ShareClass.MASK_VIOLATION
    unrolled = Submission("w", "1", share.extranonce2, share.time_s, share.nonce, None)
    assert verify(job, unrolled, extranonce1, ROLLED_BITS).share_class is ShareClass.LOW_DIFFICULTY


@pytest.mark.parametrize("row", HEADERS, ids=lambda row: row["height"])
def test_blocks_of_the_chain_meet_the_difficulty_of_their_bits(row):
    header = bytes.fromhex(row["header_hex_80_bytes"])
    value = int.from_bytes(sha256d(header), "little")
    assert f"{value:064x}" == row["block_hash"]
    assert share_difficulty(value) >= float(row["difficulty"]) * (1 - 1e-9)
    assert value <= target_of(float(row["difficulty"]) * (1 - 1e-8))


def test_the_verified_hash_is_the_projects_own_double_sha256_of_its_own_header():
    dice = random.Random(18)
    source = JobSource()
    for _ in range(25):
        job = source.job(source.template(), 2.0**-31)
        bits = dice.getrandbits(32) & ROLLED_BITS
        time_s = job.template.time_s + dice.randrange(7001)
        share = Submission("w", job.job_id, dice.randbytes(8), time_s, dice.getrandbits(32), bits)
        extranonce1 = dice.randbytes(4)
        coinbase = sha256d(job.coinbase1 + extranonce1 + share.extranonce2 + job.coinbase2)
        for branch in job.template.branches:
            coinbase = sha256d(coinbase + branch)
        header = Header(
            0x20000000 | bits, job.template.previous_hash, coinbase, time_s, job.template.nbits, share.nonce
        )
        value = int.from_bytes(sha256d(header.pack()), "little")
        verdict = verify(job, share, extranonce1, ROLLED_BITS)
        assert verdict.hash_frac == value / job.target
        assert (verdict.share_class is ShareClass.VALID) == (value <= job.target)


def test_or_xor_and_replace_of_version_bits_agree_on_the_versions_that_are_issued():
    version = JobSource().template().version
    for bits in (0, 0x2000, 0x1FFFE000, 0x00ABC000):
        assert rolled_version(version, bits, ROLLED_BITS) == version | bits == version ^ bits
    assert rolled_version(0x3FFFFFFF, 0x2000, ROLLED_BITS) == 0x20003FFF


def test_a_share_is_never_credited_by_what_its_hash_happens_to_meet():
    share = read_submission(["w", "1", "00000000", "647025b5", "0a029ed1"], 4)
    verdict = verify(pool_job(16.0), share, bytes.fromhex("01000000"), 0)
    assert verdict.credited_difficulty == 16.0
    low = verify(pool_job(1024.0), share, bytes.fromhex("01000000"), 0)
    assert (low.difficulty, low.credited_difficulty) == (1024.0, 0.0)


@pytest.mark.parametrize(
    "params",
    [
        ["w", "1", "00000000", "0x647025b", "0a029ed1"],
        ["w", "1", "00000000", "64_025b5", "0a029ed1"],
        ["w", "1", "00000000", " 47025b5", "0a029ed1"],
        ["w", "1", "00000000", "-47025b5", "0a029ed1"],
        ["w", "1", "00000000", "\uff16\uff14", "0a029ed1"],  # digits of another script
        ["w", "1", "00 00 00", "647025b5", "0a029ed1"],
        ["w", "1", "0000000", "647025b5", "0a029ed1"],
        ["w", "1", "0000000000", "647025b5", "0a029ed1"],
        ["w", "1", "00000000", "0" * 17, "0a029ed1"],
        ["w", "1", "00000000", "100000000", "0a029ed1"],
    ],
)
def test_what_is_no_plain_hexadecimal_number_of_the_right_size_is_malformed(params):
    assert read_submission(params, 4) is None


def test_a_core_verifies_ten_thousand_shares_a_second_with_twelve_branches():
    source = JobSource(branches=12)
    job = source.job(source.template(), 2.0**-31)
    time_text = f"{job.template.time_s:08x}"
    sent = [["w", job.job_id, os.urandom(8).hex(), time_text, os.urandom(4).hex(), "00002000"] for _ in range(500)]
    best_s = float("inf")
    for _ in range(5):
        start = time.thread_time()
        for params in sent:
            verify(job, read_submission(params, 8), b"abcd", ROLLED_BITS)
        best_s = min(best_s, time.thread_time() - start)
    assert len(sent) / best_s > 10_000.0
