"""`perwatt run endpoint` against a server whose token clock is known, and against a real one: what a user gets."""

import html
import json
import re
import time
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest
from doubles.crowded import is_quiet
from doubles.endpoint.server import Setup, serving

from bench.endpoint.mixes import split_of
from bench.endpoint.tiny.server import is_installed
from bench.results.layout import result_folders
from bench.results.record import Record
from bench.results.schema import PUBLISHED
from sites.examples import example_path

pytestmark = pytest.mark.slow

SHORT = ("--input", 16, "--output", 10)
LOG_ROWS = 25_000  # of a log every 10 ms: four minutes, however long a crowded machine takes
TAGS = {"boundary", "power_kind", "token_basis", "lengths", "latency_limit"}


@pytest.fixture(autouse=True)
def quickly_steady(monkeypatch):
    """A server of the tests is steady at once, and so is its power."""
    monkeypatch.setattr("bench.endpoint.workload.STEADY_BLOCK_S", 0.1)
    monkeypatch.setattr("bench.limits.LEAD_FLOOR_S", 0.15)


@pytest.fixture(autouse=True)
def without_ceiling(monkeypatch):
    """Other tests have the ceiling of the client, which takes a second of each run."""
    monkeypatch.setattr("bench.endpoint.workload.measure_ceiling", lambda *_: None)


@pytest.fixture
def server():
    with serving(Setup(token_s=0.004, first_token_s=0.01)) as double:
        yield double


@pytest.fixture
def measured(perwatt, server, tmp_path):
    """Run the command against the double, check every record against its schema, and return the JSON document."""

    def call(*options, status=0, plan="smoke"):
        url = f"http://127.0.0.1:{server.port}"
        lengths = () if {"--mixes", "--arrivals"} & {*options} else SHORT[2:] if "--dataset" in options else SHORT
        done = perwatt("run", "endpoint", "--url", url, *lengths, "--plan", plan, *options, "--json")
        assert done.returncode == status, done.stderr
        document = json.loads(done.stdout)
        check = jsonschema.Draft202012Validator(json.loads(PUBLISHED.read_text()))
        for folder in result_folders(tmp_path / "results"):
            check.validate(json.loads((folder / "result.json").read_text()))
        return document

    return call


def test_each_load_of_a_list_has_a_record_with_rate_latencies_evidence_and_five_tags(measured, server):
    document = measured("--concurrency", "2,4")
    assert [record["workload"]["parameters"]["concurrency"] for record in document["records"]] == [2, 4]
    for record, slots in zip(document["records"], (2, 4), strict=True):
        assert set(record["token_tags"]) == TAGS
        assert all(record["token_tags"].values())
        a_request_s = 0.01 + 9 * 0.004  # the mean answer has 10 tokens
        assert record["metrics"]["rate"]["value"] < 1.25 * slots * 10 / a_request_s
        assert_rate_of(server, record)
        assert record["endpoint"]["loop"] == "closed"
        assert set(record["endpoint"]["outcomes"]) == {"ok"}
        assert record["endpoint"]["server"]["server"] == "vllm"
    assert {len(body["prompt"]) for body in server.bodies if isinstance(body["prompt"], list)} >= {16}


def test_an_open_loop_sends_at_its_rate(measured, server):
    (record,) = measured("--rate", 40)["records"]
    assert (record["endpoint"]["loop"], record["workload"]["parameters"]["concurrency"]) == ("open", None)
    assert record["metrics"]["rate"]["value"] == pytest.approx(400, rel=0.6)  # few requests in short windows
    assert_rate_of(server, record)


def assert_rate_of(server, record):
    """Hold a rate against what the server sent by its own clock; a client that was too late promises none."""
    spans = [(window["start_s"], window["end_s"]) for window in record["windows"]]
    rate_per_s = sum(server.sent_between(*span) for span in spans) / sum(end - start for start, end in spans)
    if is_quiet(reason["code"] for reason in record["warnings"]):
        assert record["metrics"]["rate"]["value"] == pytest.approx(rate_per_s, rel=0.25)


