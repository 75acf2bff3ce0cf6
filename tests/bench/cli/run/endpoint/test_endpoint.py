"""`perwatt run endpoint` against a server whose token clock is known: what a user gets."""

import re
import time
from datetime import UTC, datetime

import pytest

from bench.endpoint.mixes import split_of
from bench.results.record import Record

pytestmark = pytest.mark.slow

LOG_ROWS = 25_000  # of a log every 10 ms: four minutes, however long a crowded machine takes
TAGS = {"boundary", "power_kind", "token_basis", "lengths", "latency_limit"}


def test_each_load_of_a_list_has_a_record_with_rate_latencies_evidence_and_five_tags(measured, server, assert_rate):
    records = measured("--concurrency", "2,4")["records"]
    assert [record["workload"]["parameters"]["concurrency"] for record in records] == [2, 4]
    for record in records:
        assert set(record["token_tags"]) == TAGS
        assert all(record["token_tags"].values())
        assert record["endpoint"]["loop"] == "closed"
        assert set(record["endpoint"]["outcomes"]) == {"ok"}
        assert record["endpoint"]["server"]["server"] == "vllm"
    assert {len(body["prompt"]) for body in server.bodies if isinstance(body["prompt"], list)} >= {16}
    a_request_s = 0.01 + 9 * 0.004  # the mean answer has 10 tokens
    for record, slots in zip(records, (2, 4), strict=True):
        assert_rate(server, record, slots * 10 / a_request_s, rel=0.25)


def test_requests_beyond_the_limits_are_not_good_and_the_tag_says_how_many_kept_them(measured):
    (strict,) = measured("--concurrency", 2, "--ttft-ms", 1)["records"]
    assert strict["token_tags"]["latency_limit"] == "ttft <= 1 ms (kept by 0%)"
    assert "good_request_rate" not in strict["metrics"]
    (loose,) = measured("--concurrency", 2, "--limits", "llama3.1-8b")["records"]
    kept = re.fullmatch(r"ttft <= 2000 ms, tpot <= 100 ms \(kept by (\d+)%\)", loose["token_tags"]["latency_limit"])
    good, every = (loose["metrics"][name]["value"] for name in ("good_request_rate", "request_rate"))
    assert (good == every) is (kept[1] == "100"), "a request takes 46 ms, unless this machine is crowded"


def test_own_prompts_are_sent_as_they_are(measured, server, tmp_path):
    (tmp_path / "prompts.jsonl").write_text('{"prompt": "one two"}\nthree four five\n')
    (record,) = measured("--dataset", "prompts.jsonl", "--concurrency", 2)["records"]
    assert all(text in [body.get("prompt") for body in server.bodies] for text in ("one two", "three four five"))
    assert record["token_tags"]["lengths"] == "own:10±20%"
    assert record["workload"]["parameters"]["prompts"] == "own"


def test_a_meter_gives_joules_of_each_kind_from_the_same_seconds(measured, tmp_path):
    """A log of constant power covers the run: energy per unit is the power over the rate."""
    watts, now = 500.0, time.time()
    rows = [f"{datetime.fromtimestamp(now - 5 + i * 0.01, UTC).isoformat()},{watts}" for i in range(LOG_ROWS)]
    (tmp_path / "power.csv").write_text("\n".join(["time,power_w", *rows]) + "\n")
    (record,) = measured("--concurrency", 4, "--ttft-ms", 1000, "--meter", "trace:power.csv,accuracy=0.5%")["records"]
    metrics = record["metrics"]
    for unit, rate in (("token", "rate"), ("total_token", "total_token_rate"), ("request", "request_rate"),
                       ("good_request", "good_request_rate")):  # fmt: skip
        name = f"energy_per_{unit}_wall" if unit == "token" else f"joules_per_{unit}_wall"
        assert metrics[name]["value"] == pytest.approx(watts / metrics[rate]["value"], rel=0.02)
        assert metrics[name]["unit"] == f"J/{unit}"
    assert metrics["joules_per_total_token_wall"]["value"] < metrics["energy_per_token_wall"]["value"]
    assert (record["token_tags"]["boundary"], record["token_tags"]["power_kind"]) == ("wall", "measured")


def test_mixes_of_lengths_tell_the_energy_of_prompts_from_that_of_answers(measured, tmp_path):
    """A log of constant power: all of it is the base, and no token costs anything."""
    now = time.time()
    rows = [f"{datetime.fromtimestamp(now - 5 + i * 0.01, UTC).isoformat()},500" for i in range(LOG_ROWS)]
    (tmp_path / "power.csv").write_text("\n".join(["time,power_w", *rows]) + "\n")
    mixes = ("--concurrency", 4, "--mixes", "16:8,64:4,8:20", "--meter", "trace:power.csv,accuracy=0.5%")
    records = [Record.model_validate(record) for record in measured(*mixes)["records"]]
    assert [record.workload.parameters["input"] for record in records] == [16, 64, 8]
    assert all(record.workload.parameters["mix"] for record in records)
    split = split_of(records)
    assert split.base_w.interval[0] <= 500.0 <= split.base_w.interval[1]
    assert split.j_per_output_token.interval[0] <= 0.0 <= split.j_per_output_token.interval[1]
