"""`perwatt run llm`, `list models` and `validate inference` as a stranger meets them."""

import json
from types import SimpleNamespace

import psutil
import pytest

pytestmark = pytest.mark.usefixtures("memory")
TAGS = {"boundary", "power_kind", "token_basis", "lengths", "latency_limit"}


@pytest.fixture
def memory(monkeypatch):
    """What fits into this machine is decided by this figure, not by how much of it is free."""
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=16 << 30))


@pytest.mark.slow
def test_the_tiny_model_is_measured_on_the_cpu_prefill_and_decode_apart(perwatt, tmp_path):
    done = perwatt(
        "run", "llm", "--input", 48, "--output", 16, "--batch", "1,2", "--threads", 1, "--plan", "smoke",
        "--meter", "none", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["basis"] == "measured"
    assert len(document["rows"]) == 2
    for row, batch in zip(document["rows"], (1, 2), strict=True):
        parameters = row["decode"]["workload"]["parameters"]
        assert (parameters["batch"], parameters["lengths"], parameters["token_basis"]) == (batch, "48:16", "output")
        assert any("float64 reference" in line for line in row["prefill"]["workload"]["verification"])
        read, given = (row[phase]["metrics"]["rate"]["value"] for phase in ("prefill", "decode"))
        assert row["served"]["tokens_per_s"] == pytest.approx(1 / (1 / given + 3 / read))
        assert row["served"]["joules_per_token"] is None
    assert len(list((tmp_path / "results").glob("*llm_*"))) == 4


def test_a_gpu_of_the_catalogue_is_modelled_and_every_figure_says_so_with_five_tags(perwatt):
    done = perwatt(
        "run",
        "llm",
        "--model",
        "llama-3.1-8b",
        "--dtype",
        "fp8",
        "--input",
        1024,
        "--output",
        1024,
        "--batch",
        64,
        "--json",
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["basis"], document["device"]) == ("modelled", "nvidia-h200")
    row = document["rows"][0]
    assert set(row["tags"]) == TAGS
    assert all(row["tags"].values())
    assert row["basis"] == "modelled"
    assert row["holdout"]["rows"] > 30
    power = document["power"]["w_per_gpu"]
    assert row["joules_per_token"] == pytest.approx(power / row["tokens_per_s"])


def test_a_power_limit_costs_rate_and_every_row_has_watts_with_their_error(perwatt):
    asked = ("run", "llm", "--model", "llama-3.1-8b", "--dtype", "fp8", "--batch", 64, "--output", 1000)
    free, capped = (json.loads(perwatt(*asked, *cap, "--json").stdout)["rows"][0] for cap in ((), ("--cap", 300)))
    power = capped["modelled_power"]
    assert power["gpu_w"] == pytest.approx(300, abs=0.1)
    assert power["node_w_per_gpu"] > power["gpu_w"]
    assert 0 < power["rms_ln"]["gpu_w"] <= power["rms_ln"]["node_w"] < power["rms_ln"]["joules_per_token"]
    assert capped["tokens_per_s"] < free["tokens_per_s"]
    assert power["joules_per_token"] < free["modelled_power"]["joules_per_token"] < free["joules_per_token"]
    assert "Each GPU is limited to 300 W" in perwatt(*asked, "--cap", 300).stdout


def test_a_device_without_published_watts_says_so_and_keeps_the_provisioned_figure(perwatt):
    asked = ("run", "llm", "--model", "llama-3.1-8b", "--dtype", "fp8", "--device", "nvidia-l40s")
    assert "W a GPU: not modelled: no watts of nvidia-l40s" in perwatt(*asked).stdout
    row = json.loads(perwatt(*asked, "--json").stdout)["rows"][0]
    assert row["modelled_power"] is None
    assert row["joules_per_token"] > 0


def test_an_estimate_is_called_one(perwatt):
    asked = ("run", "llm", "--model", "llama-3.1-8b", "--dtype", "fp8", "--device", "amd-instinct-mi300x")
    assert "an estimate, node boundary: no watts of cdna3 GPUs under a load were published" in " ".join(
        perwatt(*asked).stdout.split()
    )
    power = json.loads(perwatt(*asked, "--json").stdout)["rows"][0]["modelled_power"]
    assert (power["is_estimate"], power["holdout"]["rows"]) == (True, 0)


def test_a_sweep_prints_a_line_a_batch_and_draws_the_pareto_plot(perwatt, tmp_path):
    done = perwatt("run", "llm", "--model", "llama-3.3-70b", "--dtype", "fp8", "--device", "nvidia-h200", "--gpus", 2,
                   "--batch", "1,16,256", "--plot", tmp_path / "pareto.svg")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("none (closed loop)") == 3
    assert "Modelled: Llama 3.3 70B in fp8 on 2 x NVIDIA H200" in done.stdout
    assert "± is the mean error of the class dense-fp8 on 88 published rows" in " ".join(done.stdout.split())
    assert "<svg" in (tmp_path / "pareto.svg").read_text()


def test_a_sweep_of_all_ends_with_the_most_users_that_fit_and_marks_a_doubtful_class(perwatt):
    asked = ("run", "llm", "--model", "llama-3.1-8b", "--dtype", "fp8", "--engine", "sglang", "--input", 1000)
    asked = (*asked, "--output", 1000)
    done = perwatt(*asked, "--batch", "all", "--json")
    rows = json.loads(done.stdout)["rows"]
    assert [row["users"] for row in rows[:3]] == [1, 2, 4]
    assert rows[-1]["users"] not in (1 << power for power in range(12))
    assert all("dense-sglang: on 14 published rows" in row["warning"] for row in rows)
    printed = perwatt(*asked, "--batch", 8).stdout
    assert "! Do not plan with these figures: dense-sglang" in " ".join(printed.split())
    assert "± 40% !" in printed


def test_a_latency_limit_becomes_the_fifth_tag(perwatt):
    done = perwatt(
        "run",
        "llm",
        "--model",
        "llama-3.1-8b",
        "--dtype",
        "fp8",
        "--device",
        "nvidia-h100-sxm",
        "--tpot-ms",
        8,
        "--json",
    )
    row = json.loads(done.stdout)["rows"][0]
    assert row["tags"]["latency_limit"] == "TPOT <= 8 ms"
    assert row["tpot_s"] <= 0.008


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            "--model llama-3.1-405b --dtype fp8",
            "261.3 GB too large; no batch fits, not even 1; 4 of them would hold it",
        ),
        ("--model llama-3.1-8b --dtype fp8 --batch 5000 --input 1024 --output 1024", "the largest batch that fits"),
        (
            "--model llama-3.1-8b --dtype fp4 --device nvidia-h100-sxm",
            "dtype: expected one that the device computes in",
        ),
        ("--model llama-2-70b --dtype fp8 --gpus 2 --input 4000 --output 500", "at most 4096 tokens (its context)"),
        ("--model llama-3.1-8b --dtype fp8 --gpus 3", "expected a divisor of heads = 32, got 3"),
        ("--model llama-3.1-8b --gpus 32", "expected at most 8 (one server), or 16 (two whole servers), got 32"),
        (
            "--model llama-3.1-8b --offline --batch 4",
            "one of --batch, --offline, --rate, --arrivals and a latency limit, got '--batch with",
        ),
        ("--model llama-3.1-8b --cap 20", "power cap: expected "),
        ("--model llama-3.1-8b --measured none", "none"),
        ("--cap 300", "expected a GPU of the catalogue for --cap"),
        ("--model llama-3.1-8b --watts 300", "--watts: expected --device cpu or gpu:INDEX, which are measured"),
        ("--model llama-3.1-8b --device nvidia-h200x2", "--device: expected nvidia-h200 with --gpus 2"),
        ("--model lama-3.1-8b", "did you mean llama-3.1-8b"),
        ("--model llama-3.1-405b --device cpu", "GB too large; no batch fits, not even 1"),
        ("--dtype fp8", "--dtype: expected fp32, the only precision of the CPU replay, got 'fp8'"),
        ("--batch many", "--batch: expected whole numbers above 0"),
        ("--batch 10000000", "the largest batch that fits"),
        ("--input 4000", "expected at most 2048 tokens (its context), got 4000 + 64 = 4064"),
        ("--output 0", "output: expected at least 1, got 0"),
        ("--device gpu:0 --model mixtral-8x7b", "expected a dense model, because the replay on a GPU has no routing"),
        ("--device gpu:0 --dtype fp4", "dtype: expected one of bf16, fp16, fp8 on a GPU, got fp4"),
        (
            "--device gpu:0 --gpus 2",
            "--gpus: expected 1 for a measurement; only a GPU of the catalogue is modelled with more",
        ),
        ("--device gpu:0 --offline", "expected a GPU of the catalogue for --offline"),
        ("--device gpu:x --model llama-3.1-8b", "expected gpu:<index>, as in gpu:0, got 'gpu:x'"),
        ("--device gpu:0 --model llama-3.1-8b --input 131072", "at most 131072 tokens (its context)"),
        ("--device nvidia-h20 --model llama-3.1-8b", "did you mean nvidia-h200"),
        ("--offline", "expected a GPU of the catalogue for --offline"),
        ("--gpus 2", "--gpus: expected 1 on the CPU, got 2"),
        ("--model llama-3.1-8b --plot x.txt", "--plot: expected a file ending in"),
        ("--model llama-3.1-8b --ttft-ms 0", "--ttft-ms: expected milliseconds above 0"),
        ("--model llama-3.1-8b --ttft-ms 0.1", "latency limit: expected at least the latencies"),
    ],
)
def test_what_cannot_be_run_is_refused_on_one_line(refused, arguments, message):
    assert message in refused("run", "llm", *arguments.split())


def test_models_are_listed_with_their_sources(perwatt):
    listed = json.loads(perwatt("list", "models", "--json").stdout)
    assert {row["model"] for row in listed} >= {"llama-3.1-8b", "gpt-oss-120b", "tiny"}
    assert all(row["sources"] for row in listed)
    assert "mixtral-8x7b" in perwatt("list", "models").stdout


def test_validate_inference_refuses_a_file_that_is_none(refused, tmp_path):
    assert "no such file" in refused("validate", "inference", "--data", tmp_path / "none.csv")
