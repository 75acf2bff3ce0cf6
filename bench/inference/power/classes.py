"""The classes of models by which watts are modelled and judged."""

from dataclasses import dataclass

from kernels.llm.counts import Precision
from kernels.llm.shapes import ModelShape

WIDE = ("fp32", "bf16", "fp16")
"""Dtypes of products whose grouped kernels draw like other kernels."""
FULL = "vllm-mixture-fp8"
"""Mixtures in fp8 whose grouped kernels draw nearly the same at every batch: in vLLM, without latent attention."""
NOT_MODELLED = "chunked"
"""Attention in chunks, whose engines leave the GPU waiting: such rows are shown, not fitted."""


@dataclass(frozen=True, slots=True)
class Served:
    """What decides which kernels run."""

    shape: ModelShape
    kind: Precision
    engine: str  # of data/engines.toml

    @property
    def model_class(self) -> str:
        """Class by which the watts are judged."""
        if self.shape.chunked:
            return NOT_MODELLED
        if not self.shape.is_moe:
            return "dense"
        if self.kind.compute in WIDE:
            return "mixture"
        if self.kind.compute == "fp8" and self.engine.startswith("vllm") and self.shape.latent is None:
            return FULL
        return f"mixture-{self.kind.compute}"
