"""Matrix products on NVIDIA GPUs: number formats, random operands, and how far from float64 a right answer may lie.

D = A Bᵀ, row-major, A of shape (m, k), B of shape (n, k): the layout `nt` of a decoder's layers, whose weights are
stored output by input. Pure NumPy; the products are in matmul_cuda_lt, matmul_cuda_cupy and matmul_cuda_numba.

References
----------
N. Higham and T. Mary, "A new approach to probabilistic rounding error analysis", SIAM J. Sci. Comput. 41 (2019).
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
"""Random values of which operands are drawn."""

SIGMAS = 5.0
"""How many standard deviations of a random walk the bound allows; an entry passes it by chance once in 10^6."""


@dataclass(frozen=True)
class Format:
    """One kind of product: what the operands are, what comes out, how sums are rounded.

    Attributes
    ----------
    bits
        Bits an operand takes in memory.
    scale
        What a stored value is multiplied by to give the number it stands for.
    out
        Format of the product: `fp32`, `fp16`, `bf16` or `int32`.
    out_unit
        Largest relative error of rounding to `out`; 0 where it is exact.
    sum_unit
        Largest error of one addition in the accumulator, relative to the larger operand.
    block
        Products that the hardware adds at a time before it rounds.
    peak
        Key of the dense peak in hardware profiles.
    oldest
        Compute capability that it needs.
    """

    name: str
    bits: int
    scale: float
    out: str
    out_unit: float
    sum_unit: float
    block: int
    peak: str
    oldest: tuple[int, int]

    @property
    def bytes_per_operand(self) -> float:
        """Bytes that an operand takes."""
        return self.bits / 8

    @property
    def out_bytes(self) -> int:
        """Bytes that an entry of the product takes."""
        return 2 if self.out in {"fp16", "bf16"} else 4


# The accumulator: fp32 rounds to nearest on the FMA units; tensor cores cut off after 23 bits for tf32, fp16 and bf16,
# after 13 for fp8 on sm_90; fp4 is stated as fp8 is.
FORMATS = {
    one.name: one
    for one in (
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
        There is none.
    """
    if name not in FORMATS:
        raise KernelInputError(f"dtype: expected one of {', '.join(FORMATS)}, got {name!r}")
    return FORMATS[name]


def check_shape(form: Format, m: int, n: int, k: int) -> None:
    """Refuse shapes that the tensor cores' formats cannot take.

    Raises
    ------
    KernelInputError
        A length is below 1, or not a multiple of what the format's alignment to 16 bytes asks for.
    """
    for name, length in (("m", m), ("n", n), ("k", k)):
        step = 1 if form.name in {"fp32", "tf32"} else 32 if form.name == "fp4" else 16
        if length < 1 or length % step:
            what = "at least 1" if step == 1 else f"a positive multiple of {step} for {form.name}"
            raise KernelInputError(f"{name}: expected {what}, got {length}")


def flop(m: int, n: int, k: int) -> int:
    """Return the operations of a product: one multiplication and one addition each."""
    return 2 * m * n * k


def moved_bytes(form: Format, m: int, n: int, k: int) -> float:
    """Return the fewest bytes that a product moves: each operand read once, the result written once."""
    return (m * k + n * k) * form.bytes_per_operand + m * n * form.out_bytes


def value_table(form: Format, seed: int = 0) -> Codes:
    """Return TABLE codes of values drawn uniformly from the format's working range, never all zeros.

    The range is -1 to 1 before scaling; int8 takes -127 to 127, fp4 two values a byte from -6 to 6.
    """
    generator = np.random.default_rng(seed)
    if form.name == "int8":
        return generator.integers(-127, 128, TABLE, dtype=np.int8).view(np.uint8)
    if form.name == "fp4":
        pairs = encode(form, generator.uniform(-6, 6, (TABLE, 2)))
        return (pairs[:, 0] | pairs[:, 1] << 4).astype(np.uint8)
    return encode(form, generator.uniform(-1, 1, TABLE))


def encode(form: Format, values: npt.ArrayLike) -> Codes:
    """Return the codes of real values, rounded to nearest, ties to even; fp4 gives one value a byte."""
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
    """Return the numbers that codes stand for; of fp4 both values of each byte, the low one first."""
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
    """Return the entries of a product, read as raw codes of its `out` format, as float64."""
    if form.out == "int32":
        return entries.view(np.int32).astype(np.float64)
    return decode(FORMATS[form.out], entries.view(np.uint16 if form.out_bytes == 2 else np.uint32))


