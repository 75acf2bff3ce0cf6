"""A server whose token clock is known, and the command against it with its records checked."""

import json

import jsonschema
import pytest
from doubles.crowded import LATE, skip_where
from doubles.endpoint.server import Setup, serving

from bench.results.layout import result_folders
from bench.results.schema import PUBLISHED

SHORT = ("--input", 16, "--output", 10)


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


@pytest.fixture(scope="session")
def assert_rate():
    """Return the check of a rate against what the server sent, and of that against what was to be expected.

    A late client promises no rate, and a crowded machine makes the server late.
    """

    def check(server, record, expected_per_s, rel):
        codes = {reason["code"] for reason in record["warnings"]}
        skip_where(codes, LATE)
        spans = [(window["start_s"], window["end_s"]) for window in record["windows"]]
        sent_per_s = sum(server.sent_between(*span) for span in spans) / sum(end - start for start, end in spans)
        assert record["metrics"]["rate"]["value"] == pytest.approx(sent_per_s, rel=0.25)
        skip_where(codes)
        assert record["metrics"]["rate"]["value"] == pytest.approx(expected_per_s, rel=rel)

    return check
