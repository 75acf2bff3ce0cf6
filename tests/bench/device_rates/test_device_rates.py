"""Rates of results on their way to a site: what goes with them, and what is refused."""

import dataclasses
import json
from datetime import UTC, datetime

import pytest
from doubles.asic_result import asic_document

from bench.device_rates import from_profile, from_record, is_usable
from bench.results.record import AssumedPower, Device, Metric, Reason, Record, RunInfo, WorkloadInfo
from hardware_profiles.catalog import load
from hardware_profiles.errors import InputError


def a_record(plan="quick", interval=(19e6, 21e6), codes=(), status="ok"):
    now = datetime(2026, 11, 20, tzinfo=UTC)
    return Record(
        id="20261120T120000Z-sha256d_scan_cpu-one",
        status=status,
        reasons=() if status == "ok" else (Reason(code="clock_low"),),
        warnings=tuple(Reason(code=code) for code in codes),
        run=RunInfo(run_id="one", plan=plan, argv=(), started_utc=now, ended_utc=now, perwatt_version="0", commit=None),
        system={},
        device=Device(kind="cpu", name="a CPU"),
        workload=WorkloadInfo(
            name="sha256d_scan_cpu", version=1, unit="hash", variant="plain", verification=("a known answer",)
        ),
        assumed_power_w=AssumedPower(power_w=65.0, boundary="wall", source="--watts"),
        metrics={"rate": Metric(value=20e6, unit="hash/s", basis="measured", n=3, interval_95=interval)},
    )


def test_plan_codes_and_interval_go_with_the_rate():
    rate = from_record(a_record("publish", codes=("unstable", "declared_power")))
    assert (rate.plan, rate.codes) == ("publish", ("unstable", "declared_power"))
    assert rate.rate_interval_per_s == (19e6, 21e6)


def test_an_imported_result_is_not_said_to_be_measured_here():
    own = a_record()
    imported = own.model_copy(update={"warnings": (Reason(code="imported", detail="vllm"),)})
    assert from_record(own).source.startswith("measured here, 2026-11-20")
    assert from_record(imported).source.startswith("imported from vllm, 2026-11-20")


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (a_record("smoke"), "key plan: expected quick or publish, got smoke, which only checks that the run works"),
        (a_record(interval=(-2e6, 42e6)), "key rate: expected an interval above 0, got -2e+06 to 4.2e+07 hash/s"),
        (a_record(interval=(0.0, 40e6)), "key rate: expected an interval above 0, got 0 to 4e+07 hash/s"),
        (a_record(status="invalid"), "key status: expected ok, got 'invalid (clock_low)'"),
    ],
)
def test_a_result_that_no_site_may_use_is_refused(record, message):
    assert not is_usable(record)
    with pytest.raises(InputError) as caught:
        from_record(record)
    assert message in str(caught.value)
    assert record.id in str(caught.value)


SITE = """
[site]
name = "Measured"
start = 2026-01-01
[power]
interconnect_mw = 0.001
[cooling]
mining_pue = 1.05
[price]
energy_usd_per_mwh = 40
[market]
btc_usd = 80000
fees_percent_of_subsidy = 1
[[mining]]
device = "result:one"
count = 5
pool_fee_percent = 1
"""


@pytest.fixture
def measured_site(tmp_path, monkeypatch):
    """A site of a measured device, whose record is not looked up in a store."""
    record = a_record(interval=(19.76e6, 20.24e6), codes=("unstable", "declared_power"))
    monkeypatch.setattr("bench.device_rates.resolve_device", lambda _: from_record(record))
    path = tmp_path / "measured.toml"
    path.write_text(SITE, encoding="utf-8")
    return path


def perwatt(*words):
    from bench.cli import main

    with pytest.raises(SystemExit) as ended:
        main(list(map(str, words)))
    return ended.value.code