@dataclass(frozen=True)
class Bound:
    """What one entry may be off by, and what it should be."""

    reference: Reals
    allowed: Reals


def bound(form: Format, rows_a: Reals, rows_b: Reals) -> Bound:
    """Return the float64 dot products of paired rows (samples, k) and the error that each is allowed.

    |error| ≤ u_out |ref| + u_sum λ ‖a∘b‖ (s + λ √(k + s)), with s = k / block additions into the accumulator, ‖a∘b‖ the
    root of the sum of squared products, which bounds a random walk's partial sums by λ ‖a∘b‖. The term s is for an
    accumulator that always cuts off, the root for what is cut off of single products. It holds for independent operands
    of mean zero, as ours are, but for one entry in 10^6; int8 is exact.
    """
    products = rows_a * rows_b
    reference = np.array([math.fsum(row) for row in products])
    norm = np.sqrt(np.square(products).sum(axis=1))
    k = products.shape[1]
    sums = math.ceil(k / form.block)
    allowed = form.out_unit * np.abs(reference)
    allowed = allowed + (1 + form.out_unit) * form.sum_unit * SIGMAS * norm * (sums + SIGMAS * math.sqrt(k + sums))
    return Bound(reference, allowed)


def relative_limit(form: Format, k: int) -> float:
    """Return what ‖error‖ / ‖reference‖ of many entries may be: u_out + u_sum (s / 2 + √(k + s)).

    An accumulator that cuts off loses half a unit an addition on average, and single products' losses add as a walk;
    much narrower than what one entry is allowed, so that a few wrong products in a long sum are seen.
    """
    sums = math.ceil(k / form.block)
    return form.out_unit + form.sum_unit * (sums / 2 + math.sqrt(k + sums))


@dataclass(frozen=True)
class ProductCheck:
    """The worst sampled entry as a fraction of what it may be off by, and all of them together by norm.

    Formats that are exact have a fraction of 0 or infinity.
    """

    worst_frac_of_bound: float
    relative_error: float
    relative_limit: float
    sampled: int

    @property
    def passed(self) -> bool:
        """Whether every sampled entry lies within its bound, and their error's norm within its limit."""
        return self.worst_frac_of_bound <= 1.0 and self.relative_error <= self.relative_limit


def check_entries(form: Format, rows_a: Reals, rows_b: Reals, entries: Reals) -> ProductCheck:
    """Compare entries of a product with the float64 dot products of their rows.

    Parameters
    ----------
    rows_a, rows_b
        float64[samples, k], the operands of each entry.
    entries
        float64[samples], what the device gave.
    """
    stated = bound(form, rows_a, rows_b)
    error = np.abs(entries - stated.reference)
    with np.errstate(divide="ignore", invalid="ignore"):
        fractions = np.where(error == 0.0, 0.0, error / stated.allowed)
    fractions = np.where(np.isfinite(entries), fractions, np.inf)
    size = float(np.sqrt(np.square(stated.reference).sum())) or 1.0
    relative = float(np.sqrt(np.square(error).sum())) / size
    worst = float(np.nan_to_num(fractions, nan=np.inf).max())
    return ProductCheck(worst, relative, relative_limit(form, rows_a.shape[1]), len(entries))


def _round_bits(words: npt.NDArray[np.uint32], drop: int) -> npt.NDArray[np.uint32]:
    """Return float32 codes rounded to nearest even with their lowest `drop` bits zero."""
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


_E4M3 = _magnitudes(4, 3, 7)[:127]  # the last code, 0x7f, is not a number
_E4M3 = np.append(_E4M3, np.nan)
_E2M1 = _magnitudes(2, 1, 1)


def _nearest(magnitudes: Reals, real: Reals) -> npt.NDArray[np.uint8]:
    """Return sign and index of the nearest magnitude, ties to the even index, beyond the largest the largest."""
    finite = magnitudes[np.isfinite(magnitudes)]
    size = np.abs(real)
    above = np.clip(np.searchsorted(finite, size), 1, len(finite) - 1)
    low, high = finite[above - 1], finite[above]
    up = (size - low > high - size) | ((size - low == high - size) & (above % 2 == 0))
    index = np.where(up, above, above - 1)
    sign_bit = 1 << int(math.log2(len(magnitudes)))
    return (index | np.where(np.signbit(real), sign_bit, 0)).astype(np.uint8)
