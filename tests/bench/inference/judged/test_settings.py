"""The settings that publishers state for their servers."""

import dataclasses

from bench.inference.engine import engine
from bench.inference.judged.book import stored
from bench.inference.judged.loads import planned
from bench.inference.judged.settings import engine_of
from bench.inference.published import MEASURED, SECOND_BLIND, read_rows


def rows(engine_name, device):
    return [row for row in read_rows(SECOND_BLIND) if (row.engine, row.device_slug) == (engine_name, device)]


def test_a_row_with_stated_settings_is_planned_with_them_and_keeps_its_class():
    row = next(row for row in rows("vllm", "nvidia-b200") if row.model_name == "minimax-m2.5")
    serving = engine_of(row)
    assert (serving.name, serving.cache_bytes, serving.online_tokens) == ("vllm", 1, 16384)
    run = planned(row)
    assert run.setup.kind.kv == 1
    other = planned(dataclasses.replace(row, source="somebody else"))
    assert other.setup.kind.kv == 2
    assert other.setup.kv_bytes_per_sequence(1000) > run.setup.kv_bytes_per_sequence(1000)


def test_a_nightly_version_of_february_has_the_kernels_of_fp8_experts_of_its_time():
    held = [row for row in read_rows(MEASURED) if row.engine == "vllm" and row.expert > 1]
    row = next(row for row in held if row.device_slug == "nvidia-h200")
    assert engine_of(row).all_experts
    assert not engine("vllm").all_experts
    run = planned(row)
    assert stored().of(run).all_experts
    assert not stored().of(planned(dataclasses.replace(row, source="somebody else"))).all_experts


def test_other_rows_have_the_defaults_of_their_engine():
    for row in rows("vllm-sync", "nvidia-h100-sxm"):
        assert engine_of(row) == engine("vllm-sync")
    for row in rows("vllm", "nvidia-h100-sxm"):
        assert engine_of(row) == engine("vllm")
