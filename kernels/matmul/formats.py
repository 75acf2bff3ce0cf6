"""The number formats of matrix products on NVIDIA GPUs: properties, random operands, encoding and decoding.

The products are D = A Bᵀ, row-major, with A of shape [m, k] and B of shape [n, k]: the layout `nt` of a decoder's
layers, whose weights are stored as [output, input].

References
----------
OCP 8-bit Floating Point Specification 1.0 (e4m3). OCP Microscaling Formats 1.0 (e2m1).
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kernels.errors import KernelInputError

Codes = npt.NDArray[np.uint8] | npt.NDArray[np.uint16] | npt.NDArray[np.uint32]
Reals = npt.NDArray[np.float64]

TABLE = 1 << 16
"""Length of the table of random codes that operands are drawn from."""


@dataclass(frozen=True)
class Format:
    """A kind of product: the formats of its operands and its result, and the rounding of its sums."""

    name: str
    bits: int  # of an operand in memory
    scale: float  # number that a stored value is multiplied by
    out: str  # format of the product: fp32, fp16, bf16 or int32
    out_unit: float  # largest relative error of rounding to `out`; 0 if exact
    sum_unit: float  # largest error of one addition in the accumulator, relative to the larger operand
    block: int  # products that the hardware adds before it rounds
    peak: str  # name of the dense peak in hardware profiles
    oldest: tuple[int, int]  # compute capability that it needs

    @property
    def bytes_per_operand(self) -> float:
        """Size of an operand [byte]."""
        return self.bits / 8

    @property
    def out_bytes(self) -> int:
        """Size of an entry of the product [byte]."""
        return 2 if self.out in {"fp16", "bf16"} else 4


# The accumulator of fp32 rounds to nearest on the FMA units. Tensor cores truncate after 23 bits for tf32, fp16 and
# bf16, and after 13 for fp8 on sm_90; fp4 is assumed to be like fp8.
FORMATS = {
    form.name: form
    for form in (
        Format("fp32", 32, 1.0, "fp32", 2.0**-24, 2.0**-24, 1, "fp32", (7, 5)),
        Format("tf32", 32, 1.0, "fp32", 2.0**-24, 2.0**-23, 8, "tf32", (8, 0)),
        Format("fp16", 16, 1.0, "fp16", 2.0**-11, 2.0**-23, 16, "fp16", (7, 5)),
        Format("bf16", 16, 1.0, "bf16", 2.0**-8, 2.0**-23, 16, "bf16", (8, 0)),
        Format("int8", 8, 1.0, "int32", 0.0, 0.0, 32, "int8", (8, 0)),
        Format("fp8", 8, 1.0 / 448.0, "bf16", 2.0**-8, 2.0**-13, 32, "fp8", (8, 9)),
        Format("fp4", 4, 1.0, "bf16", 2.0**-8, 2.0**-13, 64, "fp4", (10, 0)),
    )
}


def get_format(name: str) -> Format:
    """Return a format by name.

    Raises
    ------
    KernelInputError
        No format has this name.
    """
    if name not in FORMATS:
        raise KernelInputError(f"dtype: expected one of {', '.join(FORMATS)}, got {name!r}")
    return FORMATS[name]


def check_shape(form: Format, m: int, n: int, k: int) -> None:
    """Check that the lengths of a product suit a format.

    Raises
    ------
    KernelInputError
        A length is below 1, or not a multiple of the format's alignment to 16 bytes.
    """
    for name, length in (("m", m), ("n", n), ("k", k)):
        step = 1 if form.name in {"fp32", "tf32"} else 32 if form.name == "fp4" else 16
        if length < 1 or length % step:
            expected = "at least 1" if step == 1 else f"a positive multiple of {step} for {form.name}"
            raise KernelInputError(f"{name}: expected {expected}, got {length}")


def value_table(form: Format, seed: int = 0) -> Codes:
    """Return random codes of a format, shape [TABLE].

    The values are uniform in -1 to 1, for int8 in -127 to 127. For fp4 a byte holds two values, uniform in -6 to 6.
    """
    generator = np.random.default_rng(seed)
    if form.name == "int8":
        return generator.integers(-127, 128, TABLE, dtype=np.int8).view(np.uint8)
    if form.name == "fp4":
        pairs = encode(form, generator.uniform(-6, 6, (TABLE, 2)))
        return (pairs[:, 0] | pairs[:, 1] << 4).astype(np.uint8)
    return encode(form, generator.uniform(-1, 1, TABLE))


def encode(form: Format, values: npt.ArrayLike) -> Codes:
    """Return the codes of real values, rounded to nearest with ties to even; fp4 has one value a byte."""
    real = np.asarray(values, dtype=np.float64) / form.scale
    if form.name in {"fp32", "tf32"}:
        words = real.astype(np.float32).view(np.uint32)
        return _round_bits(words, 13) if form.name == "tf32" else words
    if form.name == "fp16":
        return real.astype(np.float16).view(np.uint16)
    if form.name == "bf16":
        return (_round_bits(real.astype(np.float32).view(np.uint32), 16) >> 16).astype(np.uint16)
    if form.name == "int8":
        return np.clip(np.rint(real), -127, 127).astype(np.int8).view(np.uint8)
    return _nearest(_E4M3 if form.name == "fp8" else _E2M1, real)


def decode(form: Format, codes: npt.ArrayLike) -> Reals:
    """Return the numbers of codes; for fp4 both values of each byte, the low one first."""
    raw = np.asarray(codes)
    if form.name in {"fp32", "tf32"}:
        real = raw.astype(np.uint32).view(np.float32)
    elif form.name == "fp16":
        real = raw.astype(np.uint16).view(np.float16)
    elif form.name == "bf16":
        real = (raw.astype(np.uint32) << 16).view(np.float32)
    elif form.name == "int8":
        real = raw.astype(np.uint8).view(np.int8)
    elif form.name == "fp8":
        magnitude = _E4M3[raw & 0x7F]
        real = np.where(raw & 0x80, -magnitude, magnitude)
    else:
        halves = np.stack([raw & 0xF, raw >> 4], axis=-1).reshape(*raw.shape[:-1], -1)
        magnitude = _E2M1[halves & 0x7]
        real = np.where(halves & 0x8, -magnitude, magnitude)
    return real.astype(np.float64) * form.scale


def decode_product(form: Format, entries: npt.NDArray[np.generic]) -> Reals:
    """Return the entries of a product, which are codes of the format `out`, as float64."""
    if form.out == "int32":
        return entries.view(np.int32).astype(np.float64)
    return decode(FORMATS[form.out], entries.view(np.uint16 if form.out_bytes == 2 else np.uint32))


def _round_bits(words: npt.NDArray[np.uint32], drop: int) -> npt.NDArray[np.uint32]:
    """Return float32 codes rounded to nearest even, with their lowest `drop` bits zero."""
    half = np.uint32((1 << (drop - 1)) - 1)
    odd = (words >> np.uint32(drop)) & np.uint32(1)
    return (words + half + odd) & np.uint32(0xFFFFFFFF << drop & 0xFFFFFFFF)


def _magnitudes(exponent_bits: int, mantissa_bits: int, bias: int) -> Reals:
    values = []
    for code in range(1 << (exponent_bits + mantissa_bits)):
        exponent, mantissa = code >> mantissa_bits, code & ((1 << mantissa_bits) - 1)
        fraction = mantissa / (1 << mantissa_bits)
        values.append(fraction * 2.0 ** (1 - bias) if exponent == 0 else (1 + fraction) * 2.0 ** (exponent - bias))
    return np.array(values)


_E4M3 = np.append(_magnitudes(4, 3, 7)[:127], np.nan)  # the last code, 0x7f, is not a number
_E2M1 = _magnitudes(2, 1, 1)


def _nearest(magnitudes: Reals, real: Reals) -> npt.NDArray[np.uint8]:
    """Return sign and index of the nearest magnitude, with ties to the even index; larger values get the largest."""
    finite = magnitudes[np.isfinite(magnitudes)]
    size = np.abs(real)
    above = np.clip(np.searchsorted(finite, size), 1, len(finite) - 1)
    low, high = finite[above - 1], finite[above]
    up = (size - low > high - size) | ((size - low == high - size) & (above % 2 == 0))
    index = np.where(up, above, above - 1)
    sign_bit = 1 << int(math.log2(len(magnitudes)))
    return (index | np.where(np.signbit(real), sign_bit, 0)).astype(np.uint8)
