"""Experts that a step uses, tiles of its grouped products and the busiest rank, against simulated routing."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels.errors import KernelInputError
from kernels.llm import counts
from kernels.llm.shapes import load

MIXTURES = ["mixtral-8x7b", "gpt-oss-120b", "qwen3-30b-a3b", "deepseek-v3"]


def simulated(name, tokens):
    """Return the rows of each expert in many steps, in which each token picks distinct experts at random."""
    shape, generator = load(name), np.random.default_rng(tokens)
    rows = []
    for _ in range(max(200, 2000 // tokens)):
        chosen = np.argpartition(generator.random((tokens, shape.experts)), shape.active_experts - 1, axis=1)
        rows.append(np.bincount(chosen[:, : shape.active_experts].ravel(), minlength=shape.experts))
    return np.array(rows)


@pytest.mark.parametrize("name", MIXTURES)
@pytest.mark.parametrize("tokens", [1, 5, 40, 300])
def test_experts_and_tiles_equal_simulated_routing(name, tokens):
    rows, shape = simulated(name, tokens), load(name)
    assert counts.expected_experts(shape, tokens) == pytest.approx((rows > 0).sum(axis=1).mean(), rel=0.02)
    for tile in (16, 64, 128):
        tiles = np.ceil(rows / tile).sum(axis=1).mean()
        assert counts.expected_tiles(shape, tokens, tile) == pytest.approx(tiles, rel=0.02)


@pytest.mark.parametrize("name", MIXTURES)
@pytest.mark.parametrize(("tokens", "within"), [(1, 0.06), (4, 0.04), (16, 0.03), (60, 0.02), (500, 0.02)])
def test_the_busiest_expert_and_rank_equal_simulated_routing(name, tokens, within):
    rows, shape = simulated(name, tokens), load(name)
    for groups in (2, 4, 8, shape.experts):
        busiest = rows.reshape(len(rows), groups, -1).sum(axis=2).max(axis=1).mean()
        assert counts.expected_largest_load(shape, tokens, groups) == pytest.approx(busiest, rel=within)


def test_the_spread_of_two_ranks_is_that_of_a_binomial_for_many_tokens():
    """Each of 10,000 tokens gives 8 of 256 experts: the difference of two halves is normal, with a known mean size."""
    shape, tokens = load("deepseek-v3"), 10_000
    deviation = math.sqrt(tokens * 8 * 0.25 * (256 - 8) / 255)
    expected = tokens * 4 + deviation * math.sqrt(2.0 / math.pi)
    assert counts.expected_largest_load(shape, tokens, 2) == pytest.approx(expected, rel=1e-4)


def test_tiles_of_many_tokens_are_full_but_for_half_a_tile_an_expert():
    shape = load("qwen3-30b-a3b")
    full = 16_384 * 8 / 64
    assert counts.expected_tiles(shape, 16_384, 64) == pytest.approx(full + 128 * 0.5 * (1 - 1 / 64), rel=2e-3)


@given(st.sampled_from(MIXTURES), st.integers(1, 3000), st.sampled_from([16, 64, 128]))
def test_tiles_lie_between_their_bounds_and_grow_with_tokens(name, tokens, tile):
    shape = load(name)
    tiles = counts.expected_tiles(shape, tokens, tile)
    rows = tokens * shape.active_experts
    used = counts.expected_experts(shape, tokens)
    assert max(rows / tile, used) * (1 - 1e-9) <= tiles <= (rows / tile + used) * (1 + 1e-9)
    assert tiles <= counts.expected_tiles(shape, tokens + 1, tile) * (1 + 1e-9)


@given(st.sampled_from(MIXTURES), st.integers(1, 3000), st.sampled_from([1, 2, 4, 8]))
def test_the_busiest_rank_has_at_least_its_share_and_at_most_all_that_it_can_get(name, tokens, groups):
    shape = load(name)
    load_rows = counts.expected_largest_load(shape, tokens, groups)
    most = tokens * min(shape.active_experts, shape.experts // groups)
    assert tokens * shape.active_experts / groups <= load_rows <= most


def test_a_dense_model_has_one_expert_with_all_rows():
    shape = load("llama-3.1-8b")
    assert counts.expected_tiles(shape, 100, 64) == 2
    assert counts.expected_largest_load(shape, 100) == 100
    assert counts.expected_largest_load(shape, 0) == 0 == counts.expected_tiles(shape, 0, 64)


def test_impossible_routing_is_refused():
    shape = load("deepseek-v3")
    with pytest.raises(KernelInputError, match="ranks: expected a divisor of experts = 256, got 3"):
        counts.expected_largest_load(shape, 10, 3)
    with pytest.raises(KernelInputError, match="tokens: expected 0 or more, got -1"):
        counts.expected_tiles(shape, -1, 64)
    with pytest.raises(KernelInputError, match="tile_rows: expected at least 1, got 0"):
        counts.expected_tiles(shape, 1, 0)
