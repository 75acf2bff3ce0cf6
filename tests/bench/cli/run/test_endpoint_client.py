"""`perwatt run endpoint`: what it says of its own client, of its prompts and of the server's queue."""

import json
import re

import pytest
from doubles.endpoint.server import Setup, serving

from bench.results.layout import result_folders

SHORT = ("--input", 16, "--output", 10)


@pytest.fixture(autouse=True)
def quickly_steady(monkeypatch):
    """A server of the tests is steady at once."""
    monkeypatch.setattr("bench.endpoint.workload.STEADY_BLOCK_S", 0.1)


@pytest.fixture
def server():
    with serving(Setup(token_s=0.004, first_token_s=0.01)) as double:
        yield double


def test_the_record_and_the_screen_state_the_ceiling_of_the_client(perwatt, server, tmp_path):
    url = f"http://127.0.0.1:{server.port}"
    done = perwatt("run", "endpoint", "--url", url, *SHORT, "--rate", 40, "--plan", "smoke")
    assert done.returncode == 0, done.stderr
    (folder,) = result_folders(tmp_path / "results")
    record = json.loads((folder / "result.json").read_text())
    ceiling = record["endpoint"]["client"]["ceiling"]
    assert ceiling["tokens_per_s"] == ceiling["chunks_per_s"] > 100
    assert ceiling["streams"] >= 1
    assert record["endpoint"]["client"]["schedule_lag_s"] < 60.0
    assert record["endpoint"]["client"]["start_spread_s"] is None
    share = record["metrics"]["rate"]["value"] / ceiling["tokens_per_s"]
    assert f"client     40 requests/s: {share:.1%} of the " in done.stdout


def test_every_load_has_prompts_of_its_own(perwatt, server):
    """vllm#54227: prompts that came again at the next load made it up to 2.3 times as fast."""
    url = f"http://127.0.0.1:{server.port}"
    options = ("--concurrency", "1,2", "--seed", "same", "--plan", "smoke")
    assert perwatt("run", "endpoint", "--url", url, *SHORT, *options).returncode == 0
    prompts = [tuple(body["prompt"]) for body in server.bodies if isinstance(body["prompt"], list)]
    assert len(prompts) > 20
    assert len(set(prompts)) == len(prompts)


def test_the_screen_tells_the_servers_queue_from_the_first_token(perwatt):
    """MiaAI-Lab GLM#166: a user took the wait in the queue for the time to the first token."""
    with serving(Setup(token_s=0.004, first_token_s=0.01, slots=1)) as double:
        url = f"http://127.0.0.1:{double.port}"
        done = perwatt("run", "endpoint", "--url", url, *SHORT, "--concurrency", 3, "--plan", "smoke")
    assert done.returncode == 0, done.stderr
    queue_ms, share = re.search(
        r"queue +3 at a time: a request waits ([0-9.]+) ms in the server, ([0-9]+)% of TTFT", done.stdout
    ).groups()
    assert float(queue_ms) > 45.0
    assert 50 < int(share) < 150