def test_the_interval_and_the_codes_stand_beside_the_row(measured_site, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert perwatt("yield", measured_site) == 0
    captured = capsys.readouterr()
    table = " ".join(captured.out.partition("BTC/day")[0].split())
    assert "measured ± 1.2 %, 1 source, unstable" in table
    assert "declared_power" not in table  # a note
    assert "plan quick; codes unstable, declared_power" in " ".join(captured.out.split())
    assert "was measured with warnings (unstable: the windows vary by more than" in captured.err
    assert perwatt("yield", measured_site, "--strict") == 2


def test_the_planner_folder_and_the_json_have_plan_and_codes(measured_site, tmp_path, capsys):
    from sites.planners.stored_inputs import load_inputs

    assert perwatt("yield", measured_site, "--json", "--out", tmp_path / "run", "--no-sam") == 0
    (site,) = json.loads(capsys.readouterr().out)["sites"]
    (device,) = site["devices"]
    assert (device["plan"], device["codes"]) == ("quick", "unstable, declared_power")
    assert any("unstable" in flag for flag in site["flags"])
    heading, row = (tmp_path / "run" / "tables" / "device_result.csv").read_text(encoding="utf-8").splitlines()
    assert "plan,codes" in heading
    assert '"unstable, declared_power"' in row
    (stored,) = load_inputs(tmp_path / "run")
    assert stored.site().mining[0].rate.codes == ("unstable", "declared_power")


def test_the_page_shows_interval_plan_and_codes_of_a_sites_device(measured_site):
    from bench.device_rates import resolve_device
    from bench.report.gather import Gathered
    from bench.report.sections.site.section import section
    from sites.dispatch.year import site_year
    from sites.file.build import load_site

    year = site_year(load_site(measured_site, resolve_device), hourly=True)
    blocks = section(Gathered(sites=(year,))).blocks
    (table,) = [block for block in blocks if getattr(block, "key", "") == "site-devices"]
    rate = table.rows[0][3]
    assert [chip.text for chip in rate.chips] == ["measured", "plan quick", "unstable"]
    assert "1.2" in rate.note


def of_a_miner(**changes):
    return Record.model_validate(asic_document(**changes))


def test_a_miner_has_the_rate_of_its_shares_and_the_power_at_the_wall_with_their_intervals():
    rate = from_record(of_a_miner())
    assert (rate.rate_per_s, rate.power_w, rate.boundary) == (1.98e14, 3500.0, "wall")
    assert rate.rate_interval_per_s == pytest.approx((0.98 * 1.98e14, 1.021 * 1.98e14))
    assert rate.power_interval_w == pytest.approx((3458.0, 3542.0))
    assert "power of tier B at the wall, rate verified by shares" in rate.source
    assert "rate NOT verified by shares" in from_record(of_a_miner(verified=False)).source


@pytest.mark.parametrize("changes", [{"watts": None}, {"boundary": "board"}])
def test_a_miner_without_watts_at_the_wall_is_one_line_with_the_cure_whatever_its_firmware_displays(changes):
    record = of_a_miner(**changes)
    with pytest.raises(InputError) as caught:
        from_record(record)
    text = str(caught.value)
    assert "expected the watts at the wall, got" in text
    assert "--meter shelly:HOST" in text
    assert "displays is not used" in text
    assert len(caught.value.faults) == 1
    stated = from_record(of_a_miner(**changes, assumed=3400.0))
    assert (stated.power_w, stated.power_basis) == (3400.0, "assumed")


def test_a_measured_profile_carries_its_tolerance_as_an_interval_and_a_rated_one_does_not():
    profile = load("antminer-s21:200t")
    figures = {key: one._replace(tolerance_frac=0.02) for key, one in profile.bin.figures.items()}
    rated = dataclasses.replace(profile, bin=profile.bin._replace(figures=figures))
    assert from_profile(rated).rate_interval_per_s is None
    figures = {key: one._replace(basis="measured") for key, one in figures.items()}
    measured = from_profile(dataclasses.replace(profile, bin=profile.bin._replace(figures=figures)))
    assert measured.rate_interval_per_s == pytest.approx((1.96e14, 2.04e14))
    assert measured.power_interval_w == pytest.approx((3430.0, 3570.0))
