"""Parameters of the bundled models against the totals that makers and checkpoints state."""

import pytest

from kernels.llm import counts
from kernels.llm.shapes import load, mtp_parameter_count, names, parameter_count


def tables(name):
    """Return the parameters of embedding and head, which the layers for further tokens of some checkpoints repeat."""
    return 2 * load(name).vocabulary * load(name).hidden


@pytest.mark.parametrize(
    ("name", "stated"),
    [  # elements of the published 16-bit checkpoints without further-token layers
        ("deepseek-v3", 671_026_419_200),
        ("minimax-m2.5", 228_689_764_864),
        ("qwen3-235b-a22b", 235_093_634_560),
        ("qwen3-30b-a3b-2507", 30_532_122_624),
        ("qwen3-coder-480b-a35b", 480_154_875_392),
        ("kimi-k2", 1_026_408_232_448),
        ("kimi-k2.5", 1_026_408_232_448),
        ("gpt-oss-20b", 20_914_757_184),
        ("qwen3-8b", 8_190_735_360),
        ("qwen3-14b", 14_768_307_200),
        ("qwen3-32b", 32_762_123_264),
        ("qwen3-235b-a22b-2507", 235_093_634_560),
        ("nemotron-nano-9b-v2", 8_888_227_328),
        ("qwen3-next-80b-a3b", 79_674_391_296),  # Qwen3-Coder-Next
        ("glm-4.5-air", 106_852_251_264),  # INTELLECT-3, trained from it
    ],
)
def test_counted_parameters_equal_the_published_checkpoint(name, stated):
    assert parameter_count(load(name)) == stated


@pytest.mark.parametrize(
    ("name", "stated"),
    [  # elements of the published checkpoints, whose further-token layers repeat embedding and head
        ("deepseek-v3", 684_489_845_504),  # DeepSeek-R1
        ("deepseek-v3.2", 685_355_329_792),
        ("glm-4.5", 358_337_791_296),
        ("glm-4.5-air", 110_468_824_832),
    ],
)
def test_counted_parameters_with_further_token_layers_equal_the_published_checkpoint(name, stated):
    assert parameter_count(load(name)) + mtp_parameter_count(load(name)) + tables(name) == stated


@pytest.mark.parametrize(
    ("name", "stated"),
    [("glm-5", 753_864_139_008), ("glm-4.5", 356_785_898_816), ("qwen3-next-80b-a3b", 81_324_862_720)],
)
def test_some_checkpoints_store_embedding_and_head_once(name, stated):
    assert parameter_count(load(name)) + mtp_parameter_count(load(name)) == stated  # the one of glm-4.5 is GLM-4.6


@pytest.mark.parametrize(
    ("name", "without_vision"),
    [("gemma-3-27b", 27_009_346_304), ("gemma-3-12b", 11_766_034_176), ("llama-4-scout", 107_769_861_120),
     ("llama-4-maverick", 400_711_848_960)],
)  # fmt: skip
def test_models_with_a_vision_tower_count_their_text_part(name, without_vision):
    assert parameter_count(load(name)) == load(name).parameters == without_vision


def test_gemma_counts_embedding_and_the_rest_as_its_report_prints_them():
    for name, table, rest in (("gemma-3-27b", 1.4, 25.6), ("gemma-3-12b", 1.0, 10.8)):
        shape = load(name)
        embedding = shape.vocabulary * shape.hidden
        assert round(embedding / 1e9, 1) == table
        assert round((parameter_count(shape) - embedding) / 1e9, 1) == rest


def test_gemma_4_agrees_with_the_maker_to_a_tenth_of_a_thousand_million():
    dense, mixture = load("gemma-4-31b"), load("gemma-4-26b-a4b")
    assert round(parameter_count(dense) / 1e9, 1) == 30.7
    assert (round(parameter_count(mixture) / 1e9, 1), round(counts.active_parameters(mixture) / 1e9, 1)) == (25.2, 3.8)


