"""Token rates for sites: by name from the model, and from two stored results together."""

from dataclasses import astuple
from datetime import UTC, datetime

import pytest

from bench.device_rates import from_record, resolve_device
from bench.inference.rates import combined
from bench.results.record import AssumedPower, Device, Metric, Record, RunInfo, WorkloadInfo
from bench.results.token_tags import check_workload
from bench.results.writing import prepare_store, write_record
from bench.workloads.cpu.llm_replay_cpu import LlmReplayCpu, copies, miniature
from bench.workloads.protocol import VerificationError, WorkloadOptions
from hardware_profiles.errors import InputError
from kernels.llm.replay import Replay, is_replayable
from kernels.llm.shapes import load, names


def test_a_name_gives_a_modelled_rate_with_five_tags():
    found = resolve_device("llm:llama-3.3-70b:fp8:nvidia-h200x2:1000:1000")
    assert (found.unit, found.basis, found.boundary) == ("token", "modelled", "node")
    assert (found.tags.power_kind, found.tags.lengths, found.tags.latency_limit) == (
        "modelled", "1000:1000", "none (offline)",
    )  # fmt: skip
    assert found.rate_per_s == pytest.approx(2587, rel=0.2)  # TensorRT-LLM's published rate of one GPU of the two


def test_a_batch_bounds_the_users_and_costs_rate():
    full = resolve_device("llm:llama-3.1-8b:fp8:nvidia-h200:1000:1000")
    few = resolve_device("llm:llama-3.1-8b:fp8:nvidia-h200:1000:1000:16")
    assert few.rate_per_s < full.rate_per_s
    assert few.tags.latency_limit == "none (closed loop)"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("llm:llama-3.1-8b", "expected llm:MODEL:DTYPE:DEVICE"),
        ("llm:llama-3.1-8b:fp8:nvidia-h200:1000:many", "whole numbers at its end"),
        ("llm:llama-9:fp8:nvidia-h200:1000:1000", "model: expected one of"),
        ("llm:llama-3.1-8b:fp8:nvidia-h999:1000:1000", "profile"),
        ("llm:llama-3.1-8b:fp8:nvidia-h200:1000:1000:100000", "the largest batch that fits"),
    ],
)
def test_a_name_of_another_form_is_refused(name, message):
    with pytest.raises(InputError, match=message):
        resolve_device(name)


@pytest.fixture
def made(monkeypatch):
    """Make a prepared workload on small lengths, with one copy of the weights, closed afterwards."""
    held = []
    monkeypatch.setattr("bench.workloads.cpu.llm_replay_cpu.MOST_COPIES_BYTES", 200_000_000)

    def make(phase, **extra):
        options = WorkloadOptions(threads=1, extra={"input": 12, "output": 4, "batch": 2, **extra})
        workload = LlmReplayCpu(f"llm_{phase}_f32_cpu", options)
        held.append(workload)
        workload.prepare()
        return workload

    yield make
    for workload in held:
        workload.close()
        workload.close()


@pytest.mark.parametrize(("phase", "work"), [("prefill", 3 * 2 * 12), ("decode", 3 * 2)])
def test_the_workload_verifies_counts_tokens_and_checks_what_it_did(made, phase, work):
    workload = made(phase)
    assert "error" in workload.verify()[0].detail
    assert workload.run(3).work == work
    assert workload.check_output()
    parameters = workload.parameters()
    assert parameters["buffers_bytes"] >= 134_000_000
    assert parameters["lengths"] == "12:4"


def test_decoding_goes_over_every_context_of_an_answer_and_begins_again(made):
    workload = made("decode")
    seen = []
    for _ in range(7):
        workload.run(1)
        seen.append(workload._replay.length)
    assert seen == [13, 14, 15, 13, 14, 15, 13]


def test_a_mixture_of_experts_is_replayed_too(made):
    workload = made("decode", model="tiny-moe")
    workload.verify()
    workload.run(2)
    workload.check_output()


def test_a_wrong_answer_gets_no_number(made, monkeypatch):
    workload = made("decode")
    monkeypatch.setattr("kernels.llm.replay_cpu.rms_norm", lambda stream, *_: stream)
    with pytest.raises(VerificationError, match="replay against the float64 reference: error"):
        workload.verify()
    monkeypatch.undo()  # the norms are norms again
    workload.run(1)
    workload._replay.logits()[:] += 1
    with pytest.raises(VerificationError, match="last timed call"):
        workload.check_output()


