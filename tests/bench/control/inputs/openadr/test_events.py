"""What an event asks of the site: units, levels, times, repeats, addressees; and what of it is refused."""

import contextlib
import random
from datetime import datetime

import pytest
from doubles.inputs.vtn import event

from bench.control.inputs import TargetTable
from bench.control.inputs.openadr.events import concerns, limits
from bench.control.inputs.openadr.periods import duration_s, time_s
from hardware_profiles.errors import InputError

NOW = datetime.fromisoformat("2026-12-01T08:00:00Z").timestamp()
KINDS = ["IMPORT_CAPACITY_LIMIT", "DISPATCH_SETPOINT"]


def table(**keys):
    return TargetTable.model_validate({"source": "openadr:http://127.0.0.1", "payloads": KINDS, **keys})


def spans(content, now_s=NOW, program=None, **keys):
    """Return (limit [MW], start, end) with times in hours after 08:00."""
    found = limits(content, program or {}, table(**keys), now_s)
    return [
        (each.limit_mw, (each.start_s - NOW) / 3600, None if each.end_s is None else (each.end_s - NOW) / 3600)
        for each in found
    ]


def test_intervals_follow_one_another_from_the_start_of_the_event():
    assert spans(event(values=(500.0, 0, 20_000))) == [(0.5, 0, 1), (0.0, 1, 2), (20.0, 2, 3)]


def test_an_interval_with_a_period_of_its_own_has_that():
    content = event(values=(500.0, 250.0))
    content["intervals"][1]["intervalPeriod"] = {"start": "2026-12-01T12:00:00+01:00", "duration": "PT30M"}
    assert spans(content) == [(0.5, 0, 1), (0.25, 3, 3.5)]


@pytest.mark.parametrize("duration", ["PT0S", "P9999Y"])
def test_a_duration_without_an_end_holds_until_the_event_is_changed(duration):
    assert spans(event(duration=duration)) == [(0.5, 0, None)]


def test_an_event_without_a_period_holds_from_its_creation():
    content = event()
    del content["intervalPeriod"]
    assert spans(content) == [(0.5, -8, None)]


def test_the_start_0001_01_01_means_now():
    assert spans(event(start="0001-01-01T00:00:00Z", createdDateTime=None)) == [(0.5, 0, 1)]


def test_the_duration_of_an_event_shortens_or_repeats_its_intervals():
    assert spans(event(values=(500.0, 250.0)) | {"duration": "PT90M"}) == [
        (0.5, 0, 1),
        (0.25, 1, 1.5),
    ]
    twice = spans(event(values=(500.0, 250.0)) | {"duration": "PT3H"})
    assert twice == [(0.5, 0, 1), (0.25, 1, 2), (0.5, 2, 3)]
    for_ever = spans(event(values=(500.0, 250.0)) | {"duration": "P9999Y"}, NOW + 1000 * 3600 + 60)
    assert for_ever[0] == (0.5, 1000, 1001)
    assert [limit for limit, start, end in for_ever if start <= 1023.5 < end] == [0.25]
    assert spans(event() | {"duration": "PT3H"}, NOW + 5 * 3600) == []


def test_a_start_that_the_vtn_wants_at_random_is_the_earliest_one():
    content = event()
    content["intervalPeriod"]["randomizeStart"] = "PT10M"
    assert spans(content) == [(0.5, 0, 1)]


def test_units_come_from_the_event_then_the_program_then_the_file():
    assert spans(event(values=(3,), units="MW")) == [(3.0, 0, 1)]
    program = {"payloadDescriptors": [{"payloadType": KINDS[0], "units": "MW"}]}
    assert spans(event(values=(3,), units=None), program=program) == [(3.0, 0, 1)]
    assert spans(event(values=(3,), units=None), unit="kilowatt") == [(0.003, 0, 1)]


def test_a_simple_level_has_the_megawatts_of_the_file():
    simple = {"payloads": ["SIMPLE"], "simple_mw": [50.0, 30.0, 10.0, 0.0]}
    assert spans(event(values=(0, 1, 3), kind="SIMPLE", units=None), **simple) == [(50, 0, 1), (30, 1, 2), (0, 2, 3)]