def test_nemotron_checkpoints_do_not_count_the_biases_of_the_router():
    nano, large = load("nemotron-3-nano-30b-a3b"), load("nemotron-3-super-120b-a12b")
    assert parameter_count(nano) - 23 * 128 == 31_577_937_344
    assert parameter_count(large) + mtp_parameter_count(large) - 41 * 512 == 123_611_012_096


@pytest.mark.parametrize(
    ("name", "total", "active"),
    [  # 10^9, as the makers round them
        ("deepseek-v3", 671, 37),
        ("kimi-k2", 1026, 32),
        ("glm-5", 744, 40),
        ("glm-4.5", 353, 32),  # the maker states 355
        ("minimax-m2.5", 229, 10),
        ("qwen3-235b-a22b", 235, 22),
        ("qwen3-coder-480b-a35b", 480, 35),
        ("qwen3.5-397b-a17b", 396, 17),  # 397 with the vision tower
        ("qwen3.5-122b-a10b", 122, 10),
        ("qwen3.5-35b-a3b", 35, 3),
        ("nemotron-3-nano-30b-a3b", 32, 3),
        ("nemotron-3-super-120b-a12b", 121, 12),
        ("gpt-oss-20b", 21, 4),  # 3.6
        ("mistral-small-4", 119, 7),  # 6.63
        ("gemma-4-31b", 31, 31),  # 30.7
        ("gemma-4-26b-a4b", 25, 4),  # 25.2 and 3.8
        ("llama-4-scout", 108, 17),  # 109 with the vision tower
        ("llama-4-maverick", 401, 17),  # the maker states 400
        ("nemotron-nano-12b-v2", 12, 12),
    ],
)
def test_total_and_active_parameters_are_what_the_names_say(name, total, active):
    shape = load(name)
    assert round(parameter_count(shape) / 1e9) == total
    table = shape.vocabulary * shape.hidden
    # some makers count embedding and head, some only the head, some neither
    assert active in {round((counts.active_parameters(shape) - left_out * table) / 1e9) for left_out in range(3)}


def test_the_further_token_layer_of_deepseek_is_the_published_one_and_the_projection_that_joins_it():
    shape = load("deepseek-v3")
    join = 2 * 7168 * 7168
    assert round((mtp_parameter_count(shape) - join) / 1e9, 1) == 11.5  # README_WEIGHTS.md, which leaves out eh_proj


@pytest.mark.parametrize("name", names())
def test_every_model_names_the_rows_of_its_blocks_once(name):
    rows = counts.matrices(load(name))
    assert len({row.name for row in rows}) == len(rows)
    assert all(row.layers >= 1 and 1 <= row.active <= row.copies for row in rows)


def test_the_models_of_the_measured_rates_are_there():
    published = ["DeepSeek-R1-0528", "deepseek-v3.1", "gpt-oss-120b", "llama-3.1-405b-instruct-fp8", "llama-3.1-70b",
                 "minimax-m2.5", "nemotron-3-nano-30b-a3b", "nemotron-super-49b", "qwen3-235b-a22b",
                 "qwen3-30b-a3b-instruct-2507", "qwen3-30b-a3b-thinking-2507"]  # fmt: skip
    assert [load(name).name for name in published] == [
        "deepseek-v3", "deepseek-v3", "gpt-oss-120b", "llama-3.1-405b", "llama-3.3-70b", "minimax-m2.5",
        "nemotron-3-nano-30b-a3b", "nemotron-super-49b", "qwen3-235b-a22b", "qwen3-30b-a3b-2507", "qwen3-30b-a3b-2507",
    ]  # fmt: skip


def test_no_two_models_have_a_name_in_common():
    owners: dict[str, str] = {}
    for model in names():
        for name in {model, *(alias.casefold() for alias in load(model).aliases)}:
            assert owners.setdefault(name, model) == model
