"""The reference SHA-256: the description executed on Python integers."""

from collections.abc import Sequence

from kernels.sha256.description import INITIAL_STATE, WORD_MASK
from kernels.sha256.description import compress as describe_compress


class IntegerOperations:
    """Operations on Python integers below 2^32."""

    def constant(self, value: int) -> int:
        """Return `value`."""
        return value

    def add(self, *terms: int) -> int:
        """Return the sum modulo 2^32."""
        return sum(terms) & WORD_MASK

    def rotr(self, word: int, bits: int) -> int:
        """Return the word rotated right by `bits`."""
        return (word >> bits | word << (32 - bits)) & WORD_MASK

    def shr(self, word: int, bits: int) -> int:
        """Return the word shifted right by `bits`."""
        return word >> bits

    def xor3(self, x: int, y: int, z: int) -> int:
        """Return x ^ y ^ z."""
        return x ^ y ^ z

    def ch(self, x: int, y: int, z: int) -> int:
        """Return the bits of y where x has ones, those of z elsewhere."""
        return (x & y) | (~x & WORD_MASK & z)

    def maj(self, x: int, y: int, z: int) -> int:
        """Return the majority of x, y and z, bit by bit."""
        return (x & y) | (x & z) | (y & z)


INTEGERS = IntegerOperations()


def compress(state: Sequence[int], block: bytes) -> tuple[int, ...]:
    """Return the state after one block, eight words.

    Parameters
    ----------
    state
        Eight words, a to h.
    block
        64 bytes, read as big-endian words.

    References
    ----------
    FIPS 180-4, section 6.2.2.
    """
    words = [int.from_bytes(block[i : i + 4], "big") for i in range(0, 64, 4)]
    return describe_compress(INTEGERS, state, words)


def sha256(data: bytes) -> bytes:
    """Return the SHA-256 digest, 32 bytes.

    References
    ----------
    FIPS 180-4, sections 5.1.1 (padding) and 6.2.
    """
    padded = data + b"\x80" + bytes((55 - len(data)) % 64) + (8 * len(data)).to_bytes(8, "big")
    state = INITIAL_STATE
    for start in range(0, len(padded), 64):
        state = compress(state, padded[start : start + 64])
    return b"".join(word.to_bytes(4, "big") for word in state)


def sha256d(data: bytes) -> bytes:
    """Return SHA-256 of SHA-256, 32 bytes: a block's hash before it is printed in reverse."""
    return sha256(sha256(data))
