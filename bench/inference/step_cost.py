"""The time of one step as plain numbers: tables by tokens, and a price for each token, context and pair."""

import math
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from bench.inference.batching import Columns, StepTrace

Array = NDArray[np.float64]


def mixed_tokens(columns: Columns, step_tokens: int, padding: "Padding | None") -> NDArray[np.int64]:
    """Return the tokens of steps, where every copy of attention is padded to the one that reads most of the prompts.

    The copy with the most of n prompts has about the mean and sqrt(2 ln(copies)) standard deviations; at least one.
    No copy reads more than its token budget.
    """
    prompt = columns.prompt
    if padding is not None:
        begun = np.maximum(1, columns.outputs - columns.decoding)
        factor = np.minimum(padding.copies, 1.0 + np.sqrt(padding.squared / begun))
        prompt = np.maximum(prompt, np.minimum(prompt * factor, padding.most_tokens).astype(np.int64))
    tokens: NDArray[np.int64] = step_tokens * columns.decoding + prompt
    return tokens


@dataclass(frozen=True, slots=True)
class Padding:
    """The rule of an engine that pads all copies of attention to the one that reads most tokens of prompts."""

    copies: int
    most_tokens: int  # of prompts that all copies together read in a step at most

    @property
    def squared(self) -> float:
        """Square of the excess of the copy with the most over the mean, for one prompt."""
        return 2.0 * math.log(self.copies) * self.copies


@dataclass(frozen=True, slots=True)
class StepCost:
    """The cost of a step on one setup, from which the time of any step follows without the model.

    A table has one entry for each whole number from 0. It is filled at the numbers that it was made for, and not a
    number elsewhere.
    """

    mixed_s: Array  # [s] products, activations, kernel starts and all-reduces of a step with prompts, by its tokens
    decode_s: Array  # [s] the same of a step without prompts, by its sequences, after padding to the sizes of graphs
    head_s: Array  # [s] output head and logits, by the sequences that need it
    context_s: float  # [s] for each token that decoding sequences have in the caches of layers that see all of it
    windowed_s: float  # [s] the same in the layers with a window, for each token within it
    window: int | None  # [token] reach of those layers
    sequence_s: float  # [s] for each decoding sequence
    pair_s: float  # [s] for each query-key pair of the prompts in layers that see all of it
    windowed_pair_s: float  # [s] the same in the layers with a window, for each pair within it
    host_step_s: float  # [s] of the host for a step
    host_sequence_s: float  # [s] of the host for each sequence that gets a token
    host_overlaps: bool  # whether the host works while the device computes, or before it
    step_tokens: int = 1  # tokens that a step computes for each decoding sequence, above 1 with drafts
    padding: Padding | None = None  # of copies of attention, or None if each computes its own tokens

    def scaled(self, factor: float) -> "StepCost":
        """Return the cost of steps that take `factor` times as long."""
        times = {field.name: getattr(self, field.name) * factor for field in fields(self) if field.name.endswith("_s")}
        return replace(self, **times)

    def seconds(self, trace: StepTrace) -> Array:
        """Return the time of one step for each entry of a trace [s]."""
        return self.with_host(self.device_seconds(trace), trace)

    def with_host(self, device_s: Array, trace: StepTrace) -> Array:
        """Return the time of one step for each entry of a trace [s] from that of the device."""
        host = self.host_step_s + self.host_sequence_s * trace.columns().outputs
        return np.maximum(device_s, host) if self.host_overlaps else device_s + host

    def device_seconds(self, trace: StepTrace) -> Array:
        """Return the time of the device in one step for each entry of a trace [s]."""
        columns = trace.columns()
        decoding, prompt, outputs = columns.decoding, columns.prompt, columns.outputs
        context, pairs = columns.context, columns.prompt_pairs
        reads = prompt > 0
        device: Array = np.where(
            reads,
            self.mixed_s[np.where(reads, mixed_tokens(columns, self.step_tokens, self.padding), 0)],
            self.decode_s[np.where(reads, 0, decoding)],
        )
        device = device + self.head_s[outputs] + self.context_s * context + self.pair_s * pairs
        device = device + self.sequence_s * decoding
        if self.window is not None:
            # the tokens of a prompt do not decode, so the mean context is over decoding sequences
            device = device + self.windowed_s * np.minimum(context, decoding * float(self.window))
            device = device + self.windowed_pair_s * np.minimum(pairs, prompt * float(self.window))
        return device
