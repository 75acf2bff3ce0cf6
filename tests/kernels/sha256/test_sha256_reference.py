"""The description of SHA-256 on Python integers, and the header's arithmetic."""

import csv
import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels.errors import KernelInputError
from kernels.sha256 import header
from kernels.sha256 import reference as sha256_ref
from kernels.sha256.description import INITIAL_STATE, K, sha256d_tail

HEADERS = list(csv.DictReader((Path(__file__).parents[1] / "data" / "headers.csv").read_text("ascii").splitlines()))


@given(st.binary(max_size=200))
def test_reference_agrees_with_hashlib(data):
    assert sha256_ref.sha256(data) == hashlib.sha256(data).digest()


@pytest.mark.parametrize("length", [0, 1, 55, 56, 63, 64, 65, 119, 120, 128])
def test_reference_pads_right_at_every_border(length):
    data = bytes(range(length))
    assert sha256_ref.sha256d(data) == hashlib.sha256(hashlib.sha256(data).digest()).digest()


def test_constants_are_those_of_the_standard():
    assert (K[0], K[63]) == (0x428A2F98, 0xC67178F2)
    assert (INITIAL_STATE[0], INITIAL_STATE[7]) == (0x6A09E667, 0x5BE0CD19)


@pytest.mark.parametrize("row", HEADERS, ids=lambda row: row["height"])
def test_real_headers_hash_to_their_block_hash(row):
    raw = bytes.fromhex(row["header_hex_80_bytes"])
    read = header.Header.unpack(raw)
    assert read.pack() == raw
    assert (read.nonce, f"{read.nbits:08x}") == (int(row["nonce"]), row["bits"])
    assert sha256_ref.sha256d(raw)[::-1].hex() == row["block_hash"]
    target = header.nbits_to_target(read.nbits)
    assert header.target_to_nbits(target) == read.nbits
    assert header.difficulty(target) == pytest.approx(float(row["difficulty"]), rel=1e-9, abs=5e-9)
    assert int(row["block_hash"], 16) <= target


@given(st.binary(min_size=80, max_size=80))
def test_midstate_and_tail_give_the_hash(raw):
    *tail, nonce_word = header.tail(raw)
    words = sha256d_tail(sha256_ref.INTEGERS, header.midstate(raw), tail, nonce_word)
    assert b"".join(word.to_bytes(4, "big") for word in words) == sha256_ref.sha256d(raw)


@given(st.binary(min_size=80, max_size=80), st.integers(0, 2**33))
def test_a_nonce_is_written_little_endian_and_wraps(raw, nonce):
    changed = header.with_nonce(raw, nonce)
    assert changed[:76] == raw[:76]
    assert header.Header.unpack(changed).nonce == nonce % 2**32


@given(st.integers(1, header.MAX_TARGET))
def test_compact_bits_truncate_and_never_exceed_the_target(target):
    expanded = header.nbits_to_target(header.target_to_nbits(target))
    assert expanded <= target < expanded + (expanded >> 14) + 1


@pytest.mark.parametrize(
    ("nbits", "target"),
    [
        (0x1D00FFFF, 0xFFFF << 208),
        (0x207FFFFF, 0x7FFFFF << 232),
        (0x01120000, 0x12),
        (0x04923456 - 0x800000, 0x12345600),
    ],
)
def test_compact_bits_of_known_targets(nbits, target):
    assert header.nbits_to_target(nbits) == target


@pytest.mark.parametrize(
    ("nbits", "words"),
    [
        (0x1D80FFFF, "sign bit"),
        (0x1D000000, "zero"),
        (0x23000001 + 0x00FFFF, "2^256 - 1"),
        (-1, "nbits"),
        (1 << 32, "nbits"),
    ],
)
def test_impossible_compact_bits_are_refused(nbits, words):
    with pytest.raises(KernelInputError, match=words.replace("^", r"\^")):
        header.nbits_to_target(nbits)


@pytest.mark.parametrize("bad", [b"", bytes(79), bytes(81)])
def test_a_header_of_another_length_is_refused(bad):
    with pytest.raises(KernelInputError, match=f"header: expected 80 bytes, got {len(bad)}"):
        header.Header.unpack(bad)


def test_a_header_that_is_text_is_refused():
    with pytest.raises(KernelInputError, match="expected 80 bytes, got a value of type str"):
        header.check_header("00" * 80)


@pytest.mark.parametrize("bad", [0, -1, header.MAX_TARGET + 1, 1.5])
def test_a_target_outside_256_bits_is_refused(bad):
    with pytest.raises(KernelInputError, match=r"target: expected 1 to 2\^256 - 1 \(the maximum\)"):
        header.difficulty(bad)


def test_fields_that_do_not_fit_are_refused():
    read = header.Header.unpack(bytes(80))
    for change in ({"previous_hash": b"x"}, {"nonce": 1 << 32}, {"version": -1}):
        with pytest.raises(KernelInputError, match=next(iter(change))):
            header.Header(**{**vars(read), **change}).pack()
