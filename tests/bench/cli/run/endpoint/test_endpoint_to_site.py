"""A sweep of `perwatt run endpoint`, its screen, and its results at a site; and a real server."""

import html
import json
import re
from pathlib import Path

import pytest

from bench.endpoint.tiny.server import is_installed
from sites.examples import example_path

pytestmark = pytest.mark.slow

SHORT = ("--input", 16, "--output", 10)


def test_a_sweep_measures_doubled_loads_in_random_order_and_one_of_them_twice(measured):
    records = measured("--concurrency", "sweep", "--most", 4, "--seed", "a")["records"]
    loads = [record["workload"]["parameters"]["concurrency"] for record in records]
    assert sorted(set(loads[:3])) == [1, 2, 4]
    assert loads[3] == loads[0]
    assert len({record["run"]["run_id"] for record in records}) == 1
    assert len({record["workload"]["parameters"]["seed"] for record in records}) == len(records)


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
    assert "expected latency_limit with a measured curve" in year("").stderr


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
    assert "best       " in text
    assert "pareto     " in text
    if "client_bound" in text:
        pytest.skip("crowded machine: the client was too slow, which costs the energy, and so the lines for a site")
    assert 'in a site  device = "result:' in text
    assert re.search(r'in a site  device = "curve:[^"]+"  \(2 loads; the site uses the best ones in each hour\)', text)


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
    assert re.search(r"knee +([0-9]+ at a time: larger loads|none up to 4 at a time|not stated: )", done.stdout)
    front = re.search(r"pareto +([0-9, ]+):", done.stdout)[1]
    page = perwatt("report", "--out", "page.html")
    assert page.returncode == 0, page.stderr
    text = html.unescape((tmp_path / "page.html").read_text())
    assert f"Loads that no other beats: {front}" in text
    assert "tiny server, a model of random weights" in text
