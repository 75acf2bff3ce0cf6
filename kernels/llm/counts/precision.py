"""The size of a model's numbers by their role."""

from dataclasses import dataclass
from difflib import get_close_matches

from kernels.errors import KernelInputError
from kernels.llm.shapes import Matrix


@dataclass(frozen=True, slots=True)
class Precision:
    """The size of a number by its role, scales of block formats included."""

    name: str
    feed_forward: float  # [byte] a weight of the feed-forward block
    attention: float  # [byte] a weight of attention
    head: float  # [byte] a weight of the embedding and the output head
    kv: float  # [byte] a cached key or value
    activation: float  # [byte] an activation that enters a product
    compute: str  # peak of the matrix products, as hardware profiles name it


PRECISIONS = {
    precision.name: precision
    for precision in (
        Precision("fp32", 4, 4, 4, 4, 4, "fp32"),
        Precision("bf16", 2, 2, 2, 2, 2, "bf16"),
        Precision("fp16", 2, 2, 2, 2, 2, "fp16"),
        # checkpoints in fp8 keep embedding and head in bf16, and cache keys and values in fp8
        Precision("fp8", 1, 1, 2, 1, 1, "fp8"),
        # fp8 in the feed-forward blocks alone: the maker's own checkpoint of Llama 3.1 405B
        Precision("fp8-ffn", 1, 2, 2, 1, 1, "fp8"),
        # NVFP4: 4 bits and one fp8 scale a block of 16
        Precision("fp4", 0.5 + 1 / 16, 0.5 + 1 / 16, 2, 1, 0.5 + 1 / 16, "fp4"),
        # MXFP4 experts (4 bits and one 8-bit exponent a block of 32), the rest in bf16
        Precision("mxfp4", 0.5 + 1 / 32, 2, 2, 2, 2, "bf16"),
    )
}
_OTHER_NAMES = {"nvfp4": "fp4", "float32": "fp32", "f32": "fp32", "bfloat16": "bf16", "float16": "fp16",
                "e4m3": "fp8"}  # fmt: skip


def precision(name: str) -> Precision:
    """Return a precision by name (`fp8`, `NVFP4`).

    Raises
    ------
    KernelInputError
        The name is unknown; near names are listed.
    """
    folded = name.strip().casefold()
    folded = _OTHER_NAMES.get(folded, folded)
    if folded not in PRECISIONS:
        near = get_close_matches(folded, PRECISIONS, n=2)
        hint = f" (did you mean {', '.join(near)}?)" if near else ""
        raise KernelInputError(f"dtype: expected one of {', '.join(PRECISIONS)}, got {name!r}{hint}")
    return PRECISIONS[folded]


def weight_width(matrix: Matrix, kind: Precision) -> float:
    """Return the size of one weight of a matrix [byte]; a router, and what is not stored in fp4, is like the head."""
    if matrix.role == "router" or (kind.name == "fp4" and not matrix.fp4):
        return kind.head
    return kind.feed_forward if matrix.role == "feed_forward" else kind.attention


def product_dtype(matrix: Matrix, kind: Precision) -> str:
    """Return the format whose peak limits the product of a matrix: 16 bits if it is not stored in fp4."""
    return "bf16" if kind.name == "fp4" and not matrix.fp4 else kind.compute
