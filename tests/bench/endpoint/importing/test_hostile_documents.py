"""Whatever is in a file: it is imported with figures that make sense, or refused in one line that names the key."""

import copy
import json
import random
import re

import pytest
from doubles import load_generators as tools

from bench.endpoint.importing.document import MOST_RUNS, read_source
from bench.endpoint.importing.records import record_of
from hardware_profiles.errors import InputError


@pytest.fixture
def refusal(tmp_path):
    """Return the one line with which a file's content is refused."""

    def call(content):
        path = tmp_path / "result.json"
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        with pytest.raises(InputError) as refused:
            _records(path)
        (line,) = refused.value.faults
        return line

    return call


@pytest.mark.parametrize(
    ("value", "got"),
    [(float("nan"), "nan"), (float("inf"), "inf"), (-1.0, "-1.0"), ("12", "'12'"), (True, "True"), ([1], r"\[1\]"),
     (1e300, "1e[+]300"), ({}, "{}")],
)  # fmt: skip
@pytest.mark.parametrize("key", ["median_ttft_ms", "output_throughput", "total_input_tokens", "duration"])
def test_a_value_that_is_no_number_of_a_run_is_named_with_its_key(key, value, got, refusal):
    assert re.search(rf"result.json: key {key}: expected a number .*got {got}", refusal(tools.vllm(**{key: value})))


def test_a_number_of_five_thousand_digits_is_one_line(refusal):
    text = json.dumps(tools.vllm()).replace('"duration": 60.0', f'"duration": {"9" * 5000}')
    assert "expected numbers below 1.8e308, got one of 5000 digits" in refusal(text.encode())


@pytest.mark.parametrize("lines", [1, 2])
def test_a_key_that_a_document_has_twice_is_named(lines, refusal):
    text = json.dumps(tools.vllm()).replace('"duration": 60.0', '"duration": 60.0, "duration": 6.0')
    assert refusal("\n".join([text] * lines).encode()).endswith(
        "expected each key once in an object, got 'duration' twice"
    )


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_depth_is_one_line(opening, refusal):
    assert "nested too deeply" in refusal(opening * 100_000)


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe", b"{", b'{"a": 1}\n{', b"\0", b"null", b"3", b'"text"', b"[]", b"{}"]
)
def test_a_file_that_is_no_result_is_one_line(content, refusal):
    assert "expected" in refusal(content)


def test_an_unknown_document_is_refused_with_its_keys_and_the_nearest_format(refusal):
    line = refusal({"model_id": "m", "num_prompts": 3, "tokenizer_id": "t", "median_ttft_ms": 3.0})
    assert "a result of aiperf, vllm, sglang" in line
    assert "got 'model_id, num_prompts, tokenizer_id, median_ttft_ms' (did you mean vllm?)" in line
    assert "did you mean" not in refusal({"benchmark": 1})


def test_the_name_of_the_file_decides_nothing(tmp_path):
    path = tmp_path / "profile_export_aiperf.json"
    path.write_text(json.dumps(tools.sglang()))
    assert [run.tool for run in read_source(path).runs] == ["sglang"]


@pytest.mark.parametrize("key", ["duration", "completed", "output_throughput", "request_throughput"])
def test_a_document_without_a_needed_key_is_not_this_format(key, refusal):
    document = tools.vllm()
    del document[key]
    assert "did you mean vllm?" in refusal(document)


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        (tools.guidellm(benchmarks=[{}]), r"key benchmarks[0].metrics: expected a table, got nothing"),
        (tools.guidellm(benchmarks=[]), "expected at least one run, got nothing"),
        (tools.guidellm(benchmarks=[3]), "key benchmarks[0]: expected a table, got 3"),
        (tools.guidellm(benchmarks={}), "key benchmarks: expected a list, got {}"),
        (tools.inference_perf(successes=[]), "key successes: expected a table, got []"),
        (tools.aiperf(time_to_first_token=3.0), "key time_to_first_token: expected a table, got 3.0"),
        (tools.aiperf(time_to_first_token={"unit": "years", "avg": 1.0}),
         "key time_to_first_token.unit: expected one of s,"),
        (tools.aiperf(start_time="yesterday"), "key start_time: expected a time"),
        (tools.aiperf(end_time="2001-01-01T00:00:00"), "key end_time: expected a time after start_time"),
        (tools.sglang(random_range_ratio=2.0), "key random_range_ratio: expected a number from 0 to 1, got 2.0"),
        (tools.ml_energy(steady_state_energy=0.0), "key steady_state_energy: expected a number above 0, got 0.0"),
        (tools.ml_energy(results=[[]]), "key results[0]: expected a table, got []") ,
        (tools.leaderboard(avg_power_watts="4.8 kW"), "key configurations[0].avg_power_watts: expected a number"),
        (tools.vllm(completed=1.5), "key completed: expected a whole number, got 1.5"),
    ],
)  # fmt: skip
def test_a_faulty_table_list_or_word_is_named(document, fault, refusal):
    if fault.startswith("key results"):
        document = {key: value for key, value in document.items() if "ttft" not in key}
    assert fault in refusal(document)


