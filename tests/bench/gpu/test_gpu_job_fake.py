"""The one call that measures a GPU whole: its steps, its budget, and its table, on a fake GPU."""

# ruff: noqa: ARG001 (fixtures are asked for what they put in place)

import json
import re

import pytest
from click.testing import CliRunner

from bench.cli.run.gpu import run_gpu_job
from bench.gpu import job as gpu_job
from bench.gpu.job import BUDGET_S, GpuRun, Step, decoder_products, estimated_s, ratios, run_steps, steps
from bench.machine.devices import device_under_test
from bench.measure import scan_choice
from bench.measure.plans import PLANS
from bench.meters import registry as meters
from bench.workloads.cuda import probe_cuda, sha256d_scan_cuda
from hardware_profiles.errors import InputError


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(sha256d_scan_cuda, "NONCES_PER_UNIT", 1 << 9)
    monkeypatch.setattr(sha256d_scan_cuda, "CALIBRATION_NONCES", 1 << 9)
    monkeypatch.setattr(sha256d_scan_cuda, "MOST_UNITS", 16)
    monkeypatch.setattr(probe_cuda, "TURNS_PER_UNIT", 64)


def silent(_step):
    return lambda *_: None


def test_steps_begin_with_probes_then_the_four_headlines_with_energy():
    todo = list(steps("sm_90"))
    assert all(step.workload.startswith("probe_") for step in todo[:8])
    assert [step.workload for step in todo if step.metered] == [
        "sha256d_scan_cuda", "matmul_bf16_nt_cuda", "matmul_fp8_nt_cuda", "memory_copy_cuda",
    ]  # fmt: skip
    assert [step.workload for step in todo[8:12]] == [step.workload for step in todo if step.metered]


def test_steps_leave_out_what_a_chip_has_not():
    names = {
        architecture: {step.workload for step in steps(architecture)} for architecture in ("sm_80", "sm_90", "sm_100")
    }
    assert "matmul_fp8_nt_cuda" not in names["sm_80"]
    assert "matmul_fp8_nt_cuda" in names["sm_90"]
    assert "matmul_fp4_nt_cuda" not in names["sm_90"]
    assert "matmul_fp4_nt_cuda" in names["sm_100"]


def test_steps_set_cupys_brain_float_beside_only_where_cupy_has_it():
    with_it = {step.workload for step in steps("sm_90", brain_float_baseline=True) if "cupy" in step.baselines}
    without = {step.workload for step in steps("sm_90") if "cupy" in step.baselines}
    assert with_it - without == {"matmul_bf16_nt_cuda"}
    assert without == {f"matmul_{dtype}_nt_cuda" for dtype in ("fp16", "fp32", "tf32")}


@pytest.mark.slow
def test_variants_beside_a_step_alternate_their_windows_with_its_own(cupy, small, job):
    step = Step("sha256d_scan_cuda", "plain", label="both", baselines=("imad",))
    outcome = run_steps([step], GpuRun(job, device_under_test("gpu:0"), "gpu:0"), silent)
    assert [record.workload.variant for record in outcome.records] == ["plain", "imad"]
    assert outcome.labels == ["both", "both"]
    starts = [[window.start_s for window in record.windows] for record in outcome.records]
    assert starts[0][0] < starts[1][0] < starts[0][1] < starts[1][1]


def test_decoder_products_of_llama_are_its_four_weights():
    assert decoder_products("llama-3.1-8b") == [
        ("qkv", 6144, 4096), ("attention out", 4096, 4096), ("gate and up", 28672, 4096), ("down", 4096, 14336),
    ]  # fmt: skip


def test_every_step_of_a_quick_plan_is_estimated_to_fit_eight_minutes():
    meter = meters.make_meter("nvml:0").info
    todo = list(steps("sm_90", brain_float_baseline=True))
    assert sum(estimated_s(step, PLANS["quick"], [meter]) for step in todo) < BUDGET_S + 5
    assert estimated_s(todo[0], PLANS["quick"], [meter]) < 2
    assert estimated_s(Step("memory_copy_cuda", metered=True), PLANS["quick"], [meter]) > 70


