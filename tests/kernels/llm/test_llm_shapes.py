"""Model files: what they say, and every way in which one can be wrong."""

import tomllib

import pytest

from kernels.errors import KernelInputError
from kernels.llm.replay import check_replay, check_replayable, is_replayable
from kernels.llm.shapes import FOLDER, from_table, load, names, parameter_count, read

EIGHT_B = tomllib.loads((FOLDER / "llama-3.1-8b.toml").read_text())


@pytest.mark.parametrize("name", names())
def test_every_bundled_model_loads_with_sources_that_print_figures(name):
    shape = load(name)
    assert shape.sources
    assert all(source.address and source.printed for source in shape.sources.values())
    own = name.startswith("tiny")
    assert own or shape.confidence != "two_sources" or len(shape.sources) >= 2


def test_the_models_that_the_catalogue_promises_are_there():
    promised = {"llama-3.1-8b", "llama-2-70b", "llama-3.3-70b", "llama-3.1-405b", "gpt-oss-120b", "qwen3-30b-a3b",
                "mixtral-8x7b", "tiny"}  # fmt: skip
    assert promised <= set(names())


def test_a_published_name_finds_the_model_whatever_its_case():
    assert load("Llama-3.1-8B-Instruct") is load("llama-3.1-8b") or load("Llama-3.1-8B-Instruct").name == "llama-3.1-8b"


def test_an_unknown_model_names_the_near_ones():
    with pytest.raises(KernelInputError, match=r"got 'llama-3.1-7b' \(did you mean llama-3.1-8b"):
        load("llama-3.1-7b")


@pytest.mark.parametrize(
    ("name", "stated"),
    [  # as the makers or their checkpoints state them
        ("llama-3.1-8b", 8_030_261_248),
        ("llama-2-70b", 68_976_648_192),
        ("llama-3.3-70b", 70_553_706_496),
        ("llama-3.1-405b", 405_853_388_800),
        ("mixtral-8x7b", 46_702_792_704),
        ("qwen3-30b-a3b", 30_532_122_624),
        ("gpt-oss-120b", 116_829_156_672),
    ],
)
def test_counted_parameters_equal_the_stated_ones(name, stated):
    assert parameter_count(load(name)) == stated


DEEPSEEK = tomllib.loads((FOLDER / "deepseek-v3.2.toml").read_text())
NANO = tomllib.loads((FOLDER / "nemotron-3-nano-30b-a3b.toml").read_text())


@pytest.mark.parametrize(
    ("table", "change", "message"),
    [
        (DEEPSEEK, {"dense": [{"layers": 62, "ffn": 18432}]}, "key dense: expected at most layers=61 in all, got 62"),
        (DEEPSEEK, {"latent": {"key_rank": 512}}, "key latent.rotary_size: expected a value .* got nothing"),
        (DEEPSEEK, {"latent": {**DEEPSEEK["latent"], "key_rnk": 1}}, r"key latent.key_rnk: .* \(did you mean key_rank"),
        (
            DEEPSEEK,
            {"latent": {**DEEPSEEK["latent"], "query_rank": 0}},
            "key latent.query_rank: expected a whole number",
        ),
        (
            DEEPSEEK,
            {"kv_bytes_per_token_bf16": 1},
            r"expected 70272 \(layers with attention x \(key_rank \+ rotary_size",
        ),
        (DEEPSEEK, {"latent": None}, "key latent.query_rank: expected a width, because there is an indexer"),
        (DEEPSEEK, {"not_in_fp4": ["qkv"]}, "key not_in_fp4: expected names among dense_down, .* got 'qkv'"),
        (NANO, {"recurrent_layers": 53}, "key recurrent_layers: expected at most layers=52, got 53"),
        (NANO, {"attention_layers": 30}, r"key attention_layers: expected at most 29 \(layers\), got 30"),
        (NANO, {"feed_forward_layers": 53}, r"key feed_forward_layers: expected at most 52 \(layers\), got 53"),
        (NANO, {"feed_forward_layers": 1}, r"key layers: expected at most 30 \(all blocks\), got 52"),
        (NANO, {"recurrent": None}, "key recurrent: expected this table if and only if recurrent_layers is above 0"),
        (
            NANO,
            {"recurrent": {**NANO["recurrent"], "kind": "mamba"}},
            "key recurrent.kind: expected 'mamba2' or 'gated",
        ),
    ],
)
def test_a_faulty_table_of_a_part_is_refused_with_key_expected_and_got(table, change, message):
    with pytest.raises(KernelInputError, match=message):
        from_table({**table, **change}, "x", "here.toml")