def test_an_unprepared_workload_runs_nothing():
    with pytest.raises(VerificationError, match="not prepared"):
        LlmReplayCpu("llm_decode_f32_cpu", WorkloadOptions()).run(1)


@pytest.mark.parametrize("name", [name for name in names() if is_replayable(load(name))])
def test_a_miniature_keeps_the_build_of_its_model(name):
    shape, small = load(name), miniature(load(name))
    assert small.heads // small.kv_heads == shape.heads // shape.kv_heads
    assert (small.is_moe, small.qk_norm, small.sinks) == (shape.is_moe, shape.qk_norm, shape.sinks)
    assert small.windowed_every == shape.windowed_every


def test_copies_are_one_where_the_cache_is_unknown(monkeypatch):
    monkeypatch.setattr("bench.workloads.cpu.llm_replay_cpu.last_level_cache_bytes", lambda: None)
    assert copies(load("tiny")) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (WorkloadOptions(variant="numba"), "expected blas_stream, got 'numba'"),
        (WorkloadOptions(extra={"batch": 1.5}), "batch: expected a whole number, got 1.5"),
        (WorkloadOptions(extra={"batch": True}), "batch: expected a whole number"),
    ],
)
def test_a_workload_asked_for_wrongly_is_refused(options, message):
    with pytest.raises(InputError, match=message):
        LlmReplayCpu("llm_decode_f32_cpu", options)


def a_record(phase, rate, *, joules=None, watts=None, run="one", status="ok", id_=None, **parameters):
    """Return a stored record of the tiny model's layers, metered at the package, with a declared power, or neither."""
    given = {
        "model": "tiny", "input": 100, "output": 50, "batch": 2, "dtype": "f32", "lengths": "100:50",
        "token_basis": "input" if phase == "prefill" else "output", "latency_limit": "none (one batch after the other)",
        **parameters,
    }  # fmt: skip
    metrics = {"rate": Metric(value=rate, unit="token/s", basis="measured", n=3, interval_95=(0.9 * rate, 1.1 * rate))}
    if joules is not None:
        metered = {"basis": "measured", "n": 3, "boundary": "package", "tier": "C"}
        metrics["energy_per_token"] = Metric(value=joules, unit="J/token", **metered)
        metrics["power_package"] = Metric(value=joules * rate, unit="W", **metered)
    now = datetime(2026, 11, 20, tzinfo=UTC)
    name = f"llm_{phase}_f32_cpu"
    return Record(
        id=id_ or f"20261120T120000Z-{name}-{run}",
        status=status,
        run=RunInfo(
            run_id=run, plan="quick", argv=(), started_utc=now, ended_utc=now, perwatt_version="0", commit=None
        ),
        system={},
        device=Device(kind="cpu", name="a CPU"),
        workload=WorkloadInfo(
            name=name, version=1, unit="token", variant="blas", parameters=given, verification=("a known answer",)
        ),
        assumed_power_w=None if watts is None else AssumedPower(power_w=watts, boundary="node", source="--watts"),
        metrics=metrics if status == "ok" else {},
    )


def test_prefill_and_decode_combine_to_what_a_user_gets():
    found = combined(a_record("prefill", 1000.0, joules=0.01), a_record("decode", 20.0, joules=0.5))
    assert found.tokens_per_s == pytest.approx(1 / (1 / 20 + 2 / 1000))
    assert (found.ttft_s, found.tpot_s) == (0.2, 0.1)
    assert found.joules_per_token == pytest.approx(0.5 + 2 * 0.01)
    assert (found.tags.power_kind, found.tags.boundary, found.tags.lengths) == ("measured", "package", "100:50")


def test_without_a_meter_there_is_no_energy_and_all_five_tags_say_so():
    found = combined(a_record("prefill", 1000.0), a_record("decode", 20.0, joules=0.5))
    assert found.joules_per_token is None
    assert all(astuple(combined(a_record("prefill", 1.0), a_record("decode", 1.0)).tags))
    assert combined(a_record("prefill", 1.0), a_record("decode", 1.0)).tags.words() == (
        "output tokens, 100:50 in:out, latency limit none (one batch after the other), not metered"
    )


