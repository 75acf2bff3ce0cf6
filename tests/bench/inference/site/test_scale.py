"""A measurement on the device scales the modelled rate, and every figure says so."""

from datetime import UTC, datetime

import pytest

from bench.device_rates import resolve_rate
from bench.inference.predict import plan_run, predict
from bench.inference.rates import make_setup
from bench.results.record import Device, Metric, Record, RunInfo, WorkloadInfo
from bench.results.writing import prepare_store, write_record
from hardware_profiles.errors import InputError

LOAD = "llm:llama-3.1-8b:fp8:nvidia-h200:1000:500:64"


def a_record(workload, rate, device, run="one", plan="quick", **parameters):
    now = datetime(2026, 11, 20, tzinfo=UTC)
    return Record(
        id=f"20261120T120000Z-{workload}-{run}",
        status="ok",
        run=RunInfo(run_id=run, plan=plan, argv=(), started_utc=now, ended_utc=now, perwatt_version="0", commit=None),
        system={},
        device=device,
        workload=WorkloadInfo(
            name=workload, version=1, unit="token", variant="one", parameters=parameters, verification=("known",)
        ),
        assumed_power_w=None,
        metrics={"rate": Metric(value=rate, unit="token/s", basis="measured", n=3)},
    )


@pytest.fixture
def store(tmp_path):
    prepare_store(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def setup():
    return make_setup("llama-3.1-8b", "fp8", "nvidia-h200")


def write_layers(store, setup, factor, *, plan="quick", phases=("prefill", "decode")):
    """Write a replay of 1000:200 and batch 32, `factor` times as fast as the model says."""
    batch, inputs, outputs = 32, 1000, 200
    modelled = predict(plan_run(setup, inputs, outputs, clients=batch, requests=batch)).tokens_per_s * factor
    gpu = Device(kind="gpu", name="NVIDIA H200")
    load = {"model": setup.shape.name, "input": inputs, "output": outputs, "batch": batch, "dtype": "fp8",
            "lengths": "1000:200", "token_basis": "output", "latency_limit": "none"}  # fmt: skip
    for phase, rate in (("prefill", 2 * modelled * inputs / outputs), ("decode", 2 * modelled)):
        if phase in phases:
            write_record(store, a_record(f"llm_{phase}_fp8_cuda", rate, gpu, plan=plan, **load), [])


def test_replayed_layers_of_the_device_scale_the_rate(store, setup):
    write_layers(store, setup, 0.8)
    plain, scaled = resolve_rate(LOAD), resolve_rate(LOAD, store=store)
    assert (plain.basis, scaled.basis) == ("modelled", "replayed")
    assert scaled.rate_per_s == pytest.approx(0.8 * plain.rate_per_s)
    assert scaled.tpot_s == pytest.approx(plain.tpot_s / 0.8)
    assert scaled.power_w <= plain.power_w  # both at the power limit
    assert "scaled by 0.8 (replayed layers, result 20261120T120000Z-llm_decode_fp8_cuda-one)" in scaled.source


@pytest.mark.parametrize("name", [LOAD.replace("h200", "h100-sxm"), LOAD.replace("fp8", "bf16")])
def test_layers_of_another_device_or_precision_scale_nothing(store, setup, name):
    write_layers(store, setup, 0.8)
    assert resolve_rate(name, store=store).basis == "modelled"


@pytest.mark.parametrize("how", [{"plan": "smoke"}, {"phases": ("decode",)}])
def test_a_trial_and_a_decoding_without_its_prompts_scale_nothing(store, setup, how):
    write_layers(store, setup, 0.8, **how)
    assert resolve_rate(LOAD, store=store).basis == "modelled"


def test_a_server_that_only_tried_the_run_is_refused(store):
    record = a_record(
        "llm_serve_endpoint", 900.0, Device(kind="server", name="server"), plan="smoke",
        model="llama-3.1-8b", concurrency=16, input=800, output=400,
    )  # fmt: skip
    write_record(store, record, [])
    with pytest.raises(InputError, match="plan: expected quick or publish"):
        resolve_rate(f"{LOAD}~{record.id}", store=store)


def test_a_server_that_the_user_names_scales_the_rate(store, setup):
    measured = 1.2 * predict(plan_run(setup, 800, 400, clients=16)).tokens_per_s
    record = a_record(
        "llm_serve_endpoint", measured, Device(kind="server", name="server at http://gpu/v1"),
        model="meta-llama/Llama-3.1-8B-Instruct", concurrency=16, input=800, output=400,
    )  # fmt: skip
    write_record(store, record, [])
    scaled = resolve_rate(f"{LOAD}~{record.id}", store=store)
    assert scaled.basis == "replayed"
    assert scaled.rate_per_s == pytest.approx(1.2 * resolve_rate(LOAD).rate_per_s)
    assert f"a server with 16 at a time, result {record.id}" in scaled.source
    with pytest.raises(InputError, match=r"workload.parameters.model: expected llama-2-70b, got 'meta-llama"):
        resolve_rate(f"{LOAD.replace('llama-3.1-8b', 'llama-2-70b')}~{record.id}", store=store)


def test_a_rate_that_cannot_be_of_the_device_is_refused(store, setup):
    write_layers(store, setup, 6.0)
    with pytest.raises(InputError, match="a rate within 4 times the modelled one"):
        resolve_rate(LOAD, store=store)
