"""Figures of the Bitcoin network from its newest header, the fees of recent blocks and a price."""

from collections.abc import Iterator
from typing import NamedTuple

from bench.feeds.difficulty.chain import check_headers, hash_text
from bench.feeds.sources.source import Figure
from hardware_profiles.errors import InputError
from kernels.sha256.header import Header, nbits_to_target
from sites.market.bitcoin import BLOCK_S, SATOSHI_PER_BTC, expected_hashes, subsidy_sat
from sites.market.mining import DAY_S, PH
from sites.market.retarget import check_bits

FEE_BLOCKS = 144  # blocks over which fees are averaged, about a day


class Tip(NamedTuple):
    """The newest block."""

    height: int
    time_s: int  # [s, unix]
    difficulty: float
    hashes_per_block: float


def tip_of(place: str, height: int, header80: bytes, block_hash: str, stated_difficulty: float) -> Tip:
    """Return the newest block from its header.

    Raises
    ------
    InputError
        The header has another hash, does not meet its target, or the stated difficulty is not that of its bits.
    """
    if hash_text(header80) != block_hash:
        raise InputError(f"{place}: hash: expected {block_hash}, got {hash_text(header80)} of the header")
    check_headers(place, {height: header80})
    header = Header.unpack(header80)
    difficulty = check_bits(f"{place}: height {height}", header.nbits, stated_difficulty)
    return Tip(height, header.time_s, difficulty, expected_hashes(nbits_to_target(header.nbits)))


def network_figures(tip: Tip, fees_btc_per_block: float, blocks: tuple[int, int], fetched_s: float) -> Iterator[Figure]:
    """Yield difficulty, hash rate, fees and the hashprice in BTC, all as of the newest block.

    Parameters
    ----------
    tip
        The newest block.
    fees_btc_per_block
        Mean fees [BTC/block].
    blocks
        First and last height of their blocks.
    fetched_s
        Time of the fetch [s, unix].
    """
    as_of_s = min(float(tip.time_s), fetched_s)
    count = blocks[1] - blocks[0] + 1
    subsidy_btc = subsidy_sat(tip.height + 1) / SATOSHI_PER_BTC
    yield Figure("height", tip.height, as_of_s)
    yield Figure("difficulty", tip.difficulty, as_of_s, "equals the bits of the newest header")
    yield Figure(
        "network_rate_h_s", tip.hashes_per_block / BLOCK_S, as_of_s, "that the difficulty implies at 600 s a block"
    )
    yield Figure("subsidy_btc_per_block", subsidy_btc, as_of_s, "of the next block")
    yield Figure(
        "fees_btc_per_block", fees_btc_per_block, as_of_s, f"mean of {count} blocks, heights {blocks[0]} to {blocks[1]}"
    )
    yield Figure(
        "hashprice_btc_per_ph_day",
        hashprice_btc_per_ph_day(tip, fees_btc_per_block),
        as_of_s,
        "computed: subsidy and these fees over the difficulty",
    )


def hashprice_btc_per_ph_day(tip: Tip, fees_btc_per_block: float) -> float:
    """Return what one PH/s earns in a day at a difficulty, subsidy and fees [BTC/(PH/s)/day]."""
    reward_btc = subsidy_sat(tip.height + 1) / SATOSHI_PER_BTC + fees_btc_per_block
    return PH * DAY_S / tip.hashes_per_block * reward_btc
