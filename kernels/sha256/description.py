"""SHA-256 written once: the message schedule and the rounds over an abstract set of operations.

Every generated kernel executes or compiles this file; only the readable GPU kernel has rounds of its own. The
operations decide what a word is: a Python integer (`kernels.sha256.reference`) or a node of a graph
(`kernels.sha256.graph`) that becomes a count of instructions, LLVM vectors, assembly or CUDA C.

References
----------
FIPS 180-4, section 6.2.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol, TypeVar

Word = TypeVar("Word")

WORD_MASK = 0xFFFFFFFF


class Operations(Protocol[Word]):
    """The operations on 32-bit words that SHA-256 consists of."""

    def constant(self, value: int) -> Word:
        """Return the word that holds `value`."""
        ...

    def add(self, *terms: Word) -> Word:
        """Return the sum modulo 2^32."""
        ...

    def rotr(self, word: Word, bits: int) -> Word:
        """Return the word rotated right by `bits`."""
        ...

    def shr(self, word: Word, bits: int) -> Word:
        """Return the word shifted right by `bits`, with zeros shifted in."""
        ...

    def xor3(self, x: Word, y: Word, z: Word) -> Word:
        """Return x ^ y ^ z."""
        ...

    def ch(self, x: Word, y: Word, z: Word) -> Word:
        """Return the bits of y where x has ones, those of z elsewhere."""
        ...

    def maj(self, x: Word, y: Word, z: Word) -> Word:
        """Return the majority of x, y and z, bit by bit."""
        ...


def _primes(count: int) -> list[int]:
    primes: list[int] = []
    candidate = 2
    while len(primes) < count:
        if all(candidate % prime for prime in primes):
            primes.append(candidate)
        candidate += 1
    return primes


def _root_fraction(number: int, degree: int) -> int:
    """Return the first 32 bits of the fractional part of the `degree`-th root of `number`."""
    scaled = number << (32 * degree)
    low, high = 0, 1 << 48
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if middle**degree <= scaled else (low, middle)
    return low & WORD_MASK


K = tuple(_root_fraction(prime, 3) for prime in _primes(64))
INITIAL_STATE = tuple(_root_fraction(prime, 2) for prime in _primes(8))


def schedule(ops: Operations[Word], block: Sequence[Word]) -> Iterator[Word]:
    """Yield the 64 words of the message schedule of a block of 16 words."""
    window = list(block)
    yield from window
    for _ in range(48):
        w0, w1, w9, w14 = window[0], window[1], window[9], window[14]
        sigma0 = ops.xor3(ops.rotr(w1, 7), ops.rotr(w1, 18), ops.shr(w1, 3))
        sigma1 = ops.xor3(ops.rotr(w14, 17), ops.rotr(w14, 19), ops.shr(w14, 10))
        word = ops.add(w0, w9, sigma0, sigma1)
        window = [*window[1:], word]
        yield word


def rounds(
    ops: Operations[Word], state: Sequence[Word], words: Iterable[Word], first: int = 0
) -> Iterator[tuple[Word, ...]]:
    """Yield the state after each round, one round for each schedule word.

    Parameters
    ----------
    ops
        The operations on words.
    state
        Eight words, a to h, before the first of these rounds.
    words
        Schedule words, one a round.
    first
        Number of the first round, 0 to 63.
    """
    a, b, c, d, e, f, g, h = state
    for index, word in enumerate(words, first):
        big_sigma1 = ops.xor3(ops.rotr(e, 6), ops.rotr(e, 11), ops.rotr(e, 25))
        big_sigma0 = ops.xor3(ops.rotr(a, 2), ops.rotr(a, 13), ops.rotr(a, 22))
        t1 = ops.add(h, ops.constant(K[index]), word, big_sigma1, ops.ch(e, f, g))
        t2 = ops.add(big_sigma0, ops.maj(a, b, c))
        a, b, c, d, e, f, g, h = ops.add(t1, t2), a, b, c, ops.add(d, t1), e, f, g
        yield a, b, c, d, e, f, g, h


def compress(ops: Operations[Word], state: Sequence[Word], block: Sequence[Word]) -> tuple[Word, ...]:
    """Return the state after one block of 16 words."""
    *_, last = rounds(ops, state, schedule(ops, block))
    return tuple(ops.add(before, after) for before, after in zip(state, last, strict=True))


def tail_block(ops: Operations[Word], tail: Sequence[Word], nonce_word: Word) -> list[Word]:
    """Return the second block of the first hash: three tail words, the word of the nonce and the padding."""
    padding = [0x80000000, *[0] * 10, 80 * 8]
    return [*tail, nonce_word, *map(ops.constant, padding)]


def digest_block(ops: Operations[Word], digest: Sequence[Word]) -> list[Word]:
    """Return the only block of the second hash: the eight words of the first hash and the padding."""
    padding = [0x80000000, *[0] * 6, 32 * 8]
    return [*digest, *map(ops.constant, padding)]


def sha256d_tail(
    ops: Operations[Word], midstate: Sequence[Word], tail: Sequence[Word], nonce_word: Word
) -> tuple[Word, ...]:
    """Return the double SHA-256 of a header.

    Parameters
    ----------
    ops
        The operations on words.
    midstate
        State after the header's first 64 bytes, eight words.
    tail
        Words 16 to 18 of the header: end of the merkle root, time, nbits.
    nonce_word
        Word 19 of the header.

    Returns
    -------
    Eight words.
    """
    initial = [ops.constant(value) for value in INITIAL_STATE]
    digest = compress(ops, midstate, tail_block(ops, tail, nonce_word))
    return compress(ops, initial, digest_block(ops, digest))
