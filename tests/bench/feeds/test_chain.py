"""Headers: every one meets its target, links to the one before, and every epoch follows by the rule."""

import random
from pathlib import Path

import pytest
from doubles.feeds.chain import LIMIT, mined

from bench.feeds.difficulty.chain import MAINNET, Network, check_headers, epochs_of, hash_text, needed_heights
from hardware_profiles.errors import InputError
from hardware_profiles.opening import CSV
from kernels.sha256.header import Header
from sites.file.csv_rows import csv_rows
from sites.market.retarget import next_nbits

ROOT = Path(__file__).resolve().parents[3]
REAL_HEADER = (  # of height 1
    "010000006fe28c0ab6f1b372c1a6a246ae63f74f931e8365e15a089c68d6190000000000"
    "982051fd1e4ba744bbbe680e1fee14677ba1a3c3540bf7b1cdb606e857233e0e61bc6649ffff001d01e36299"
)
RULES = Network(LIMIT, continues_bundled=False)


def test_a_whole_chain_gives_its_epochs(headers):
    epochs = epochs_of("x", dict(enumerate(headers)), RULES)
    assert [epoch.height for epoch in epochs] == [0, 2016, 4032, 6048]
    assert [epoch.nbits for epoch in epochs] == [Header.unpack(headers[2016 * k]).nbits for k in range(4)]
    assert [epoch.last_unix for epoch in epochs][3] is None
    assert epochs[1].nbits == next_nbits(LIMIT, 2015 * 300, LIMIT)


def test_the_first_and_the_last_headers_of_the_epochs_are_enough(headers):
    sparse = {height: headers[height] for height in needed_heights(0, len(headers) - 1)}
    assert len(sparse) == 7
    assert epochs_of("x", sparse, RULES) == epochs_of("x", dict(enumerate(headers)), RULES)


def test_the_recorded_headers_of_real_blocks_meet_their_targets():
    rows = csv_rows(ROOT / "tests/kernels/data/headers.csv", CSV)
    _, heading = next(rows)
    recorded = [dict(zip(heading, cells, strict=True)) for _, cells in rows]
    real = {int(row["height"]): bytes.fromhex(row["header_hex_80_bytes"]) for row in recorded}
    check_headers("x", real)
    assert [hash_text(real[int(row["height"])]) for row in recorded] == [row["block_hash"] for row in recorded]
    assert {0, 1, 665_282, 665_283} <= real.keys()  # two pairs that link


def test_a_header_without_its_work_is_refused_although_nothing_links_to_it():
    real = bytes.fromhex(REAL_HEADER)
    check_headers("x", {1: real})
    with pytest.raises(InputError, match=r"x: height 1: hash: expected at most 0{8}f{4}0{52}, the target of its bits"):
        check_headers("x", {1: real[:-1] + b"\x9a"})


@pytest.mark.parametrize("height", [0, 1, 2015, 2016, 3000, 4032, 6076])
def test_one_changed_bit_anywhere_in_a_header_is_refused_by_height(headers, height):
    source = random.Random(height)
    for _ in range(10):
        changed = bytearray(headers[height])
        changed[source.randrange(80)] ^= 1 << source.randrange(8)
        broken = dict(enumerate(headers)) | {height: bytes(changed)}
        with pytest.raises(InputError, match=rf"x: height ({height}|{height + 1}): ") as caught:
            epochs_of("x", broken, RULES)
        assert "\n" not in str(caught.value)


def test_the_bits_of_another_rule_are_refused_although_the_work_is_there(headers):
    wrong = mined(b"\0" * 32, Header.unpack(headers[2016]).time_s, LIMIT)
    sparse = {height: headers[height] for height in needed_heights(0, 2015)} | {2016: wrong}
    sparse[2016] = mined(bytes.fromhex(hash_text(headers[2015]))[::-1], Header.unpack(headers[2016]).time_s, LIMIT)
    with pytest.raises(InputError, match=r"x: height 2016: bits: expected 203ff7de by the rule .* got 207fffff"):
        epochs_of("x", sparse, RULES)


def test_a_last_block_with_other_bits_than_its_epoch_is_refused(headers):
    sparse = {0: headers[0], 2015: mined(b"\0" * 32, 1_700_604_500, 0x203FF7DE)}
    with pytest.raises(InputError, match="x: height 2015: bits: expected 207fffff, those of height 0, got 203ff7de"):
        epochs_of("x", sparse, RULES)


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        (2015, "x: height 2015: expected the time of this block"),
        (2016, "x: expected height 2016 after 0, got 4032"),
    ],
)
def test_a_missing_header_is_named(headers, missing, message):
    sparse = {height: headers[height] for height in needed_heights(0, 6077) if height != missing}
    with pytest.raises(InputError, match=message):
        epochs_of("x", sparse, RULES)


def test_no_header_of_a_first_block_proves_nothing(headers):
    with pytest.raises(InputError, match="expected the header of a height that is a multiple of 2016, got none"):
        epochs_of("x", {5: headers[5]}, RULES)


def test_a_chain_of_another_network_is_refused_by_the_rules_of_the_main_network(headers):
    with pytest.raises(InputError, match="height 2016: bits: expected"):
        epochs_of("x", dict(enumerate(headers)), MAINNET)
    with pytest.raises(InputError, match=r"height 0: difficulty: expected 1.0000.*, as bundled, .*another network"):
        epochs_of("x", {0: headers[0]}, MAINNET)
