"""Specs of meters: commas within names, keys that are stated twice, and what belongs to nothing."""

import pytest

from bench.meters.registry import make_meter, parse_spec
from hardware_profiles.errors import InputError


@pytest.mark.parametrize(
    ("spec", "target", "settings"),
    [
        ("trace:a.csv", "a.csv", {}),
        ("trace:May, June.csv,period=1", "May, June.csv", {"period": "1"}),
        ("trace:a,b,c.csv", "a,b,c.csv", {}),
        (
            "trace:a.csv,column=Active Power, W (LGR S/N: 77),time=Date Time, GMT+01:00",
            "a.csv",
            {"column": "Active Power, W (LGR S/N: 77)", "time": "Date Time, GMT+01:00"},
        ),
        ("trace:a.csv,where=gpu=0", "a.csv", {"where": "gpu=0"}),
        ("trace:a.csv, period=1 , column = P", "a.csv", {"period": "1", "column": "P"}),
        ("rapl", "", {}),
    ],
)
def test_a_comma_without_a_key_after_it_belongs_to_what_stands_before_it(spec, target, settings):
    assert parse_spec(spec)[1:] == (target, settings)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("rapl,dram", "expected settings as key=value after the comma, got 'dram'"),
        ("trace:a.csv,", "expected settings as key=value after the comma, got ''"),
        ("trace:a.csv,period=1,period=2", "key period: expected each key once, got '1 and 2'"),
        ("trace:a.csv,Period=1", "key Period: expected one of"),
        ("shelly:10.0.0.7,1%", "a host such as 192.168.1.20"),
        ("tasmota:plug.local,basement,accuracy=1%", "a host such as 192.168.1.20"),
        ("shelly:10.0.0.7,accuracy=1%,2", "got '1%,2'"),
        (":x", "a meter such as"),
    ],
)
def test_a_comma_that_separates_nothing_is_refused_by_name(spec, words):
    with pytest.raises(InputError) as error:
        make_meter(spec)
    assert words in str(error.value)
