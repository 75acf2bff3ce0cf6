"""Costs of a step that a test can calculate with."""

import numpy as np

from bench.inference.step_cost import StepCost

FREE = {
    "context_s": 0.0, "windowed_s": 0.0, "window": None, "sequence_s": 0.0, "pair_s": 0.0, "windowed_pair_s": 0.0,
    "host_step_s": 0.0, "host_sequence_s": 0.0, "host_overlaps": True,
}  # fmt: skip


def step_cost(mixed_s, decode_s, **prices):
    """Return a cost with two tables and a free output head; what is not named costs nothing."""
    mixed, decode = np.asarray(mixed_s, dtype=float), np.asarray(decode_s, dtype=float)
    tables = {"mixed_s": mixed, "decode_s": decode, "head_s": np.zeros(len(decode))}
    return StepCost(**{**FREE, **tables, **prices})


def constant(seconds, most_tokens, most_batch=1):
    """Return a cost where every step takes the same time."""
    return step_cost(np.full(most_tokens + 1, seconds), np.full(most_batch + 1, seconds))


def per_token(seconds, most_tokens):
    """Return a cost where a step takes a time for each prompt token, and decoding none."""
    return step_cost(seconds * np.arange(most_tokens + 1), np.zeros(2))
