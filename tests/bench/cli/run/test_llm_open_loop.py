"""`perwatt run llm --rate` and `--quantile` as a stranger meets them."""

import json
import re

import pytest

MODEL = ("--model", "llama-3.1-8b", "--dtype", "fp8", "--input", 500, "--output", 50)


def test_a_rate_is_modelled_with_quantiles_of_its_latencies_and_says_so(perwatt):
    done = perwatt("run", "llm", *MODEL, "--rate", "5,40")
    assert done.returncode == 0, done.stderr
    assert (
        "Modelled: Llama 3.1 8B in fp8 on 1 x NVIDIA H200 SXM 141 GB, 500:50, random arrivals, latencies in ms"
        in done.stdout
    )
    assert "requests/s. Times of arrival: Poisson process, seed 0; 85,000 requests are counted a row." in done.stdout
    assert "Basis: modelled" in done.stdout
    rows = [line.split() for line in done.stdout.splitlines() if line.startswith("      ")]
    assert [row[0] for row in rows[-2:]] == ["5.000", "40.00"]
    assert [row[2] for row in rows[-2:]] == ["250.0", "2,000"]


@pytest.mark.slow
def test_the_document_of_a_rate_has_estimates_with_intervals_and_repeats_with_its_seed(perwatt):
    command = ("run", "llm", *MODEL, "--rate", "all", "--burstiness", 0.5, "--json")
    rows = json.loads(perwatt(*command).stdout)["rows"]
    assert len(rows) == 9
    for index, row in enumerate(rows, 1):
        assert row["rate_per_s"]["value"] == pytest.approx(index / 10 * row["capacity_per_s"], rel=0.01)
        assert row["tokens_per_s"] == pytest.approx(50 * row["rate_per_s"]["value"])
        assert (row["basis"], row["burstiness"], row["seed"]) == ("modelled", 0.5, 0)
        assert row["tags"]["latency_limit"].startswith("none (open loop, ")
        assert row["ttft"]["q99_s"]["low"] <= row["ttft"]["q99_s"]["value"] <= row["ttft"]["q99_s"]["high"]
        assert row["ttft_s"] == row["ttft"]["mean_s"]["value"]
    tails = [row["ttft"]["q99_s"]["value"] for row in rows]
    assert tails == sorted(tails)
    assert json.loads(perwatt(*command).stdout)["rows"] == rows
    other = json.loads(perwatt(*command, "--seed", 3).stdout)["rows"]
    assert other[0]["ttft"] != rows[0]["ttft"]


def test_limits_with_a_quantile_give_the_largest_rate_with_its_interval(perwatt, tmp_path):
    command = ("run", "llm", *MODEL, "--ttft-ms", 450, "--tpot-ms", 10, "--quantile", 0.99)
    done = perwatt(*command, "--plot", tmp_path / "pareto.svg")
    assert done.returncode == 0, done.stderr
    assert "Largest rate with TTFT q99 <= 450 ms and TPOT q99 <= 10 ms: " in done.stdout
    assert "95 % interval of the simulation: " in done.stdout
    assert "<svg" in (tmp_path / "pareto.svg").read_text()
    row = json.loads(perwatt(*command, "--json").stdout)["rows"][0]
    assert row["tpot"]["q99_s"]["value"] <= 0.01
    assert row["rate_per_s"]["low"] < row["rate_per_s"]["value"] < row["capacity_per_s"]
    assert row["tags"]["latency_limit"] == "TTFT q99 <= 450 ms and TPOT q99 <= 10 ms"


def test_figures_of_a_doubtful_class_are_marked(perwatt):
    done = perwatt("run", "llm", "--model", "llama-3.1-8b", "--dtype", "fp8", "--engine", "sglang", "--rate", 1)
    assert "! Do not plan with these figures" in done.stdout
    assert re.search(r"([\d.]+!\s+){8}", done.stdout)
    assert "% ! requests/s" in done.stdout


def test_a_trace_of_arrivals_is_replayed_with_its_lengths(perwatt, tmp_path):
    trace = tmp_path / "trace.csv"
    trace.write_text("time_s,input_tokens,output_tokens\n0,500,50\n10,500,50\n20,1000,100\n")
    command = ("run", "llm", *MODEL[:4], "--arrivals", trace)
    row = json.loads(perwatt(*command, "--json").stdout)["rows"][0]
    assert (row["input"], row["output"], row["simulated_requests"]) == (667, 67, 3)
    assert row["arrivals"] == "trace.csv: 3 requests in 20 s"
    assert row["rate_per_s"]["value"] == pytest.approx(3 / 20.4, rel=0.01)
    assert row["tokens_per_s"] == pytest.approx(200 / 3 * row["rate_per_s"]["value"])
    alone = json.loads(perwatt("run", "llm", *MODEL, "--batch", 1, "--json").stdout)["rows"][0]
    assert row["ttft"]["q50_s"]["value"] == pytest.approx(alone["ttft_s"])
    printed = perwatt(*command).stdout
    assert "667:67, arrivals of a trace, latencies in ms" in printed
    assert "Times of arrival: trace.csv: 3 requests in 20 s; the lengths are means, and every request" in printed


