"""The records of a sweep as the operating curve of a site: which loads are points, and what is refused."""

from datetime import UTC, datetime, timedelta

import pytest

from bench.device_rates import resolve_device
from bench.results.record import AssumedPower, Device, Metric, Reason, Record, RunInfo, Window, WorkloadInfo
from bench.results.writing import write_record
from hardware_profiles.errors import InputError

START = datetime(2026, 11, 20, 12, tzinfo=UTC)
TINY = Device(kind="server", name="tiny", settings={"weights": "random"})
TAGS = {"token_basis": "output", "lengths": "512:128±20%", "latency_limit": "none"}


def a_load(number, at, rate, **changes):
    """The record of one load."""
    started = START + timedelta(minutes=number)
    tags = {**TAGS, **{tag: changes.pop(tag) for tag in TAGS if tag in changes}}
    fields = {
        "id": f"{started:%Y%m%dT%H%M%SZ}-llm_serve_endpoint-{number}",
        "status": "ok",
        "reasons": (),
        "run": RunInfo(
            run_id=changes.pop("run", "one"), plan=changes.pop("plan", "quick"), argv=(), started_utc=started,
            ended_utc=started, perwatt_version="0", commit=None,
        ),
        "system": {},
        "device": Device(kind="server", name="a server"),
        "workload": WorkloadInfo(
            name="llm_serve_endpoint", version=1, unit="token", variant="vllm", verification=("tokens",),
            parameters={"concurrency": at, **tags},
        ),
        "assumed_power_w": AssumedPower(power_w=700.0, boundary="wall", source="--watts"),
        "windows": tuple(
            Window(
                index=i, start_utc=started, start_s=10.0 * i, end_s=10.0 * i + 10.0,
                work=rate * (9.99 + 0.01 * i), batches=1,
            )
            for i in range(3)
        ),
        "metrics": {
            "rate": Metric(value=rate, unit="token/s", basis="measured", n=3, interval_95=(rate * 0.99, rate * 1.01)),
            "tpot_q50": Metric(value=at / rate, unit="s", basis="measured", n=90),
        },
    }  # fmt: skip
    return Record(**{**fields, **changes})


@pytest.fixture
def curve_of(tmp_path):
    """Store records and resolve the sweep of the first."""

    def resolved(*records):
        for record in records:
            write_record(tmp_path, record, [])
        return resolve_device(f"sweep:{records[0].id}", store=tmp_path)

    return resolved


def test_the_loads_of_one_run_are_the_points_and_a_repeated_one_counts_once(curve_of):
    curve = curve_of(a_load(0, 4, 900.0), a_load(1, 1, 250.0), a_load(2, 4, 905.0), a_load(3, 8, 2000.0, run="two"))
    assert [(point.load, point.rate.rate_per_s) for point in curve.points] == [
        ("1 at a time", 250.0),
        ("4 at a time", 905.0),
    ]
    assert curve.points[0].latency_s == {"tpot_q50": 1 / 250.0}
    assert curve.points[0].rate.tpot_s == 1 / 250.0
    assert (curve.points[0].rate.power_w, curve.points[0].rate.tags.power_kind) == (700.0, "provisioned")
    assert (curve.invalid, curve.doubts) == ((), ())


def test_a_sweep_may_be_named_by_the_path_of_a_result(curve_of, tmp_path):
    records = [a_load(0, 1, 250.0), a_load(1, 4, 900.0)]
    curve_of(*records)
    named = resolve_device(f"sweep:{tmp_path / records[1].id}")
    assert [point.load for point in named.points] == ["1 at a time", "4 at a time"]


def test_an_invalid_load_is_no_point_and_says_why(curve_of):
    refused = a_load(2, 8, 990.0, status="invalid", reasons=(Reason(code="client_bound"),))
    wide = Metric(value=500.0, unit="token/s", basis="measured", n=2, interval_95=(-10.0, 1010.0))
    noisy = a_load(3, 16, 500.0, metrics={"rate": wide})
    curve = curve_of(a_load(0, 1, 250.0), a_load(1, 4, 900.0), refused, noisy)
    assert [point.load for point in curve.points] == ["1 at a time", "4 at a time"]
    assert curve.invalid == (
        "8 at a time: invalid (client_bound)",
        "16 at a time: the interval of its rate reaches below 0",
    )


def test_a_corrected_record_takes_the_place_of_the_first(curve_of):
    first = a_load(0, 1, 250.0)
    again = a_load(5, 1, 100.0, supersedes=first.id)
    curve = curve_of(first, a_load(1, 4, 900.0), again)
    assert curve.points[0].rate.rate_per_s == 100.0
    assert curve.doubts == (), "a record and its correction are no two measurements"


def test_a_sweep_that_drifted_is_doubtful(curve_of):
    (doubt,) = curve_of(a_load(0, 4, 900.0), a_load(1, 1, 250.0), a_load(2, 4, 600.0)).doubts
    assert doubt.startswith("4 at a time had 900 tok/s at first and 600 at last")


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ([a_load(0, 1, 250.0)], "with --concurrency sweep, or with two or more loads, got 'one load of llm_serve"),
        ([a_load(0, 1, 250.0), a_load(1, 4, 900.0, run="two")], "two or more loads"),
        ([a_load(0, 1, 250.0), a_load(1, 4, 900.0, lengths="9:9")], "key lengths: expected the same in all loads"),
        ([a_load(0, 1, 250.0, plan="smoke"), a_load(1, 4, 900.0)], "expected quick or publish, got smoke"),
        ([a_load(0, 1, 250.0, device=TINY), a_load(1, 4, 900.0)], "expected a server whose model is a product"),
        ([a_load(0, 1, 250.0, assumed_power_w=None), a_load(1, 4, 900.0)], "tag boundary: expected one of"),
        ([a_load(0, 1, 250.0, token_basis=""), a_load(1, 4, 900.0)], "tag token_basis: expected one of output, total"),
        ([a_load(0, 1, 250.0, lengths=""), a_load(1, 4, 900.0, lengths="")], "tag lengths: expected a text"),
        ([a_load(0, 1, 250.0, latency_limit=""), a_load(1, 4, 900.0)], "tag latency_limit: expected a text"),
        ([a_load(0, 1, 250.0), a_load(1, 4, 900.0, token_basis="total")], "points with the same boundary, power"),
        ([a_load(n, at, 9.0, status="invalid", reasons=(Reason(code="client_bound"),)) for n, at in ((0, 1), (1, 2))],
         "expected a valid point, got '1 at a time: invalid (client_bound); 2 at a time"),
    ],
)  # fmt: skip
def test_what_is_no_curve_is_refused_in_one_line(curve_of, records, message):
    with pytest.raises(InputError) as caught:
        curve_of(*records)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
