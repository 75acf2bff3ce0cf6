"""A chain of block headers with real proof of work at a trivial target, and real changes of the target by the rule."""

import functools
import hashlib

from kernels.sha256.header import Header, nbits_to_target
from sites.market.retarget import next_nbits

LIMIT = 0x207FFFFF  # every second hash meets it
GENESIS_S = 1_700_000_000


def _hash(header80):
    return hashlib.sha256(hashlib.sha256(header80).digest()).digest()


def mined(previous, time_s, nbits, merkle=b"\1" * 32):
    """Return a header that meets its target, by trying nonces."""
    target = nbits_to_target(nbits)
    for nonce in range(1 << 20):
        header80 = Header(0x20000000, previous, merkle, time_s, nbits, nonce).pack()
        if int.from_bytes(_hash(header80), "little") <= target:
            return header80
    raise AssertionError("no nonce")


@functools.cache
def chain(epochs=3, extra=30, block_s=(300, 1200, 400, 600)):
    """Return consecutive headers from the first block on: whole epochs, then some blocks of the next one.

    The blocks of epoch k are `block_s[k]` apart, so that the target falls, rises and falls.
    """
    headers, previous, time_s, nbits = [], bytes(32), GENESIS_S, LIMIT
    for height in range(2016 * epochs + extra):
        if height and height % 2016 == 0:
            first, last = Header.unpack(headers[-2016]), Header.unpack(headers[-1])
            nbits = next_nbits(first.nbits, last.time_s - first.time_s, LIMIT)
        headers.append(mined(previous, time_s, nbits))
        previous, time_s = _hash(headers[-1]), time_s + block_s[height // 2016]
    return tuple(headers)


@functools.cache
def recent(count, last_s, block_s=600):
    """Return consecutive headers from the first block on, within one epoch, the last one at a time."""
    headers, previous = [], bytes(32)
    for height in range(count):
        headers.append(mined(previous, last_s - (count - 1 - height) * block_s, LIMIT))
        previous = _hash(headers[-1])
    return tuple(headers)
