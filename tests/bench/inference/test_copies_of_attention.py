"""Copies of attention: each has the batch and the token budget of one engine, and only vLLM pads them."""

import pytest

from bench.inference.engine import engine
from bench.inference.judged.loads import planned
from bench.inference.predict import full_load_limits, predict
from bench.inference.published import SECOND_BLIND, read_rows
from bench.inference.rates import make_setup
from bench.inference.timing import step_cost


def made(name, copies=4):
    return make_setup("qwen3-235b-a22b", "fp8", "nvidia-h200", 4, f"{name}-ep4-dp{copies}")


@pytest.mark.parametrize("name", ["trtllm", "sglang", "vllm", "vllm-sync"])
def test_each_copy_has_the_sequences_and_tokens_of_one_engine(name):
    limits = made(name).online_limits()
    one = engine(name).online_limits()
    assert (limits.batch, limits.tokens) == (4 * one.batch, 4 * one.tokens)
    assert made(name, copies=1).online_limits() == one


def test_a_run_at_full_load_is_sized_for_one_copy_and_all_copies_run_together():
    """Prompts of 8,192 tokens: 3,328 tokens a step for all four together made the model ten times too slow."""
    setup = made("trtllm")
    requests = setup.most_sequences(9216) / 4
    own = setup.engine.offline_limits(requests, 8192, 1024)
    limits = full_load_limits(setup, 8192, 1024)
    assert limits.tokens == pytest.approx(4 * own.tokens, rel=0.2)
    assert limits.batch % 4 == limits.tokens % 4 == 0


def test_published_rates_of_copies_with_long_prompts_are_no_longer_ten_times_too_low():
    rows = [
        row for row in read_rows(SECOND_BLIND) if row.engine == "trtllm-2026" and (row.data, row.input_len) == (4, 8192)
    ]
    assert len(rows) >= 5
    for row in rows:
        assert 0.5 < predict(planned(row)).tokens_per_s / row.published_per_s < 2.0


@pytest.mark.parametrize(("name", "pads"), [("trtllm", False), ("sglang", False), ("vllm", True), ("vllm-sync", True)])
def test_only_vllm_pads_copies_of_attention_to_the_one_with_most_tokens(name, pads):
    setup = made(name)
    cost = step_cost(setup, setup.online_limits(), graphs=False)
    assert (cost.padding is not None) == pads
    one = made(name, copies=1)
    assert step_cost(one, one.online_limits(), graphs=False).padding is None
