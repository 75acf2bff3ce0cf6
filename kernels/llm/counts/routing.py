"""How a router spreads tokens over the experts of a layer, if routing is even and random."""

from kernels.llm.shapes import ModelShape


def expected_experts(shape: ModelShape, tokens: int) -> float:
    """Return the expected number of experts of a layer that some tokens use, if routing is even and random."""
    if not shape.is_moe:
        return 1.0
    return shape.experts * (1.0 - (1.0 - shape.active_experts / shape.experts) ** tokens)