def test_a_trace_without_lengths_has_those_of_the_options_and_one_with_lengths_refuses_them(perwatt, refused, tmp_path):
    trace = tmp_path / "trace.csv"
    trace.write_text("time_s\n0\n10\n20\n")
    row = json.loads(perwatt("run", "llm", *MODEL, "--arrivals", trace, "--json").stdout)["rows"][0]
    assert (row["input"], row["output"]) == (500, 50)
    trace.write_text("time_s,input_tokens,output_tokens\n0,500,50\n10,500,500000\n")
    assert "--input: expected no other lengths" in refused("run", "llm", *MODEL, "--arrivals", trace)
    assert "at most 131072 tokens (its context)" in refused("run", "llm", *MODEL[:4], "--arrivals", trace)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--rate 0", "--rate: expected requests/s above 0, separated by commas, or all, got '0'"),
        ("--rate -3", "--rate: expected requests/s above 0"),
        ("--rate fast", "--rate: expected requests/s above 0"),
        ("--rate nan", "--rate: expected requests/s above 0"),
        ("--rate 1e999", "--rate: expected requests/s above 0"),
        ("--rate 1,,2", "--rate: expected requests/s above 0"),
        ("--rate 1e-9", "rate: expected requests/s from 0.0001 to 1,000,000, got 1e-09"),
        ("--rate 1e8", "rate: expected requests/s from 0.0001 to 1,000,000, got 100000000.0"),
        ("--rate 5000", "requests/s of 256:64 tokens that it can serve, above which the queue only grows, got 5000.0"),
        ("--rate 5 --output 0", "output: expected at least 1 token, got 0"),
        ("--rate all --input 200000", "at most 131072 tokens (its context)"),
        ("--rate 5 --batch 8", "--rate, --arrivals and a latency limit, got '--batch with --rate"),
        ("--rate 5 --ttft-ms 9", "--rate, --arrivals and a latency limit, got '--rate with"),
        ("--rate 5 --quantile 0.9", "--quantile: expected --ttft-ms or --tpot-ms with it, got 0.9"),
        ("--quantile 0.9", "--quantile: expected --ttft-ms or --tpot-ms with it, got 0.9"),
        ("--ttft-ms 90 --quantile 99", "--quantile: expected 0.5 to 0.999, got 99.0"),
        ("--ttft-ms 90 --quantile nan", "--quantile: expected 0.5 to 0.999, got nan"),
        ("--ttft-ms inf --quantile 0.9", "--ttft-ms: expected milliseconds above 0, got inf"),
        ("--ttft-ms 1 --quantile 0.9", "latency limit of llama-3.1-8b on 1 x nvidia-h200: expected more than the"),
        ("--tpot-ms 9 --quantile 0.9 --output 1", "--tpot-ms: expected an --output of at least 2 tokens with it"),
        ("--ttft-ms 90 --seed 4", "--seed: expected --rate or --quantile with it, got 4"),
        ("--burstiness 2", "--burstiness: expected --rate or --quantile with it, got 2.0"),
        ("--rate 5 --burstiness 0", "--burstiness"),
        ("--rate 5 --cap 20", "power cap: expected "),
        ("--rate 5 --measured none", "none"),
        ("--arrivals none.csv", "none.csv: expected a readable trace of arrivals"),
        ("--arrivals none.csv --rate 5", "--rate, --arrivals and a latency limit, got '--rate with --arrivals'"),
        ("--arrivals none.csv --seed 5", "--seed: expected --rate or --quantile with it, got 5"),
        ("--arrivals none.csv --device cpu", "--device: expected a GPU of the catalogue for --arrivals, got 'cpu'"),
        ("--rate 5 --threads 2", "--threads: expected --device cpu or gpu:INDEX, which are measured"),
        ("--rate 5 --device cpu --model tiny", "--device: expected a GPU of the catalogue for --rate, got 'cpu'"),
        ("--seed 5 --device gpu:0", "--device: expected a GPU of the catalogue for --seed, got 'gpu:0'"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_on_one_line(refused, arguments, message):
    assert message in refused("run", "llm", "--model", "llama-3.1-8b", "--dtype", "fp8", *arguments.split())
