"""The time of each step on a device, from its terms: products, attention, kernel starts, collectives and the host."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.inference.batching import Limits, StepTrace
from bench.inference.serving import Setup
from bench.inference.step_cost import Padding, StepCost, mixed_tokens
from bench.inference.terms.constants import Constants
from bench.inference.terms.fixed import collectives_seconds, decode_pieces_seconds, mixed_seconds, starts_seconds
from bench.inference.terms.products import draft_seconds, head_seconds, plain_dtype, product_rate, tokens_seconds
from kernels.llm import counts

Array = NDArray[np.float64]


def step_seconds(
    setup: Setup, trace: StepTrace, most_batch: int, *, graphs: bool, constants: Constants | None = None
) -> Array:
    """Return the time of one step for each entry of a trace [s].

    Parameters
    ----------
    setup
        The model on its device.
    trace
        The steps.
    most_batch
        The engine's batch limit, up to which graphs pad.
    graphs
        Whether decoding batches are padded to the sizes of graphs.
    constants
        Constants other than the setup's own, while they are fitted.
    """
    return step_times(setup, trace, most_batch, graphs=graphs, constants=constants)[0]


def step_times(
    setup: Setup, trace: StepTrace, most_batch: int, *, graphs: bool, constants: Constants | None = None
) -> tuple[Array, Array]:
    """Return the time of one step for each entry of a trace, and that of the device without the host [s].

    The parameters are those of `step_seconds`.
    """
    columns = trace.columns()
    decoding, prompt = columns.decoding, columns.prompt
    mixed = mixed_tokens(columns, setup.step_tokens, _padding(setup))[prompt > 0]
    used = (np.unique(mixed), np.unique(decoding[prompt == 0]), np.unique(columns.outputs))
    cost = _cost(setup, most_batch, graphs, constants or setup.constants, used)
    device_s = cost.device_seconds(trace)
    return cost.with_host(device_s, trace), device_s


def step_cost(setup: Setup, limits: Limits, *, graphs: bool, constants: Constants | None = None) -> StepCost:
    """Return the cost of every step within the limits.

    Parameters
    ----------
    setup
        The model on its device.
    limits
        The largest batch, up to which graphs pad too, and the most tokens of a step.
    graphs
        Whether decoding batches are padded to the sizes of graphs.
    constants
        Constants other than the setup's own.

    Notes
    -----
    The device's time is the sum of its terms. A step without prompts is computed for the next larger batch that has a
    graph. The host handles the tokens of one step while the device computes the next, and a step takes the longer of
    both; or it works between the steps, and adds its time.
    """
    # a step can end the prompts of as many requests as the batch has free slots
    padded = limits.batch if _padding(setup) is not None else 0
    most_tokens = limits.tokens + setup.drafted * limits.batch + padded
    used = (np.arange(most_tokens + 1), np.arange(limits.batch + 1), np.arange(limits.batch + 1))
    return _cost(setup, limits.batch, graphs, constants or setup.constants, used)


def _cost(
    setup: Setup, most_batch: int, graphs: bool, constants: Constants, used: tuple[NDArray[Any], ...]
) -> StepCost:
    """Return the cost with its tables filled at some tokens, decoding sequences and outputs."""
    shape, device = setup.shape, setup.device
    mixed, decoding, outputs = (part.astype(float) for part in used)
    own = np.ceil(decoding / setup.data)  # of the copy of attention with the most
    padded = setup.data * setup.engine.padded(own, most_batch // setup.data) if graphs else decoding
    cache = device.bandwidth_byte_per_s * constants.cache_frac * setup.gpus
    plain_rate = product_rate(setup, constants, plain_dtype(setup)) * setup.gpus
    # heads over a latent cache compute more for each byte than others do
    near_s, context_s = (
        max(
            cached * setup.kind.kv * setup.kv_copies / cache,
            setup.step_tokens * counts.pair_flop(shape, decoding=True, windowed=windowed) / plain_rate,
        )
        for cached, windowed in ((shape.cached, True), (shape.cached_whole, False))
    )
    index_s = counts.index_bytes_per_token(shape) * setup.kv_copies / cache
    near_pair_s, pair_s = (
        counts.pair_flop(shape, decoding=False, windowed=windowed) / plain_rate for windowed in (True, False)
    )
    windowed = shape.windowed_layers if shape.window is not None else 0
    whole = shape.attention_blocks - windowed
    return StepCost(
        mixed_s=_table(used[0], _device_seconds(setup, constants, mixed) + mixed_seconds(setup, constants)),
        decode_s=_table(
            used[1],
            _device_seconds(setup, constants, setup.step_tokens * padded) + decode_pieces_seconds(setup, constants),
        ),
        head_s=_table(used[2], _output_seconds(setup, constants, outputs)),
        context_s=(whole + setup.drafted * shape.mtp_layers) * context_s + index_s,
        windowed_s=windowed * near_s,
        window=shape.window if windowed else None,
        sequence_s=2.0 * counts.state_bytes(shape, setup.kind) * constants.cache_frac / (cache * constants.state_frac),
        pair_s=whole * pair_s,
        windowed_pair_s=windowed * near_pair_s,
        host_step_s=constants.host_step_s,
        host_sequence_s=constants.host_sequence_s / setup.data,
        host_overlaps=constants.host_overlaps,
        step_tokens=setup.step_tokens,
        padding=_padding(setup),
    )


def _padding(setup: Setup) -> Padding | None:
    """Return the rule of padding of a setup's copies of attention, or None if they are not padded."""
    if setup.data == 1 or not setup.engine.pads_copies:
        return None
    return Padding(setup.data, setup.data * setup.engine.online_tokens)


def _output_seconds(setup: Setup, constants: Constants, outputs: Array) -> Array:
    """Return what the output head takes, and the layers that draft further tokens [s]."""
    head = head_seconds(setup, constants, setup.step_tokens * outputs)
    return head + draft_seconds(setup, constants, outputs)


def _table(places: NDArray[Any], seconds: Array) -> Array:
    table = np.full(int(places.max(initial=0)) + 1, np.nan)
    table[places] = seconds
    return table


def _device_seconds(setup: Setup, constants: Constants, tokens: Array) -> Array:
    """Return what depends on a step's tokens alone [s]."""
    fixed = starts_seconds(setup, constants) + collectives_seconds(setup, constants, tokens)
    return tokens_seconds(setup, constants, tokens) + fixed