def test_probes_of_a_fake_gpu_set_the_rates_of_the_scan_that_follows(cupy, small, job):
    todo = [Step("probe_lop3_cuda"), Step("probe_imad_cuda"), Step("sha256d_scan_cuda", "imad")]
    outcome = run_steps(todo, GpuRun(job, device_under_test("gpu:0"), "gpu:0"), silent)
    assert [record.status for record in outcome.records] == ["ok", "ok", "ok"]
    assert "probed rates" in outcome.records[-1].metrics["bound"].note


def test_a_scan_slowed_by_its_clock_is_also_set_against_the_model_at_that_clock(cupy, small, job):
    record = run_steps(
        [Step("sha256d_scan_cuda", "imad")], GpuRun(job, device_under_test("gpu:0"), "gpu:0"), silent
    ).records[0]
    assert [one.name for one in ratios([record])] == [
        "sha256d_scan_cuda imad, measured over the model's prediction from the probes"
    ]  # nothing was audited here
    slow = record.model_copy(update={"audit": {"gpu": {"mean_sm_clock_mhz": 990.0}}})
    plain, at_clock = ratios([slow])
    assert at_clock.ratio == pytest.approx(2 * plain.ratio)
    assert at_clock.name.endswith("at the mean clock of its windows")


def test_a_step_that_fails_leaves_the_others_running_and_a_failed_record_behind(cupy, small, job, monkeypatch):
    def lost(_scan, *_):
        raise type("CUDARuntimeError", (RuntimeError,), {})("cudaErrorLaunchFailure: unspecified launch failure")

    def unanswered(_workload):
        raise type("CUDADriverError", (RuntimeError,), {})("CUDA_ERROR_LAUNCH_FAILED: unspecified launch failure")

    monkeypatch.setattr(sha256d_scan_cuda.Sha256dScanCuda, "_hash", lost)
    monkeypatch.setattr(sha256d_scan_cuda.Sha256dScanCuda, "parameters", unanswered)
    monkeypatch.setattr(sha256d_scan_cuda.Sha256dScanCuda, "close", unanswered)
    todo = [Step("sha256d_scan_cuda", "plain"), Step("probe_lop3_cuda")]
    outcome = run_steps(todo, GpuRun(job, device_under_test("gpu:0"), "gpu:0"), silent)
    assert [record.status for record in outcome.records] == ["failed", "ok"]
    assert "unspecified launch failure" in outcome.records[0].reasons[0].detail
    assert "CUDA_ERROR_LAUNCH_FAILED" in outcome.records[0].workload.parameters["not_given"]
    assert len(list(job.store.glob("*/result.json"))) == 2


def test_scan_variant_that_calibration_already_chose_is_not_run_twice(cupy, small, job):
    todo = [Step("sha256d_scan_cuda", "plain"), Step("sha256d_scan_cuda", "plain"), Step("sha256d_scan_cuda", "imad")]
    outcome = run_steps(todo, GpuRun(job, device_under_test("gpu:0"), "gpu:0"), silent)
    assert [record.workload.variant for record in outcome.records] == ["plain", "imad"]


def test_the_metered_scan_is_the_faster_of_both_and_the_other_one_is_measured_too(cupy, small, job, monkeypatch):
    monkeypatch.setattr(scan_choice, "GPU_SLICE_S", 0.001)
    step = Step("sha256d_scan_cuda", metered=True, label="best variant", choose=True)
    outcome = run_steps([step], GpuRun(job, device_under_test("gpu:0"), "gpu:0"), silent)
    choice = outcome.scan_choice
    assert {choice.chosen.name, choice.other.name} == {"sha256d_scan_cuda", "sha256d_scan_vr4_cuda"}
    assert [record.workload.name for record in outcome.records] == [choice.chosen.name, choice.other.name]
    assert outcome.labels == ["best variant", "best variant, the other scan"]
    assert all(record.status == "ok" for record in outcome.records)