def test_records_of_unlike_loads_do_not_combine():
    with pytest.raises(InputError, match="batch: expected 2, got 4"):
        combined(a_record("prefill", 1.0), a_record("decode", 1.0, batch=4))
    with pytest.raises(InputError, match="status: expected ok, got 'failed'"):
        combined(a_record("prefill", 1.0), a_record("decode", 1.0, status="failed"))


def test_two_metered_records_become_the_rate_of_a_site_with_their_five_tags():
    found = from_record(a_record("decode", 20.0, joules=0.5), a_record("prefill", 1000.0, joules=0.01))
    assert astuple(found.tags) == ("package", "measured", "output", "100:50", "none (one batch after the other)")
    assert (found.unit, found.basis, found.power_basis, found.boundary) == ("token", "measured", "measured", "package")
    assert found.rate_per_s == pytest.approx(1 / (1 / 20 + 2 / 1000))
    assert found.power_w == pytest.approx(found.rate_per_s * 0.52)
    low, high = found.rate_interval_per_s
    assert 0.9 * found.rate_per_s < low < found.rate_per_s < high < 1.1 * found.rate_per_s


def test_a_declared_power_is_provisioned_and_assumed():
    found = from_record(a_record("decode", 20.0, watts=65.0), a_record("prefill", 1000.0, watts=65.0))
    assert (found.power_w, found.power_basis, found.tags.power_kind, found.tags.boundary) == (
        65.0, "assumed", "provisioned", "node",
    )  # fmt: skip


def test_answers_alone_say_so_in_their_lengths():
    found = from_record(a_record("decode", 20.0, watts=65.0))
    assert found.tags.lengths == "100:50, answers alone"
    assert found.rate_per_s == 20.0


@pytest.mark.parametrize(
    ("record", "tag"),
    [
        (a_record("decode", 20.0), "tag boundary: expected one of chip"),
        (a_record("prefill", 20.0, watts=65.0), "tag token_basis: expected one of output, total, got 'input'"),
        (a_record("decode", 20.0, watts=65.0, token_basis=""), "tag token_basis"),
        (a_record("decode", 20.0, watts=65.0, lengths=""), "tag lengths: expected a text"),
        (a_record("decode", 20.0, watts=65.0, latency_limit=None), "tag latency_limit: expected a text"),
    ],
)
def test_a_token_record_without_a_tag_is_refused_by_the_tags_name(record, tag):
    with pytest.raises(InputError, match=tag):
        from_record(record)


def test_a_decoding_result_brings_the_prompts_of_its_run(tmp_path):
    prepare_store(tmp_path)
    for record in (
        a_record("prefill", 1000.0, watts=65.0, id_="20261120T120000Z-llm_prefill_f32_cpu-0001"),
        a_record("prefill", 9.0, watts=65.0, batch=1, id_="20261120T120001Z-llm_prefill_f32_cpu-0002"),
        a_record("decode", 20.0, watts=65.0, id_="20261120T120002Z-llm_decode_f32_cpu-0003"),
        a_record("decode", 20.0, watts=65.0, run="other", id_="20261120T120003Z-llm_decode_f32_cpu-0004"),
    ):
        write_record(tmp_path, record, [])
    found = resolve_device("result:20261120T120002Z", store=tmp_path)
    assert found.rate_per_s == pytest.approx(1 / (1 / 20 + 2 / 1000))
    with pytest.raises(InputError, match="tag lengths: expected the llm_prefill_f32_cpu of the same run"):
        resolve_device("result:20261120T120003Z", store=tmp_path)


def test_a_workload_that_counts_tokens_and_lacks_a_tag_is_refused_before_it_is_timed():
    check_workload("one", {"token_basis": "output", "lengths": "1:1", "latency_limit": "none"})
    with pytest.raises(InputError, match="workload one: key tag lengths: expected a text"):
        check_workload("one", {"token_basis": "output", "latency_limit": "none"})


def test_the_replay_of_the_workload_has_the_shape_of_every_backend(made):
    assert isinstance(made("decode")._replay, Replay)
