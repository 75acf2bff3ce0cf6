"""The Prometheus text format: samples with their labels, and lines that only an attacker would write."""

import time

import pytest

from bench.network.exposition import Sample, samples


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("a 1", ("a", {}, 1.0)),
        ("  a:b\t1.5e3 1700000000000 ", ("a:b", {}, 1500.0)),
        ("a{} 1", ("a", {}, 1.0)),
        ('a{x="1"} 1', ("a", {"x": "1"}, 1.0)),
        ('a{ x = "1" , y="2", } 1', ("a", {"x": "1", "y": "2"}, 1.0)),
        (r'a{x="\"}\\\n{"} 1', ("a", {"x": '"}\\\n{'}, 1.0)),
        ('a{x="1"}1', ("a", {"x": "1"}, 1.0)),
    ],
)
def test_a_sample_is_read(line, expected):
    assert list(samples(line)) == [Sample(*expected)]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "# HELP a b",
        "a",
        "a b",
        "a 1 2 3",
        "a{ 1",
        'a{x="1" 1',
        'a{x="1"y="2"} 1',
        "a{x=1} 1",
        'a{x="1',
        "a{}} 1",
        "1 1",
    ],
)
def test_a_damaged_line_is_passed_over(line):
    assert list(samples(f"{line}\nb 2")) == [Sample("b", {}, 2.0)]


@pytest.mark.parametrize(
    "line", ["a{" + "}" * 100_000 + " x y z", "a " + " " * 100_000 + "x y z", 'a{x="' + "\\" * 100_001]
)
def test_a_line_of_marks_takes_no_longer_than_it_is_long(line):
    start = time.process_time()
    assert not list(samples(line))
    assert time.process_time() - start < 1.0
