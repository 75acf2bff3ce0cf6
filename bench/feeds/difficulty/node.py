"""Block headers from a Bitcoin node by RPC."""

from typing import Any

from bench.feeds.answers import FetchError
from bench.feeds.difficulty.chain import hash_text, needed_heights
from bench.feeds.rpc import Node, field
from hardware_profiles.errors import InputError, shown
from kernels.sha256.header import HEADER_BYTES, Header
from sites.market.retarget import check_bits

HIGHEST = 10_000_000  # height that is asked for: of the year 2199
CONFIRMATIONS = 6  # below the tip, where a reorganization no longer changes a header


def node_headers(node: Node, first: int) -> dict[int, bytes]:
    """Return the headers that prove the epochs from height `first` on, by height.

    Raises
    ------
    FetchError
        The node does not answer, or not with headers.
    InputError
        The node states another height or difficulty than the header, is not on the main network, or is not there yet.
    """
    place = str(node.url)
    (info,) = node.call([("getblockchaininfo", [])])
    chain, blocks = field(info, "chain", str, place), field(info, "blocks", int, place)
    if chain != "main":
        raise InputError(f"{place}: expected a node on the main network, got one on {shown(chain)}")
    if blocks > HIGHEST:
        raise InputError(f"{place}: blocks: expected at most {HIGHEST}, got {blocks}")
    tip = blocks - (CONFIRMATIONS - 1)
    if tip < first:
        raise InputError(
            f"{place}: expected a node with {CONFIRMATIONS} blocks from height {first} on, got one at height {blocks} "
            "(still synchronizing?)"
        )
    heights = needed_heights(first, tip)
    hashes = node.call([("getblockhash", [height]) for height in heights])
    raw = node.call([("getblockheader", [block_hash, False]) for block_hash in hashes])
    stated = node.call([("getblockheader", [block_hash, True]) for block_hash in hashes])
    headers = {}
    for height, block_hash, digits, fields in zip(heights, hashes, raw, stated, strict=True):
        location = f"{place}: height {height}"
        header80 = header_of(digits, location)
        if hash_text(header80) != block_hash:
            raise InputError(f"{location}: hash: expected {shown(block_hash)}, got {hash_text(header80)} of the header")
        if field(fields, "height", int, location) != height:
            raise InputError(f"{location}: expected this height, got {shown(fields['height'])}")
        check_bits(location, Header.unpack(header80).nbits, float(field(fields, "difficulty", int | float, location)))
        headers[height] = header80
    return headers


def header_of(digits: Any, location: str) -> bytes:
    """Return a header from its hexadecimal digits.

    Raises
    ------
    FetchError
        The answer is not that.
    """
    try:
        header80 = bytes.fromhex(digits)
    except (TypeError, ValueError):
        header80 = b""
    if len(header80) != HEADER_BYTES:
        raise FetchError(f"{location}: expected a header of {2 * HEADER_BYTES} hexadecimal digits, got {shown(digits)}")
    return header80