def test_payloads_of_other_types_ask_for_nothing():
    assert spans(event(kind="EXPORT_CAPACITY_LIMIT")) == []
    assert spans(event(kind="PRICE", units="KWH")) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (event(units="KVA"), "IMPORT_CAPACITY_LIMIT: expected the unit KW or MW, got 'KVA'"),
        (event(units=None), "expected a unit in its payloadDescriptors"),
        (event(values=(-5,)), "expected one number of 0 or more, got \\[-5\\]"),
        (event(values=("500",)), "expected one number of 0 or more"),
        (event(values=(True,)), "expected one number"),
        (event(values=(float("nan"),)), "expected one number"),
        (event(duration="1 hour"), "duration: expected a duration such as PT15M, got '1 hour'"),
        (event(duration="P1M"), "expected a duration without months and years"),
        (event(start="2026-12-01T08:00:00"), "start: expected a time with an offset"),
        (event(start=7), "start: expected a time with an offset"),
        (event(values=(1, 2), duration="PT0S"), "expected none after one without an end"),
        (event() | {"intervals": {}}, "intervals: expected a list"),
        (event() | {"intervals": [3]}, "intervals: expected objects"),
        (event() | {"intervalPeriod": "now"}, "intervalPeriod: expected an object"),
        (event() | {"duration": "soon"}, "duration: expected a duration"),
    ],
)
def test_what_cannot_be_understood_is_refused_with_the_name_of_the_event(content, message):
    with pytest.raises(InputError, match=f"event 'e1': .*{message}"):
        spans(content)


@pytest.mark.parametrize("level", [4, 1.5])
def test_a_level_that_the_file_does_not_name_is_refused(level):
    with pytest.raises(InputError, match="SIMPLE: expected a level from 0 to 1"):
        spans(event(values=(level,), kind="SIMPLE"), payloads=["SIMPLE"], simple_mw=[5.0, 0.0])


@pytest.mark.parametrize(
    ("targets", "ven", "is_ours"),
    [
        (None, "site-7", True),
        ([], "site-7", True),
        ([{"type": "VEN_NAME", "values": ["site-7", "b"]}], "site-7", True),
        ([{"type": "VEN_NAME", "values": ["b"]}], "site-7", False),
        ([{"type": "GROUP", "values": ["north"]}], "site-7", True),
        (["site-7"], "site-7", True),
        (["b"], "site-7", False),
        (["b"], None, True),
    ],
)
def test_an_event_that_is_addressed_to_others_does_not_concern_the_site(targets, ven, is_ours):
    assert concerns({"targets": targets}, table(**({"ven": ven} if ven else {}))) is is_ours


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("PT15M", 900), ("P1DT2H3M4.5S", 93_784.5), ("P2W", 1_209_600), ("PT0S", None), ("P100Y", None)],
)
def test_durations_are_seconds(text, seconds):
    assert duration_s(text, "x") == seconds


@pytest.mark.parametrize("text", ["", "P", "PT", "15M", "PT-5M", None, 900, "P1DT", "PT1e3S", "P9999999Y"])
def test_what_is_no_duration_is_refused(text):
    if text == "P1DT":  # ISO 8601 forbids it, and nothing can be misread
        assert duration_s(text, "x") == 86_400
        return
    with pytest.raises(InputError, match="x: expected a duration"):
        duration_s(text, "x")


def test_a_time_has_an_offset():
    assert time_s("2026-12-01T09:00:00+01:00", "x") == NOW
    assert time_s("0001-01-01T00:00:00Z", "x") is None


def test_any_damage_gives_limits_or_a_refusal_and_nothing_else():
    chance = random.Random(3)
    for _ in range(3000):
        content = event(values=(500.0, 100.0)) | {"duration": "PT5H"}
        for _ in range(chance.randrange(1, 4)):
            at = content
            while True:
                key = chance.choice(list(at) if isinstance(at, dict) else range(len(at)))
                if isinstance(at[key], dict | list) and at[key] and chance.random() < 0.7:
                    at = at[key]
                    continue
                at[key] = chance.choice(
                    [None, "", -1, 1e308, True, [], {}, "P1D", "x" * 50, [[]], "9999-12-31T23:59:59Z"]
                )
                break
        with contextlib.suppress(InputError):
            for limit, _, _ in spans(content):
                assert limit >= 0.0