def test_a_trace_is_replayed_with_its_times_and_lengths(measured, server, tmp_path):
    rows = [f"{0.03 * i:.3f},{16 + i % 5},{8 + i % 3}" for i in range(1000)]
    (tmp_path / "trace.csv").write_text("\n".join(["time_s,input_tokens,output_tokens", *rows]))
    (record,) = measured("--arrivals", "trace.csv")["records"]
    parameters = record["workload"]["parameters"]
    assert (record["endpoint"]["loop"], parameters["concurrency"]) == ("open", None)
    assert parameters["arrivals"] == "trace.csv: 1,000 requests in 29.97 s"
    assert parameters["rate_per_s"] == pytest.approx(1 / 0.03)
    assert record["token_tags"]["lengths"] == "18:9 on average"
    assert record["metrics"]["rate"]["value"] == pytest.approx(9 / 0.03, rel=0.6)  # few requests in short windows
    assert set(record["endpoint"]["outcomes"]) == {"ok"}
    sent = [(len(body["prompt"]), body["max_tokens"]) for body in server.bodies if body.get("stream")]
    assert [(16 + i % 5, 8 + i % 3) for i in range(20)] == sent[-len(sent) :][sent.index((16, 8)) :][:20]


@pytest.mark.parametrize("option", ["--rate", "--arrivals"])
def test_a_load_that_the_server_cannot_keep_is_over_saturated(perwatt, tmp_path, option):
    """One slot serves about five requests a second, and 100 come."""
    (tmp_path / "trace.csv").write_text("time_s\n" + "".join(f"{0.01 * i}\n" for i in range(6000)))
    with serving(Setup(token_s=0.02, first_token_s=0.01, slots=1)) as slow:
        load = (option, 100 if option == "--rate" else "trace.csv")
        url = f"http://127.0.0.1:{slow.port}"
        done = perwatt("run", "endpoint", "--url", url, *SHORT, *load, "--plan", "smoke", "--json")
    (record,) = json.loads(done.stdout)["records"]
    assert "over_saturated" in [reason["code"] for reason in (*record["reasons"], *record["warnings"])]


def test_a_trace_that_ends_before_the_windows_is_no_measurement(perwatt, server, tmp_path):
    (tmp_path / "trace.csv").write_text("time_s\n" + "".join(f"{0.05 * i}\n" for i in range(80)))
    url = f"http://127.0.0.1:{server.port}"
    done = perwatt("run", "endpoint", "--url", url, *SHORT, "--arrivals", "trace.csv", "--plan", "publish")
    assert done.returncode == 1
    assert (
        "the arrivals ended before the windows did; use a longer trace, or a shorter plan" in done.stdout + done.stderr
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--rate", 4), "--arrivals: expected either --arrivals or --rate, got 'both'"),
        (("--concurrency", 4), "expected either --arrivals or --concurrency"),
        (("--input", 4), "--input: expected no other lengths than those of the trace"),
        (("--mixes", "1:2,3:4,5:6"), "expected either --arrivals or --mixes"),
    ],
)
def test_what_a_trace_says_is_not_said_twice(perwatt, tmp_path, options, message):
    (tmp_path / "trace.jsonl").write_text('{"timestamp": 0, "input_length": 5, "output_length": 5}\n' * 2
                                          + '{"timestamp": 9, "input_length": 5, "output_length": 5}\n')  # fmt: skip
    done = perwatt("run", "endpoint", "--url", "http://127.0.0.1:9", "--arrivals", "trace.jsonl", *options)
    assert done.returncode == 2
    assert message in done.stderr


def test_a_sweep_measures_doubled_loads_in_random_order_and_one_of_them_twice(measured):
    records = measured("--concurrency", "sweep", "--most", 4, "--seed", "a")["records"]
    loads = [record["workload"]["parameters"]["concurrency"] for record in records]
    assert sorted(set(loads[:3])) == [1, 2, 4]
    assert loads[3] == loads[0]
    assert len({record["run"]["run_id"] for record in records}) == 1
    assert len({record["workload"]["parameters"]["seed"] for record in records}) == len(records)


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


def test_a_result_is_the_device_of_a_site_with_its_tags(measured, perwatt, tmp_path):
    """It is the rate of whole requests, never taken for the decoding half of a model's layers."""
    (record,) = measured("--concurrency", 4, "--watts", 700, plan="quick")["records"]
    text = Path(example_path()).read_text()
    lines = [
        f'device = "result:{record["id"]}"' if line.startswith('device = "llm:') else line for line in text.splitlines()
    ]
    (tmp_path / "site.toml").write_text("\n".join(lines))
    done = perwatt("yield", "site.toml")
    assert done.returncode == 0, done.stderr
    assert record["id"] in done.stdout
    assert "16:10±20%" in done.stdout
    assert "answers alone" not in done.stdout