def test_a_document_without_a_figure_above_zero_is_refused(refusal):
    line = refusal({key: 0.0 if isinstance(value, float) and key != "duration" else value for key, value in
                    tools.vllm(input_throughput=0.0).items()})  # fmt: skip
    assert "expected at least one figure of vllm" in line


def test_more_runs_than_a_command_stores_are_refused(refusal):
    assert f"expected at most {MOST_RUNS} runs" in refusal([tools.leaderboard()["configurations"][0]] * (MOST_RUNS + 1))


def test_each_line_of_an_appended_file_is_a_run_and_a_fault_names_its_line(imported, refusal):
    records = imported(tools.vllm(max_concurrency=1), tools.vllm(max_concurrency=2))
    assert [record.workload.parameters["concurrency"] for record in records] == [1, 2]
    lines = "\n".join(json.dumps(one) for one in (tools.vllm(), tools.vllm(duration="x")))
    assert "result.json: line 2: key duration: expected a number" in refusal(lines.encode())


def test_a_list_of_a_million_items_takes_no_time_that_anybody_notices(tmp_path):
    path = tmp_path / "result.json"
    path.write_text(json.dumps(tools.vllm(ttfts=[0.1] * 1_000_000, itls=[[0.01] * 10] * 10_000)))
    assert read_source(path).runs[0].requests == len(tools.REQUESTS)


def test_credentials_and_control_characters_are_not_stored(imported):
    (record,) = imported(
        tools.vllm(model_id="https://me:hunter2@host/model\x1b[31m", label="api_key=sk-1234567890abcdefghij")
    )
    stored = record.model_dump_json()
    assert "hunter2" not in stored
    assert "abcdefghij" not in stored
    assert "\\u001b" not in stored


def _records(path):
    source = read_source(path)
    return [record_of(run, source, []) for run in source.runs]


def _outcome(path):
    """Return the status of the records, or how many lines the refusal has."""
    try:
        return "/".join({record.status for record in _records(path)})
    except InputError as error:
        return f"refused in {len(error.faults)} line"


JUNK = [None, True, -1, 0, 0.0, 1e308, float("nan"), float("inf"), "", "x", [], {}, [[]], {"a": {}}, "9" * 400, 2**70]


def _places(value, path=()):
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from _places(inner, (*path, key))


@pytest.mark.parametrize("tool", tools.DOCUMENTS)
def test_junk_at_any_place_is_refused_in_one_line_or_gives_a_record(tool, tmp_path):
    draw = random.Random(tool)
    sound = tools.DOCUMENTS[tool]()
    if "results" in sound:
        sound["results"] = sound["results"][:3]
    places = [place for place in _places(sound) if place]
    path = tmp_path / "result.json"
    outcomes = set()
    for place in draw.sample(places, min(80, len(places))):
        for junk in draw.sample(JUNK, 4):
            document = copy.deepcopy(sound)
            table = document
            for key in place[:-1]:
                table = table[key]
            table[place[-1]] = junk
            path.write_text(json.dumps(document))
            outcomes.add(_outcome(path))
    assert outcomes == {"ok", "refused in 1 line"}
