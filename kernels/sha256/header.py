"""The 80-byte block header: its fields, its compact target, and the midstate and tail that a scan starts from."""

import struct
from dataclasses import dataclass
from typing import Self

from kernels.errors import KernelInputError
from kernels.sha256.description import INITIAL_STATE
from kernels.sha256.reference import compress

HEADER_BYTES = 80
DIFFICULTY_1_TARGET = 0xFFFF << 208
MAX_TARGET = (1 << 256) - 1
NONCES = 1 << 32
VERSION_MASK = 0x1FFFE000  # the bits of the version that a miner may change (BIP 320)

_LAYOUT = struct.Struct("<I32s32sIII")


@dataclass(frozen=True)
class Header:
    """The fields of a block header."""

    version: int  # bit field of the block version
    previous_hash: bytes  # 32 bytes in header order, the reverse of the printed order
    merkle_root: bytes  # likewise
    time_s: int  # [s] Unix time
    nbits: int  # compact form of the target
    nonce: int  # 32 bits that a miner varies

    @classmethod
    def unpack(cls, header80: bytes) -> Self:
        """Return the fields of a header of 80 bytes.

        Raises
        ------
        KernelInputError
            The header is not 80 bytes.
        """
        return cls(*_LAYOUT.unpack(check_header(header80)))

    def pack(self) -> bytes:
        """Return the header as 80 bytes.

        Raises
        ------
        KernelInputError
            A hash is not 32 bytes, or a field does not fit 32 bits.
        """
        for name in ("previous_hash", "merkle_root"):
            value = getattr(self, name)
            if len(value) != 32:
                raise KernelInputError(f"header: {name}: expected 32 bytes, got {len(value)}")
        for name in ("version", "time_s", "nbits", "nonce"):
            value = getattr(self, name)
            if not 0 <= value < NONCES:
                raise KernelInputError(f"header: {name}: expected 0 to 2^32 - 1, got {value}")
        return _LAYOUT.pack(self.version, self.previous_hash, self.merkle_root, self.time_s, self.nbits, self.nonce)


def check_header(header80: bytes) -> bytes:
    """Return the header unchanged.

    Raises
    ------
    KernelInputError
        The header is not 80 bytes.
    """
    if not isinstance(header80, bytes | bytearray | memoryview):
        raise KernelInputError(f"header: expected {HEADER_BYTES} bytes, got a value of type {type(header80).__name__}")
    if len(header80) != HEADER_BYTES:
        raise KernelInputError(f"header: expected {HEADER_BYTES} bytes, got {len(header80)}")
    return bytes(header80)


def with_nonce(header80: bytes, nonce: int) -> bytes:
    """Return the header with another nonce (taken modulo 2^32)."""
    return check_header(header80)[:76] + (nonce % NONCES).to_bytes(4, "little")


def with_version(header80: bytes, version: int) -> bytes:
    """Return the header with another version.

    Raises
    ------
    KernelInputError
        The header is not 80 bytes or the version does not fit 32 bits.
    """
    if not 0 <= version < NONCES:
        raise KernelInputError(f"version: expected 0 to 2^32 - 1, got {version}")
    return version.to_bytes(4, "little") + check_header(header80)[4:]


def rolled_versions(version: int, count: int, first: int = 0) -> list[int]:
    """Return versions that differ from a version in the bits that a miner may change.

    Parameters
    ----------
    version
        A version; its other bits are kept.
    count
        Number of versions.
    first
        Value of the bits in the first version; they count up and continue at 0 past 2^16.

    References
    ----------
    BIP 320: bits 13 to 28.
    """
    return [version & ~VERSION_MASK | (first + index << 13) & VERSION_MASK for index in range(count)]


def versions_around(version: int, index: int, count: int) -> list[int]:
    """Return rolled versions, the version itself at an index."""
    own = (version & VERSION_MASK) // (VERSION_MASK & -VERSION_MASK)
    return rolled_versions(version, count, own - index)


def nbits_to_target(nbits: int) -> int:
    """Return the target of a compact form: mantissa * 256^(exponent - 3).

    Raises
    ------
    KernelInputError
        The sign bit is set, the mantissa is zero, or the target exceeds 256 bits.
    """
    if not 0 <= nbits < NONCES:
        raise KernelInputError(f"nbits: expected 0 to 0xffffffff, got {nbits:#x}")
    exponent, mantissa = nbits >> 24, nbits & 0x7FFFFF
    if nbits & 0x800000:
        raise KernelInputError(f"nbits: expected a positive target, got {nbits:#010x} with its sign bit set")
    target = mantissa << 8 * (exponent - 3) if exponent >= 3 else mantissa >> 8 * (3 - exponent)
    if not 0 < target <= MAX_TARGET:
        size = "zero" if target == 0 else "above 2^256 - 1"
        raise KernelInputError(f"nbits: expected a target of 1 to 2^256 - 1, got {nbits:#010x}, which is {size}")
    return target


def target_to_nbits(target: int) -> int:
    """Return the compact form of a target, truncated as the protocol does.

    Raises
    ------
    KernelInputError
        The target is not within 1 to 2^256 - 1.
    """
    check_target(target)
    size = (target.bit_length() + 7) // 8
    mantissa = target >> 8 * (size - 3) if size > 3 else target << 8 * (3 - size)
    if mantissa & 0x800000:  # the sign bit must stay clear
        mantissa, size = mantissa >> 8, size + 1
    return size << 24 | mantissa


def check_target(target: int) -> int:
    """Return the target unchanged.

    Raises
    ------
    KernelInputError
        The target is not within 1 to 2^256 - 1.
    """
    if not isinstance(target, int) or not 1 <= target <= MAX_TARGET:
        got = hex(target) if isinstance(target, int) else repr(target)
        raise KernelInputError(f"target: expected 1 to 2^256 - 1 (the maximum), got {got}")
    return target


def difficulty(target: int) -> float:
    """Return the difficulty of a target: the target of difficulty 1, 0xffff * 2^208, divided by it."""
    return DIFFICULTY_1_TARGET / check_target(target)


def midstate(header80: bytes) -> tuple[int, ...]:
    """Return the state after the header's first 64 bytes, eight words; all nonces of a job share it."""
    return compress(INITIAL_STATE, check_header(header80)[:64])


def tail(header80: bytes) -> tuple[int, ...]:
    """Return the header's last 16 bytes as four big-endian words: end of the merkle root, time, nbits, nonce."""
    return struct.unpack(">4I", check_header(header80)[64:])
