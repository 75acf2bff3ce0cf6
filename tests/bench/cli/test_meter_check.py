"""`perwatt meter check`: a log or a live meter before a run, with what a run would refuse."""

import json
import math
import statistics

import pytest
from doubles.plug import FakePlug

START = 1_780_000_000.0


@pytest.fixture
def log(tmp_path):
    """Write a log in kW, with a new value every half second."""

    def make(name="power.csv", watts=lambda i: 150.0 + 10.0 * math.sin(i), rows=200):
        lines = [f"{START + i * 0.5:.1f},230.1,{watts(i) / 1e3:.9f}" for i in range(rows)]
        (tmp_path / name).write_text("\n".join(("time,volts,Power (kW)", *lines)) + "\n")
        return f"trace:{name}"

    return make


def checked(perwatt, *arguments):
    done = perwatt("meter", "check", *arguments, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def test_a_log_is_shown_as_a_run_reads_it(perwatt, log):
    seen = checked(perwatt, log())
    assert seen["mean_w"] == pytest.approx(statistics.fmean(150.0 + 10.0 * math.sin(i) for i in range(200)), rel=1e-6)
    assert (seen["column"], seen["unit"], seen["samples"], seen["period_s"]) == ("Power (kW)", "kW", 200, 0.5)
    assert (seen["meter"], seen["boundary"], seen["tier"], seen["refused"]) == ("trace:power.csv", "wall", "C", [])
    assert len(seen["sha256"]) == 64
    assert seen["first"][0] == {"utc": "2026-05-28T20:26:40.000Z", "value": pytest.approx(150.0)}


def test_people_see_the_first_readings_the_unit_and_the_update_period(perwatt, log):
    done = perwatt("meter", "check", log(), "--clock-offset-s", "-18000")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0] == "meter     trace:power.csv: power, wall, tier C, accuracy unknown"
    assert lines[1].startswith("read as   column 'Power (kW)', in kW, csv log")
    assert "200 samples from 2026-05-29T01:26:40.000Z" in lines[2]
    assert "a new value every 0.5 s" in lines[2]
    assert lines[4] == "first     2026-05-29T01:26:40.000Z  150 W"


def test_what_a_run_would_refuse_of_a_log_is_named_with_its_cure_and_is_no_error(perwatt, log):
    slow = log("slow.csv", lambda i: 150.0 + (i // 20) % 7)
    codes = [row["code"] for row in checked(perwatt, slow)["refused"]]
    assert codes == ["meter_too_slow", "too_few_samples"]
    done = perwatt("meter", "check", slow, "--meter-period-s", "0.5")
    assert "a new value every 10 s, but 0.5 s is stated as its update period" in done.stdout
    assert "refused   meter_too_slow: the meter updates less often than every 5 s" in done.stdout
    assert [row["code"] for row in checked(perwatt, log("constant.csv", lambda _: 150.0))["warnings"]] == [
        "samples_repeated"
    ]


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("trace:none.csv", "none.csv: expected a readable log of time and watts, got no such file"),
        ("trace:power.csv,column=amps", "column"),
        ("trace:power.csv,colum=volts", "did you mean column"),
        ("trace:power.csv,sum=node", "a second meter with sum=node"),
        ("declared:450", "expected a meter that measures, got 'an assumption'"),
        ("shely:host", "did you mean shelly"),
    ],
)
def test_a_meter_that_no_run_could_use_is_one_line_and_status_two(refused, log, spec, words):
    log()
    assert words in refused("meter", "check", spec)


def test_a_live_meter_is_read_for_a_few_seconds(perwatt, clock):
    fake = FakePlug(clock, curve=lambda t: 100.0 + 10.0 * math.sin(t))
    seen = checked(perwatt, fake.spec, "--seconds", "8", "--meter-period-s", "0.5")
    fake.close()
    assert seen["mean_w"] == pytest.approx(100.0, abs=11.0)
    assert seen["period_s"] == pytest.approx(0.5, rel=0.25)
    assert (seen["unit"], seen["column"], seen["sha256"], seen["refused"]) == ("W", None, None, [])
    assert seen["samples"] > 10


def test_a_counter_shows_the_power_of_its_slope(perwatt, clock, tmp_path):
    zone = tmp_path / "powercap" / "intel-rapl:0"
    zone.mkdir(parents=True)
    (zone / "name").write_text("package-0\n")
    (zone / "max_energy_range_uj").write_text("262143328850\n")
    energy = zone / "energy_uj"
    start = clock.monotonic()

    def count():
        while True:
            energy.write_text(f"{round(65e6 * (clock.monotonic() - start))}\n")
            clock.sleep(0.05)

    energy.write_text("0\n")
    clock.Thread(target=count).start()
    seen = checked(perwatt, f"rapl,root={zone.parent}", "--seconds", "5")
    assert seen["mean_w"] == pytest.approx(65.0, rel=0.05)
    assert (seen["kind"], seen["unit"], seen["boundary"]) == ("counter", "J", "package")


def test_a_plug_that_answers_nothing_of_use_is_status_two(refused, clock):
    fake = FakePlug(clock)
    fake.mode = "error"
    assert "check the address" in refused("meter", "check", fake.spec)
    fake.close()


def test_a_log_that_is_a_link_to_itself_is_status_two(refused, tmp_path):
    (tmp_path / "loop.csv").symlink_to("loop.csv")
    assert refused("meter", "check", "trace:loop.csv") == (
        "error: loop.csv: expected a readable log of time and watts, got Too many levels of symbolic links"
    )


def test_a_dead_meter_is_refused_with_its_code_and_cure(refused, clock, tmp_path):
    device = tmp_path / "hwmon" / "hwmon0"
    device.mkdir(parents=True)
    (device / "name").write_text("amdgpu\n")
    (device / "power1_average").write_text("0\n")
    clock.sleep(0.0)
    line = refused("meter", "check", f"hwmon:amdgpu,root={device.parent}")
    assert "no_power: the meter read zero throughout the window" in line


def test_a_sum_of_devices_that_never_have_a_power_at_one_time_is_one_line(perwatt, tmp_path):
    rows = ["00.000;0;210.11 W", "02.000;0;[N/A]", "01.000;0;211.00 W"]
    rows += ["01.000;1;306.25 W", "00.000;1;305.90 W", "02.000;1;305.02 W"]
    lines = ("timestamp;index;power.draw [W]", *(f"2026/01/01 10:00:{row}" for row in rows))
    (tmp_path / "two.csv").write_text("\n".join(lines) + "\n")
    done = perwatt("meter", "check", "trace:two.csv,sum=index")
    assert (done.returncode, done.stderr) == (2, "error: two.csv: expected a power at one of its times, got none\n")