def test_a_sweep_is_the_operating_curve_of_a_site(measured, perwatt, tmp_path):
    """The declared power is the same at every load, so the load with the most tokens is the one that a site uses."""
    document = measured("--concurrency", "sweep", "--most", 4, "--watts", 700, plan="quick")
    (example,) = [line for line in Path(example_path()).read_text().splitlines() if line.startswith('device = "llm:')]
    sweep = f'device = "sweep:{document["records"][0]["id"]}"'

    def year(limit):
        (tmp_path / "site.toml").write_text(Path(example_path()).read_text().replace(example, f"{sweep}\n{limit}"))
        return perwatt("yield", "site.toml")

    done = year("latency_limit = { tpot_q50_ms = 200 }")
    assert done.returncode == 0, done.stderr
    assert "latency limit tpot q50 <= 200 ms, wall power provisioned" in done.stdout
    table = done.stdout.partition("Operating points of gpu modules")[2]
    used = re.findall(r"(\d+) at a time .* [0-9.]+%\n", table)
    valid = [record for record in document["records"] if record["status"] == "ok"]
    rates = {record["workload"]["parameters"]["concurrency"]: record["metrics"]["rate"]["value"] for record in valid}
    assert len(used) == 1
    assert rates[int(used[0])] == max(rates.values())
    assert re.search(r"\d at a time .* not used: a mix of other points", table)
    late = year("latency_limit = { tpot_q50_ms = 0.01 }")
    assert late.returncode == 2
    assert (
        "key latency_limit: expected a limit that a point keeps, got 'tpot q50 <= 0.01 ms: 1 at a time: tpot q50 is"
        in late.stderr
    )
    assert "expected latency_limit with a sweep" in year("").stderr


def test_the_screen_names_loads_tags_and_the_result_for_a_site_and_no_rate_below_zero(perwatt, server):
    url = f"http://127.0.0.1:{server.port}"
    done = perwatt("run", "endpoint", "--url", url, *SHORT, "--concurrency", "1,4", "--plan", "quick", "--watts", 500)
    assert done.returncode == 0, done.stderr
    text = done.stdout
    assert "prompts of 16 tokens (unique token ids), answers of 10 ± 20 % tokens; tokens by the token ids" in text
    assert "tokens     output tokens, 16:10±20% in:out" in text
    assert "llm_serve_endpoint (" not in text, "notes name the load"
    assert "1 at a time" in text
    tables = text.partition("note:")[0]
    assert re.search(r"[0-9] to [0-9]", tables)
    assert not re.search(r"-[0-9.,]+ to ", tables), "no interval of a rate begins below 0"
    if "client_bound" not in text:  # a client that was too slow costs the energy, and so the choice
        assert 'in a site  device = "result:' in text
        assert re.search(
            r'in a site  device = "sweep:[^"]+"  \(2 loads, of which it uses the best in each hour\)', text
        )
        assert "best       " in text
        assert "pareto     " in text


@pytest.mark.skipif(not is_installed(), reason="the extra `serve` (xllamacpp, gguf) is not installed")
def test_the_tiny_server_is_started_measured_and_ended(perwatt):
    done = perwatt("run", "endpoint", "--url", "tiny", *SHORT, "--concurrency", 2, "--plan", "smoke", "--json")
    assert done.returncode == 0, done.stderr
    (record,) = json.loads(done.stdout)["records"]
    assert (record["workload"]["variant"], record["workload"]["parameters"]["model"]) == ("llama.cpp", "tiny")
    assert record["metrics"]["rate"]["value"] > 10
    assert "client_local" in [reason["code"] for reason in record["warnings"]]


@pytest.mark.skipif(not is_installed(), reason="the extra `serve` (xllamacpp, gguf) is not installed")
def test_a_sweep_of_the_tiny_server_names_its_knee_and_its_page_the_loads_that_no_other_beats(perwatt, tmp_path):
    done = perwatt("run", "endpoint", "--url", "tiny", *SHORT, "--concurrency", "sweep", "--most", 4, "--plan", "smoke")
    assert done.returncode == 0, done.stderr
    assert re.search(r"knee +([0-9]+ at a time: larger loads|none up to 4 at a time)", done.stdout)
    front = re.search(r"pareto +([0-9, ]+):", done.stdout)[1]
    page = perwatt("report", "--out", "page.html")
    assert page.returncode == 0, page.stderr
    text = html.unescape((tmp_path / "page.html").read_text())
    assert f"Loads that no other beats: {front}" in text
    assert "tiny server, a model of random weights" in text
