"""`perwatt run endpoint` with arrivals: at a rate, from a trace, and more than the server can serve."""

import json

import pytest
from doubles.endpoint.server import Setup, serving

pytestmark = pytest.mark.slow

SHORT = ("--input", 16, "--output", 10)


def test_an_open_loop_sends_at_its_rate(measured, server, assert_rate):
    (record,) = measured("--rate", 40)["records"]
    assert (record["endpoint"]["loop"], record["workload"]["parameters"]["concurrency"]) == ("open", None)
    assert_rate(server, record, 400, rel=0.6)  # few requests in short windows


def test_a_trace_is_replayed_with_its_times_and_lengths(measured, server, assert_rate, tmp_path):
    rows = [f"{0.03 * i:.3f},{16 + i % 5},{8 + i % 3}" for i in range(1000)]
    (tmp_path / "trace.csv").write_text("\n".join(["time_s,input_tokens,output_tokens", *rows]))
    (record,) = measured("--arrivals", "trace.csv")["records"]
    parameters = record["workload"]["parameters"]
    assert (record["endpoint"]["loop"], parameters["concurrency"]) == ("open", None)
    assert parameters["arrivals"] == "trace.csv: 1,000 requests in 29.97 s"
    assert parameters["rate_per_s"] == pytest.approx(1 / 0.03)
    assert record["token_tags"]["lengths"] == "18:9 on average"
    assert set(record["endpoint"]["outcomes"]) == {"ok"}
    sent = [(len(body["prompt"]), body["max_tokens"]) for body in server.bodies if body.get("stream")]
    assert [(16 + i % 5, 8 + i % 3) for i in range(20)] == sent[-len(sent) :][sent.index((16, 8)) :][:20]
    assert_rate(server, record, 9 / 0.03, rel=0.6)  # few requests in short windows


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
