"""Shards, drafts and cached prompts after the name of an engine: what is read, what it does, and what is refused."""

import pytest

from bench.inference.options import read_options, stated_words
from bench.inference.predict import plan_run, predict
from bench.inference.rates import make_setup
from hardware_profiles.errors import InputError

ON = ("deepseek-v3", "fp8", "nvidia-b200", 8)


def at(serving, clients=8):
    return predict(plan_run(make_setup(*ON, serving), 1000, 1000, clients=clients))


def test_options_follow_the_engine_in_any_order():
    found = read_options("vllm-hit12.5-ep8-accept1.8-draft3")
    assert found.engine.name == "vllm"
    assert (found.expert, found.data, found.drafted, found.accepted, found.hit_frac) == (8, 1, 3, 1.8, 0.125)
    assert read_options(None).engine.name == "trtllm"
    assert read_options("vllm-sync-ep2").engine.name == "vllm-sync"


def test_accepted_drafts_make_a_user_faster_and_rejected_ones_slower():
    without, useful, useless = (at(name) for name in ("sglang", "sglang-draft3-accept2.5", "sglang-draft3-accept0"))
    assert useless.tpot_s > without.tpot_s > useful.tpot_s
    assert useful.tpot_s > without.tpot_s / 3.5


def test_cached_prompts_shorten_the_first_token_and_not_the_later_ones():
    cold, warm = at("sglang", 1), at("sglang-hit90", 1)
    assert warm.ttft_s < cold.ttft_s
    assert warm.tpot_s == pytest.approx(cold.tpot_s)


def test_what_was_stated_is_said_and_whose_time_is_not_counted():
    own, other = (make_setup(model, "fp8", "nvidia-b200", 8, "vllm-draft3-accept1.5-hit20") for model in (
        "deepseek-v3", "llama-3.3-70b"))  # fmt: skip
    assert "tries 3 further tokens for each sequence, drafted by its own layer, and keeps 1.5" in stated_words(own)
    assert "a source whose time is not counted" in stated_words(other)
    assert stated_words(own).endswith("20% of each prompt are in the cache already")
    assert not stated_words(make_setup(*ON, "vllm"))


@pytest.mark.parametrize(
    ("serving", "message"),
    [
        ("vllm-draft3", "-draftN and -acceptX together"),
        ("vllm-accept1", "-draftN and -acceptX together"),
        ("vllm-draft0-accept0", "-draftN with 1 to 32 tokens"),
        ("vllm-draft2-accept2.5", "at most the 2 tokens of -draftN"),
        ("vllm-hit100", "less than 100 per cent"),
        ("vllm-ep4.5", "expected one of"),
        ("vllm-ep2-ep8", "each option once"),
        ("vllm-hit30-ep8-hit40", "each option once"),
    ],
)
def test_options_that_cannot_be_are_refused(serving, message):
    with pytest.raises(InputError, match=message):
        read_options(serving)