@pytest.mark.parametrize("name", names())
def test_a_model_is_replayed_only_if_its_layers_are_plain(name):
    shape = load(name)
    if is_replayable(shape):
        check_replay(shape, 1, 1)
    else:
        with pytest.raises(KernelInputError, match=f"model {name}: expected plain attention and one kind of layer"):
            check_replay(shape, 1, 1)


def test_the_refusal_of_a_replay_names_what_is_not_plain():
    with pytest.raises(KernelInputError, match=r"got dense, shared_ffn, router_bias, latent$"):
        check_replayable(load("deepseek-v3"))
    assert is_replayable(load("gpt-oss-20b"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"heads": 33}, "key heads: expected a multiple of kv_heads=8, got 33"),
        ({"head_size": 127}, "key head_size: expected an even number"),
        ({"layers": 0}, "key layers: expected a whole number above 0, got 0"),
        ({"layers": "32"}, "key layers: expected a whole number, got '32'"),
        ({"layers": True}, "key layers: expected a whole number, got True"),
        ({"hiden": 4096}, r"key hiden: expected a known key, got an unknown one \(did you mean hidden"),
        ({"active_experts": 2}, "key active_experts: expected at most experts=1, got 2"),
        ({"windowed_every": 2}, "key window: expected a length"),
        ({"chunked": True}, "key window: expected a length, because chunked is set"),
        ({"windowed_every": 2, "full_every": 4, "window": 8}, "key full_every: expected nothing"),
        ({"confidence": "sure"}, "key confidence: expected 'two_sources', .* got 'sure'"),
        ({"kv_bytes_per_token_bf16": 1}, "key kv_bytes_per_token_bf16: expected 131072"),
        ({"parameters": 8}, "key parameters: expected 8030261248"),
        ({"sources": {}}, "key sources: expected at least one entry, got {}"),
        ({"sources": {"x": {"title": "t"}}}, "key sources.x.address: expected a value .* got nothing"),
        ({"sources": [1]}, r"key sources: expected a table, got \[1\]"),
        ({"name": "other"}, "key name: expected a known key, got an unknown one"),
        ({"model_schema": 2}, "key model_schema: expected 1, got 2"),
        ({"windowed_every": -1}, "key windowed_every: expected a whole number, 0 or above, got -1"),
        ({"rope_theta": "big"}, "key rope_theta: expected a number, got 'big'"),
        ({"aliases": "llama"}, "key aliases: expected a list, got 'llama'"),
    ],
)
def test_a_faulty_model_table_is_refused_with_place_key_expected_and_got(change, message):
    with pytest.raises(KernelInputError, match=message):
        from_table({**EIGHT_B, **change}, "x", "here.toml")


def test_a_missing_key_is_named():
    table = {key: value for key, value in EIGHT_B.items() if key != "hidden"}
    with pytest.raises(KernelInputError, match=r"here.toml: key hidden: expected a value .* got nothing"):
        from_table(table, "x", "here.toml")


def test_a_file_that_is_not_there_or_no_toml_is_refused(tmp_path):
    with pytest.raises(KernelInputError, match="expected a model file"):
        read(tmp_path / "none.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text("layers = = 3")
    with pytest.raises(KernelInputError, match="expected valid TOML, got a syntax error"):
        read(broken)
    broken.write_text(f"layers = {'9' * 5000}")
    with pytest.raises(KernelInputError, match=r"expected numbers below 1.8e308, got one of thousands of digits"):
        read(broken)
    broken.write_text(f"layers = {'[' * 5000}")
    with pytest.raises(KernelInputError, match="expected valid TOML, got one nested too deeply"):
        read(broken)


def test_windowed_layers_reach_no_further_than_their_window():
    shape = load("gpt-oss-120b")
    assert [shape.reach(layer, 1000) for layer in range(4)] == [128, 1000, 128, 1000]
    assert shape.windowed_layers == 18
    assert load("llama-3.1-8b").windowed_layers == 0
