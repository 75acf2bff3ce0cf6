"""The variants of the nonce scan on a GPU: how each one writes its operations in CUDA C."""

from dataclasses import dataclass
from fractions import Fraction

from kernels.errors import KernelInputError


@dataclass(frozen=True)
class TextVariant:
    """A variant of the generated text: how it writes additions, right shifts and rotates in C."""

    name: str
    summary: str
    # Body of the macro for x + y. ONE becomes one of two numbers that the host sets to one: sums with an early word use
    # the first, sums of two late words the second. With one register for both, the operands meet in its bank.
    add: str
    shr: str  # body of the macro for a right shift of x by n
    products_frac: Fraction = Fraction(0)  # share of the separate rotates written as both halves of a product
    # Likewise in the hashes of several versions, whose schedule moves no rotate; None without a scan of several.
    rolled_products_frac: Fraction | None = None
    # Whether the first rotate of Σ0 and Σ1 moves to their end, where it is one instruction with the next addition:
    # ROTR(w, 2) ^ ROTR(w, 13) ^ ROTR(w, 22) = ROTR(w ^ ROTR(w, 11) ^ ROTR(w, 20), 2).
    folded: bool = False

    @property
    def shifts_by_products(self) -> bool:
        """Whether right shifts are products with powers of two."""
        return "power" in self.shr


TEXT_VARIANTS = {
    variant.name: variant
    for variant in (
        TextVariant(
            "plain",
            "additions as additions, shifts as shifts",
            "((x) + (y))",
            "((x) >> (n))",
            rolled_products_frac=Fraction(0),
        ),
        TextVariant(
            "imad",
            "each addition as a multiply-add by a run-time one, on the FMA pipe",
            "((x) * ONE + (y))",
            "((x) >> (n))",
        ),
        TextVariant(
            "imad_shift",
            "additions as in imad, right shifts as the high half of a product",
            "((x) * ONE + (y))",
            "__umulhi((x), power##n)",
        ),
        TextVariant(
            "imad_rotate",
            "as imad_shift, and one rotate in 14 as both halves of a product: the two pipes in balance",
            "((x) * ONE + (y))",
            "__umulhi((x), power##n)",
            Fraction(1, 14),
            Fraction(1, 10),
        ),
        TextVariant(
            "imad_lea",
            "as imad_shift, and the last rotate of each big sigma in one instruction with the addition that follows",
            "((x) * ONE + (y))",
            "__umulhi((x), power##n)",
            rolled_products_frac=Fraction(0),
            folded=True,
        ),
        TextVariant(
            "imad_lea_rotate",
            "as imad_lea, and one in 6 of the other rotates as both halves of a product: the two pipes in balance",
            "((x) * ONE + (y))",
            "__umulhi((x), power##n)",
            Fraction(1, 6),
            Fraction(3, 13),
            folded=True,
        ),
        TextVariant(
            "imad_lea_rotate2",
            "as imad_lea, and 2 in 7 of the other rotates: in balance where a high half takes one slot, not two",
            "((x) * ONE + (y))",
            "__umulhi((x), power##n)",
            Fraction(2, 7),
            Fraction(3, 8),
            folded=True,
        ),
    )
}

ROLLED_VARIANTS = tuple(name for name, text in TEXT_VARIANTS.items() if text.rolled_products_frac is not None)
"""Variants that scan several versions of a header with one message schedule."""


@dataclass(frozen=True)
class CudaVariant:
    """A variant of the GPU scan, as the command line and results name it."""

    name: str
    summary: str


VARIANTS = (
    *(CudaVariant(text.name, text.summary) for text in TEXT_VARIANTS.values()),
    CudaVariant("numba", "the readable numba.cuda kernel, as a baseline"),
)
BY_NAME = {variant.name: variant for variant in VARIANTS}


def find(name: str) -> CudaVariant:
    """Return the variant of this name.

    Raises
    ------
    KernelInputError
        No variant has this name.
    """
    if name not in BY_NAME:
        raise KernelInputError(f"variant: expected one of {', '.join(BY_NAME)}, got {name!r}")
    return BY_NAME[name]


def find_rolled(name: str) -> CudaVariant:
    """Return the variant of this name, which scans several versions.

    Raises
    ------
    KernelInputError
        No such variant scans several versions.
    """
    if name not in ROLLED_VARIANTS:
        expected = f"expected one that scans several versions ({', '.join(ROLLED_VARIANTS)})"
        raise KernelInputError(f"variant: {expected}, got {name!r}")
    return BY_NAME[name]