def test_steps_past_the_budget_are_left_out_and_named(cupy, small, job):
    run = GpuRun(job, device_under_test("gpu:0"), "gpu:0", budget_s=-1.0)
    outcome = run_steps([Step("probe_shf_cuda", label="probe")], run, silent)
    assert outcome.records == []
    assert outcome.skipped == [("probe_shf_cuda probe", "past the budget of -1 s")]


def printed(function) -> str:
    import click

    runner = CliRunner()

    @click.command()
    def command():
        click.echo(f"status {function()}")

    result = runner.invoke(command, catch_exceptions=False)
    return result.output


@pytest.fixture
def two_steps(monkeypatch):
    def short(_architecture, *, brain_float_baseline=False):
        yield Step("probe_lop3_cuda", label="probe")
        yield Step("sha256d_scan_cuda", "imad", label="a label")

    monkeypatch.setattr(gpu_job, "steps", short)


def test_job_on_a_fake_gpu_prints_its_table_last_and_stores_every_record(cupy, small, two_steps, job):
    text = printed(lambda: run_gpu_job(job, "gpu:0", [], as_json=False))
    assert "status 0" in text
    assert text.index("stored in") < text.index("Measured on NVIDIA H200")
    assert "a label" in text
    assert "modelled" in text
    assert "measured over the model's prediction from the probes" in text
    assert len(list(job.store.glob("*/result.json"))) == 2


def test_job_on_a_fake_gpu_gives_one_json_document(cupy, small, two_steps, job, capsys):
    assert run_gpu_job(job, "gpu:0", [], as_json=True) == 0
    document = json.loads(capsys.readouterr().out)
    assert [record["workload"]["name"] for record in document["records"]] == ["probe_lop3_cuda", "sha256d_scan_cuda"]
    assert document["labels"] == ["probe", "a label"]
    assert document["skipped"] == []


def test_job_that_fails_on_a_fake_gpu_exits_with_one_and_keeps_the_record(cupy, small, two_steps, job, capsys):
    cupy.wrong = True
    assert run_gpu_job(job, "gpu:0", [], as_json=True) == 1
    streams = capsys.readouterr()
    assert streams.err.startswith("error: sha256d_scan_cuda: failed: wrong_answer: imad: block 679392: expected nonce")
    assert streams.err.count("\n") == 1
    statuses = {r["workload"]["name"]: r["status"] for r in json.loads(streams.out)["records"]}
    assert statuses == {"probe_lop3_cuda": "ok", "sha256d_scan_cuda": "failed"}


def test_job_on_a_fake_gpu_says_which_scan_it_chose_and_why(cupy, small, job, monkeypatch, capsys):
    monkeypatch.setattr(scan_choice, "GPU_SLICE_S", 0.001)
    step = Step("sha256d_scan_cuda", metered=True, label="best variant", choose=True)
    monkeypatch.setattr(gpu_job, "steps", lambda *_, **__: iter([step]))
    assert run_gpu_job(job, "gpu:0", [], as_json=False) == 0
    text = capsys.readouterr().out
    both = r"sha256d_scan_vr4_cuda:\w+ over sha256d_scan_cuda:\w+"
    assert re.search(rf"^chosen scan: sha256d_scan(_vr4)?_cuda:\w+ \({both}", text, re.MULTILINE)
    assert run_gpu_job(job, "gpu:0", [], as_json=True) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["scan_choice"]["workload"] == document["records"][0]["workload"]["name"]


def test_publish_without_a_workload_is_refused_on_a_gpu(nvml, job):
    import dataclasses

    with pytest.raises(InputError, match="one workload with it on a GPU"):
        run_gpu_job(dataclasses.replace(job, plan=PLANS["publish"]), "gpu:0", [], as_json=True)
