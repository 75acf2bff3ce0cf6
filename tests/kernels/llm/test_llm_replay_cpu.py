"""The CPU replay against the plain float64 reference, on small shapes of every build."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.errors import KernelInputError
from kernels.llm import reference
from kernels.llm.products_cpu import Products
from kernels.llm.replay import Replay
from kernels.llm.replay_cpu import CpuReplay
from kernels.llm.shapes import from_table, load
from kernels.llm.weights import random_weights

SOURCES = {"here": {"title": "a test", "address": "tests", "read": "2026-11-20", "printed": "-"}}


def small(**changes):
    table = {
        "title": "small", "layers": 3, "hidden": 24, "heads": 4, "kv_heads": 2, "head_size": 8, "ffn": 40,
        "vocabulary": 61, "context": 64, "rope_theta": 10000.0, "confidence": "two_sources", "sources": SOURCES,
        **changes,
    }  # fmt: skip
    kv_bytes = 2 * table["layers"] * table["kv_heads"] * table["head_size"] * 2
    return from_table({**table, "kv_bytes_per_token_bf16": kv_bytes}, "small", "here")


BUILDS = {
    "dense": small(),
    "one key head": small(kv_heads=1),
    "a key head each": small(kv_heads=4),
    "mixture": small(experts=6, active_experts=2),
    "query and key norms": small(qk_norm=True, norm_eps=1e-6),
    "biases, sinks, windows": small(
        attention_bias=True, ffn_bias=True, sinks=True, window=5, windowed_every=2, experts=4, active_experts=3
    ),
}


def agree(found, expected):
    scale = np.abs(expected).max()
    assert np.abs(found - expected).max() <= 2e-5 * scale


@pytest.mark.parametrize("build", BUILDS)
def test_prefill_and_decode_agree_with_the_float64_reference(build):
    shape = BUILDS[build]
    weights = random_weights(shape, seed=3)
    tokens = np.random.default_rng(5).integers(0, shape.vocabulary, (3, 20))
    replay = CpuReplay(shape, 3, 20, weights=weights)
    expected = np.stack([reference.logits(shape, weights, row) for row in tokens])
    chosen = replay.prefill(tokens[:, :11])
    agree(replay.logits(), expected[:, 10])
    assert (chosen == expected[:, 10].argmax(axis=-1)).all()
    for position in range(11, 20):
        replay.decode(tokens[:, position])
        agree(replay.logits(), expected[:, position])


def test_a_prompt_longer_than_a_chunk_agrees_too(monkeypatch):
    shape = BUILDS["biases, sinks, windows"]
    weights = random_weights(shape, seed=1)
    tokens = np.random.default_rng(2).integers(0, shape.vocabulary, (1, 30))
    monkeypatch.setattr("kernels.llm.replay_cpu._CHUNK", 7)
    replay = CpuReplay(shape, 1, 30, weights=weights)
    replay.prefill(tokens)
    agree(replay.logits()[0], reference.logits(shape, weights, tokens[0])[-1])


@settings(max_examples=20)
@given(st.integers(1, 12), st.integers(1, 8), st.sampled_from(sorted(BUILDS)), st.integers(0, 99))
def test_a_prompt_read_in_two_parts_gives_what_it_gives_at_once(first, second, build, seed):
    shape = BUILDS[build]
    weights = random_weights(shape, seed)
    tokens = np.random.default_rng(seed).integers(0, shape.vocabulary, (2, first + second))
    whole, parts = (CpuReplay(shape, 2, first + second, weights=weights) for _ in range(2))
    whole.prefill(tokens)
    parts.prefill(tokens[:, :first])
    for position in range(first, first + second):
        parts.decode(tokens[:, position])
    agree(parts.logits(), whole.logits())


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("rows", [1, 3, 4, 5, 8, 9, 24, 25, 32, 64])
def test_a_product_is_right_however_it_is_cut(rows, threads):
    generator = np.random.default_rng(rows)
    for outer, inner in ((640, 512), (64, 1536), (33, 48), (1024, 512)):
        entering, matrix = (generator.standard_normal((count, inner), np.float32) for count in (rows, outer))
        expected = entering.astype(float) @ matrix.T.astype(float)
        products = Products(threads)
        agree(products.product(entering, matrix, "rows"), expected)
        agree(products.product_by_columns(matrix, entering.T, "columns"), expected.T)
        agree(products.product_by_columns(matrix, np.ascontiguousarray(entering.T), "columns"), expected.T)
        products.close()


def test_rewinding_repeats_the_same_answers():
    shape = BUILDS["dense"]
    replay = CpuReplay(shape, 2, 16, seed=4)
    replay.fill(8)
    token = np.array([1, 2])
    replay.decode(token)
    before = replay.logits().copy()
    replay.decode(token)
    replay.rewind(8)
    assert replay.length == 8
    replay.decode(token)
    assert np.array_equal(replay.logits(), before)


def test_copies_hold_distinct_weights_and_take_turns():
    shape = BUILDS["dense"]
    replay = CpuReplay(shape, 1, 8, copies=2)
    assert replay.weight_bytes == 2 * random_weights(shape, 0).nbytes
    token = np.array([5])
    answers = []
    for _ in range(4):
        replay.rewind(0)
        replay.decode(token)
        answers.append(replay.logits().copy())
    assert np.array_equal(answers[0], answers[2])
    assert not np.array_equal(answers[0], answers[1])


def test_layers_are_distinct_and_activations_stay_near_one():
    weights = random_weights(load("tiny"), seed=0)
    assert not np.array_equal(weights.layers[0].qkv, weights.layers[1].qkv)
    replay = CpuReplay(load("tiny"), 1, 8, weights=weights)
    replay.prefill(np.arange(8)[None])
    assert 0.1 < np.abs(replay.logits()).mean() < 10


def test_it_is_a_replay_and_closes_twice():
    replay = CpuReplay(BUILDS["dense"], 1, 4)
    assert isinstance(replay, Replay)
    replay.close()
    replay.close()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: CpuReplay(BUILDS["dense"], 0, 8), "batch: expected at least 1, got 0"),
        (
            lambda: CpuReplay(BUILDS["dense"], 1, 65),
            r"input \+ output: expected 1 to 64 tokens \(its context\), got 65",
        ),
        (lambda: CpuReplay(BUILDS["dense"], 1, 8).fill(8), "fill: expected 0 to 7 tokens, got 8"),
        (
            lambda: CpuReplay(BUILDS["dense"], 1, 8).prefill(np.zeros((1, 9), int)),
            r"expected \[1, up to 8\], got \[1, 9\]",
        ),
        (lambda: CpuReplay(BUILDS["dense"], 2, 8).decode(np.zeros(1, int)), r"expected \[2, up to 8\], got \[1, 1\]"),
    ],
)
def test_what_cannot_be_replayed_is_refused(call, message):
    with pytest.raises(KernelInputError, match=message):
        call()
