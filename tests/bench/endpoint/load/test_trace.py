"""Traces of arrivals: the forms of public traces, and one line for each fault."""

import pytest

from bench.endpoint.client.prompts import PromptSource
from bench.endpoint.load import trace as traces
from bench.endpoint.load.trace import Arrival, read_trace
from hardware_profiles.errors import InputError

AZURE = """TIMESTAMP,ContextTokens,GeneratedTokens
2023-11-16 18:17:03.9799600,4808,10
2023-11-16 18:17:04.0319600,3180,8
2023-11-16 18:17:06.9799601,110,27
"""
MOONCAKE = """{"timestamp": 0, "input_length": 6755, "output_length": 500, "hash_ids": [0, 1]}
{"timestamp": 0, "input_length": 7322, "output_length": 490, "hash_ids": [0, 2]}
{"timestamp": 3052, "input_length": 7237, "output_length": 794, "hash_ids": [3]}
"""


@pytest.fixture
def read(tmp_path):
    def call(text):
        path = tmp_path / "trace.csv"
        path.write_text(text, encoding="utf-8")
        return read_trace(path)

    return call


def test_the_csv_of_azure_is_read_with_its_seven_decimals(read):
    trace = read(AZURE)
    assert trace.arrivals[0] == Arrival(0.0, 4808, 10)
    assert [arrival.at_s for arrival in trace.arrivals] == pytest.approx([0.0, 0.052, 3.00000], abs=1e-5)
    assert (trace.input_lengths, trace.output_lengths) == ((4808, 3180, 110), (10, 8, 27))
    assert trace.rate_per_s == pytest.approx(2 / 3.0, rel=1e-5)


def test_the_json_lines_of_mooncake_are_milliseconds(read):
    trace = read(MOONCAKE)
    assert trace.arrivals == (Arrival(0.0, 6755, 500), Arrival(0.0, 7322, 490), Arrival(3.052, 7237, 794))
    assert trace.words == "trace.csv: 3 requests in 3.052 s"


ALONE = (
    "time_s\n5\n5.5\n7\n",
    "time_ms\n5000\n5500\n7000\n",
    "# ours\ntime_s,user\n5,a\n5.5,b\n7,a\n",
    '{"time_s": 5}\n\n{"time_s": 5.5}\n{"time_s": 7}\n',
    "TIMESTAMP\n2024-05-10 00:00:00Z\n2024-05-10 00:00:00.5+00:00\n2024-05-10 00:00:02Z\n",
)


@pytest.mark.parametrize("text", ALONE)
def test_times_alone_have_no_lengths_and_begin_at_0(read, text):
    trace = read(text)
    assert trace.arrivals == tuple(Arrival(at_s, None, None) for at_s in (0.0, 0.5, 2.0))
    assert (trace.input_lengths, trace.output_lengths) == (None, None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected two or more requests at different times, got '0 requests'"),
        ("time_s\n", "got '0 requests'"),
        ("time_s\n1\n", "got '1 request'"),
        ("time_s\n1\n1\n", "got 'one time for all requests'"),
        ("time_s\n1\n3\n2.5\n", "line 4: expected times in order, got '0.5 s before the row above'"),
        ("time_s\n-1\n3\n", "line 2: key time_s: expected a time of 0 or more, got '-1'"),
        ("time_s\nsoon\n3\n", "line 2: key time_s: expected a number, got 'soon'"),
        ("time_s\n1e400\n3\n", "line 2: key time_s: expected a number"),
        ("time\n1\n3\n", "expected a heading with time_s, time_ms"),
        ("seconds,input_tokens\n1,3\n", "line 2: expected a time: time_s"),
        ("timestamp\n1\n3\n", "line 2: key timestamp: expected a date and time, or the unit in the name"),
        ("TIMESTAMP\n1\n3\n", "line 2: key TIMESTAMP: expected a date and time, or the unit in the name"),
        ("TIMESTAMP\n2024-13-01 00:00\n", "line 2: key TIMESTAMP: expected a date and time, 2023-11-16 18:17"),
        ("time_s;input_tokens\n1;3\n", "got columns separated by semicolons"),
        ("time_s,input_tokens\n1,3\n2,4\n", "line 2: expected both lengths or neither, got 'one of them'"),
        ("time_s,input_tokens,output_tokens\n1,3,5\n2,,\n", "line 3: expected lengths in all rows or in none"),
        ("time_s,input_tokens,output_tokens\n1,0,5\n", "line 2: key input_tokens: expected a whole number of tokens"),
        ("time_s,input_tokens,output_tokens\n1,3,5.5\n", "key output_tokens: expected a whole number of tokens"),
        ('{"timestamp": 1}\n[]\n', "line 2: expected a JSON object"),
        ('{"timestamp": 1}\n{"timestamp": true}\n', "line 2: key timestamp: expected a number, got True"),
        ('{"timestamp": 1}\n{"time\n', "line 2: expected"),
        ('{"input_length": 1}\n', "line 1: expected a time"),
        ("time_s\n\x00\n", "got a NUL byte"),
    ],
)  # fmt: skip
def test_a_fault_is_one_line_that_names_its_place(read, text, message):
    with pytest.raises(InputError) as caught:
        read(text)
    assert message in str(caught.value)
    assert str(caught.value).count("\n") == 0


def test_a_trace_that_is_too_long_is_refused(read, monkeypatch):
    monkeypatch.setattr(traces, "MOST_ARRIVALS", 3)
    with pytest.raises(InputError, match=r"expected at most 3 requests, got 'more \(cut the file\)'"):
        read("time_s\n" + "".join(f"{i}\n" for i in range(5)))


def test_each_request_of_a_trace_has_a_prompt_of_its_own_length():
    source = PromptSource("seed", vocabulary=1000, lengths=(5, 70, 2))
    assert [len(source.prompt(index)) for index in range(4)] == [5, 70, 2, 5]
    assert len(PromptSource("seed", lengths=(3, 9)).prompt(1).split()) == 9
