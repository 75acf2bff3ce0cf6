"""The constants of one engine class on one device family, as the terms of a step use them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.inference.engine import Engine
    from bench.inference.terms.family import Family

BLACKWELL = "blackwell"


@dataclass(frozen=True, slots=True)
class Constants:
    """The constants of a step's time."""

    sustained_frac: dict[str, float]  # [-] rate of a large product over the dense peak, by dtype
    product_frac: float  # [-] rate of the engine's products over the sustained rate
    grouped_frac: dict[str, float]  # [-] rate of products of experts over the sustained 16-bit rate, by their format
    memory_frac: float  # [-] bandwidth over its peak, for weights
    blend: float  # exponent with which arithmetic and memory of a dense product add, from 1 (sum) up (longer of both)
    grouped_depth: float  # inner width of a tile of experts' products that takes as long as its start and end
    grouped_tile: float  # rows of a tile of experts' products whose operands take as long to load as to multiply
    all_experts: bool  # whether products of experts in fp8 run over all experts that a GPU holds and all rows
    grouped_memory_frac: float  # [-] bandwidth for experts over that for dense weights
    cache_frac: float  # [-] bandwidth over its peak, for keys and values
    layer_s: float  # [s] starts and ends of the kernels of two blocks
    expert_layer_s: float  # [s] in addition for routing, in a layer of experts
    latent_layer_s: float  # [s] in addition for latent attention, in one layer
    narrow_layer_s: float  # [s] in addition for two blocks whose activations are quantised
    mixed_layer_s: float  # [s] in addition for two blocks of a step that reads prompts
    recurrent_layer_s: float  # [s] in addition for one recurrent layer
    mixed_recurrent_layer_s: float  # [s] in addition for one recurrent layer of a step that reads prompts
    state_frac: float  # [-] bandwidth over its peak, for recurrent states
    gather_layer_s: float  # [s] in addition in a layer of experts that copies of attention share
    logit_bytes: float  # [byte] that a number of the logits moves through the memory of one GPU until a token is drawn
    routed_passes: float  # times that a row of an expert passes through memory in addition, until it is summed
    popularity: float  # [-] coefficient of variation of the popularity of experts
    link_frac: float  # [-] bandwidth of a collective operation over the link's
    link_latency_s: float  # [s] of a collective operation of a short message
    host_step_s: float  # [s] of the host for a step
    host_sequence_s: float  # [s] of the host for each sequence that gets a token
    host_overlaps: bool  # whether the host works while the device computes


def constants_of(engine: "Engine", family: "Family") -> Constants:
    """Return the constants of an engine class on a device family."""
    start_ratio = family.start_ratio * (engine.blackwell_start_ratio if family.name == BLACKWELL else 1.0)
    return Constants(
        sustained_frac=_sustained(family),
        product_frac=engine.product_frac,
        grouped_frac={
            "bf16": family.grouped_bf16,
            "fp8": family.grouped_fp8,
            "fp8-all": family.grouped_fp8_all,
            "fp4": family.grouped_fp4,
            "mxfp4": family.grouped_mxfp4,
        },
        grouped_depth=engine.grouped_depth,
        grouped_tile=engine.grouped_tile,
        all_experts=engine.all_experts,
        blend=engine.blend,
        memory_frac=family.memory_frac,
        grouped_memory_frac=engine.grouped_memory_frac,
        cache_frac=family.cache_frac,
        layer_s=engine.layer_overhead_s * start_ratio,
        expert_layer_s=engine.expert_layer_s * start_ratio,
        latent_layer_s=engine.latent_layer_s * start_ratio,
        narrow_layer_s=engine.narrow_layer_s * start_ratio,
        mixed_layer_s=engine.mixed_layer_s,
        recurrent_layer_s=engine.recurrent_layer_s * start_ratio,
        mixed_recurrent_layer_s=engine.mixed_recurrent_layer_s,
        state_frac=family.state_frac,
        gather_layer_s=engine.gather_layer_s,
        logit_bytes=engine.logit_bytes,
        routed_passes=engine.routed_passes,
        popularity=engine.popularity,
        link_frac=family.link_frac,
        link_latency_s=family.link_latency_s,
        host_step_s=engine.host_s_per_step,
        host_sequence_s=engine.host_s_per_sequence,
        host_overlaps=engine.host_overlaps,
    )


def _sustained(family: "Family") -> dict[str, float]:
    """Return the shares of the peak that large products sustain; those of 4 bits are fitted by themselves."""
    sustained = {dtype: frac * family.product_ratio for dtype, frac in family.sustained_frac.items()}
    return sustained | {"fp4": family.fp4_frac}
