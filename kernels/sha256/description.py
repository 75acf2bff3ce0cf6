"""SHA-256 written once: message schedule and round over an abstract set of operations (FIPS 180-4, section 6.2).

Every kernel of this package executes or compiles this file and none has a round of its own. What a word is, the
operations decide: a Python integer (`sha256_ref`), or a node of a graph (`sha256_graph`) that becomes a count of
instructions, LLVM vectors, or the operands of a CPU's SHA instructions.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol, TypeVar

Word = TypeVar("Word")

WORD_MASK = 0xFFFFFFFF


class Operations(Protocol[Word]):
    """What SHA-256 asks of a machine of 32-bit words."""

    def constant(self, value: int) -> Word:
        """Return the word that holds `value`."""
        ...

    def add(self, *terms: Word) -> Word:
        """Return the sum modulo 2^32."""
        ...

    def rotr(self, word: Word, bits: int) -> Word:
        """Return the word rotated right."""
        ...

    def shr(self, word: Word, bits: int) -> Word:
        """Return the word shifted right, zeros entering."""
        ...

    def xor3(self, x: Word, y: Word, z: Word) -> Word:
        """Return x ^ y ^ z."""
        ...

    def ch(self, x: Word, y: Word, z: Word) -> Word:
        """Return y where x has ones, z elsewhere."""
        ...

    def maj(self, x: Word, y: Word, z: Word) -> Word:
        """Return the majority, bit by bit."""
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
    """Yield the state (a to h) after each round, from round `first` on, one round for each schedule word."""
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


def first_block(ops: Operations[Word], tail: Sequence[Word], nonce_word: Word) -> list[Word]:
    """Return the second half of a header as a padded block: three tail words, the nonce's word, the padding."""
    padding = [0x80000000, *[0] * 10, 80 * 8]
    return [*tail, nonce_word, *map(ops.constant, padding)]


def second_block(ops: Operations[Word], digest: Sequence[Word]) -> list[Word]:
    """Return a digest of eight words as the padded block of the second hash."""
    padding = [0x80000000, *[0] * 6, 32 * 8]
    return [*digest, *map(ops.constant, padding)]


def sha256d_tail(
    ops: Operations[Word], midstate: Sequence[Word], tail: Sequence[Word], nonce_word: Word
) -> tuple[Word, ...]:
    """Return the eight words of the double SHA-256 of a header whose first 64 bytes gave `midstate`."""
    initial = [ops.constant(value) for value in INITIAL_STATE]
    digest = compress(ops, midstate, first_block(ops, tail, nonce_word))
    return compress(ops, initial, second_block(ops, digest))
