"""Logs as programs and people write them: read right, or refused with the setting that decides."""

import pytest
from doubles.logs.rows import WATTS, T, rows, watts

from bench.meters.logs import EmptyLogError


@pytest.mark.parametrize(
    "data",
    [
        rows("{t},{p}", "\ufefftime,power_w\n").encode(),
        rows("{t},{p}", "time,power_w\n").encode("utf-16"),
        rows("{t};{p}", "time;Leistung W\n").encode("utf-16-be"),
        rows("{t},{p}", "time,power_w\n").replace("\n", "\r").encode(),
        rows("{i},{t},{p}", '"Plot Title: x"\n"#","Date Time","Active Power, W (LGR S/N: 1)"\n').encode(),
        rows("{t};{c}", "sep=;\ntime;power_w\n").encode(),
        rows("{t},0.65,230.0,{p}", "# time,current_a,voltage_v,power_w\n").encode(),
        rows("{t},0.65,230.0,{p}", "# made by hand\n#time,current_a,voltage_v,power_w\n").encode(),
        rows("{t}\t{p}\ntime\tPkgWatt", "time\tPkgWatt\n").encode(),
        rows("{t},{p}", "Time,Power (W)\n").encode(),
        rows("{t},{p}", "timestamp,power\nISO,mW\n", 1e3).encode(),
        rows("{t},{p}", "timestamp,[power]\n-,[kW]\n", 1e-3).encode(),
        rows("{t},{p},µW", "time,value,unit\n", 1e6).encode(),
        rows("{t},{p}", "time,Power (µW)\n", 1e6).encode(),
        rows("{t},{p} W", "time,node\n").encode(),
        rows('{t},"{p} kW"', "time,node\n", 1e-3).encode(),
        rows("{t}|{p}|", "time|power_w|\n").encode(),
        rows("{t},{p},,,", "time,power_w,note,,\n").encode(),
        rows("{t} {p}", "# time power_w\n").encode(),
        rows("{t},{p},300,12.5", "time,power.draw [W],power.limit [W],Energy (kWh)\n").encode(),
    ],
)
def test_layouts_encodings_and_units_are_read(read, data):
    assert watts(read(data)) == pytest.approx(WATTS)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"encoding": "cp1252"}, rows("{t};{p};41", "time;Leistung W;Temp °C\n").encode("cp1252")),
        ({"unit": "W"}, rows("{t},{p}").encode()),
        ({"unit": "uW"}, rows("{t},{p}", "time,power1_average\n", 1e6).encode()),
        ({"column": "P1 (W)"}, rows("{t},{p},9", "time,P1 (W),P2 (W)\n").encode()),
        ({"column": "p2_w"}, rows("{t},9,{p}", "time,P1 (W),P2 (W)\n").encode()),
        ({"time": "时间", "column": "功率", "unit": "W"}, rows("{t},230.0,{p}", "时间,电压,功率\n").encode()),
        ({"skip": "2"}, rows("{t},{p}", "time,power_kw\n2020-01-01,1.5\ntime,power_w\n").encode()),
        ({"where": "index=1"}, rows("{t},0,3.5\n{t},1,{p}", "time,index,power_w\n").encode()),
        ({"where": "gpu=0&kind=board"}, rows("{t},0,board,{p}\n{t},0,chip,9.1", "time,gpu,kind,power_w\n").encode()),
        (
            {"where": "CPU=-"},
            rows("{t}\t-\t99\t{p}\n{t}\t0\t98\t{p}\n{t}\t1\t97", "time\tCPU\tBusy%\tPkgWatt\n").encode(),
        ),
        ({"unit": "W", "where": "unit_id=sensor.a"}, rows("sensor.a,{p},{t}", "unit_id,state,last_changed\n").encode()),
    ],
)
def test_settings_say_what_the_file_does_not(read, settings, text):
    assert watts(read(text, **settings)) == pytest.approx(WATTS)


@pytest.mark.parametrize(
    ("settings", "text", "words"),
    [
        ({}, rows("{t};{p};41", "time;Leistung W;Temp °C\n").encode("cp1252"), "encoding="),
        ({"encoding": "base64"}, rows("{t},{p}", "time,power_w\n"), "an encoding that Python knows"),
        ({"encoding": "cp1252"}, rows("{t},{p}", "time,power_w\n").encode("utf-16"), "byte order mark"),
        ({}, rows("{t},{p}", "time,Energy (kWh)\n"), "energy (kWh)"),
        ({"column": "Energy (kWh)", "unit": "W"}, rows("{t},{p}", "time,Energy (kWh)\n"), "energy (kWh)"),
        ({"column": "VA"}, rows("{t},{p},9", "time,VA,power_w\n"), "apparent power (VA)"),
        ({}, rows("{t},{p} VA", "time,power\n"), "numbers in W, mW"),
        ({}, rows("{t},{p}", "time,power\n"), "unit=W"),
        ({}, rows("{t},{p}", "time,power\n").replace(",480.2", ",480.2 W"), "unit=W"),
        ({}, rows("{t},{p}"), "unit=W"),
        ({"unit": "mW"}, rows("{t},{p}", "time,power_w\n"), "W as column power_w says"),
        ({"unit": "kWh"}, rows("{t},{p}", "time,power\n"), "key unit"),
        ({}, rows("{t},{p} W", "time,power_mw\n", 1e3), "numbers in mW or MW"),
        ({}, rows("{t},{p} kW", "time,power_milliwatt\n"), "numbers in mW"),
        ({}, rows("{t},0.02", "time,power_mw\n"), "unit=MW"),
        ({}, rows("{t},{p},9.5", "time,P1 (W),P2 (W)\n"), "column=P1 (W), column=P2 (W)"),
        ({}, rows("{t},{p},9.5", "time,power_w,power\n"), "column=power_w, column=power"),
        ({}, rows("{t},{p}", "time,power.limit [W]\n"), "a limit or an extreme"),
        ({}, rows("{t},0,{p}\n{t},1,3.5", "time,index,power_w\n"), "where=index=0"),
        ({}, rows("{t},{p},a", "time,power_w,rig\n") + rows("{t},{p},b"), "sum=rig"),
        ({}, rows("{t},{p}\n{t},3.5", "time,power_w\n"), "no column tells"),
        ({}, rows("{t},10,{p}\n{t},20,3.5", "time,addr,power_w\n"), "where=addr=10"),
        (
            {"sum": "entity_id", "unit": "W"},
            rows("x.power,{p},{t}\nx.voltage,230,{t}", "entity_id,state,t\n"),
            "key sum",
        ),
        ({"where": "index=7"}, rows("{t},0,{p}", "time,index,power_w\n"), "a value that occurs"),
        ({"where": "gpu=0"}, rows("{t},0,{p}", "time,index,power_w\n"), "a column of time, index"),
        ({}, rows("{t};{p}", "time;power_w\n", values=(998, 1.002, 999, 1.004)), "thousands=point"),
        ({}, rows('{t},"{c}"', "time,power_w\n", values=(1.002, 1.004, 1.011)), "decimal=comma"),
        ({}, rows("{t};{p}", "time;power_w\n").replace("480.2", "480,2"), "one decimal sign"),
        ({"decimal": "dot", "thousands": "."}, rows("{t},{p}", "time,power_w\n"), "another mark"),
        ({}, rows("{i}.5,{p}", "time,power_w\n"), "counts from its own start"),
        ({}, rows("12:00:0{i},{p}", "time,power_w\n"), "a time in each row"),
        ({}, rows("05/06/2026 12:00:0{i},{p}", "time,power_w\n"), "which number is the day"),
        ({"time_format": "%H:%M:%S"}, rows("12:00:0{i},{p}", "time,power_w\n"), "a format with a date"),
        ({}, rows("{t},{p}", "time,power_w\n").replace("3Z", "3"), "a zone on every time"),
        ({"skip": "x"}, rows("{t},{p}", "time,power_w\n"), "key skip"),
        ({}, rows("{t},4294967295", "time,power_mw\n"), "every reading missing"),
        ({}, rows("{t},65535", "time,power_w\n"), "all bits are ones"),
        ({}, rows("{t},{p}", "time,power_w\n", 1e8), "below 1e9 W"),
        ({}, rows("{t},-{p}", "time,power_w\n"), "a mean of -480"),
        ({}, rows("{t},N/A", "time,power_w\n"), "every reading missing"),
        ({}, rows("{t},{p},1", "time,power_w\n"), "as many names as cells"),
        ({}, rows("{t},{p},1"), "a header above more than two columns"),
        ({}, rows("{t},{p},1", "time,power_w,x\n") + "time,x,power_w\n" + rows("{t},1,{p}"), "one header"),
        ({}, rows("{t},{p}", "time,power_w\n") + "oops,!\n", "'oops,!'"),
    ],
)
def test_what_is_not_certain_is_refused_with_its_cause(refusal, settings, text, words):
    assert words in refusal(text, **settings)


def test_missing_readings_are_gaps_and_refuse_nothing(read):
    cells = ["480.2", "N/A", "unavailable", "", "[N/A]", "480.9", "-", "nan"]
    log = read("time,power_w\n" + "".join(f"{T.format(i)},{cell}\n" for i, cell in enumerate(cells)))
    assert watts(log) == [480.2, None, None, None, None, 480.9, None, None]
    assert log.malformed == ()


def test_a_sum_over_devices_has_a_gap_where_one_is_missing(read):
    text = rows("{t},0,{p}\n{t},1,100.5", "time,index,power_w\n").replace("03Z,1,100.5", "03Z,1,[N/A]")
    text = text.replace("2026-11-29T12:00:01Z,1,100.5\n", "")
    log = read(text, sum="index")
    assert watts(log) == pytest.approx([580.7, None, 582.1, None, 579.3])
    assert log.filter == "sum=index"


def test_columns_of_one_log_are_added(read):
    assert watts(read(rows("{t},{p},100", "time,P1 (W),P2 (W)\n"), column="P1 (W)+P2 (W)")) == pytest.approx(
        [power + 100 for power in WATTS]
    )


def test_the_newest_row_may_be_first(read):
    head, *lines = rows("{t},{p}", "time,power_w\n").splitlines()
    log = read("\n".join([head, *reversed(lines)]) + "\n")
    assert watts(log) == pytest.approx(WATTS)
    assert "newest row first" in log.understood


@pytest.mark.parametrize(
    ("head", "time"),
    [
        ("time,power_w", "29.11.2026 12:00:00"),
        ("time,power_w", "11/29/2026 12:00:00 PM"),
        ("time,power_w", "11/29/26 12:00:00"),
        ("Date Time@ GMT-07:00,power_w", "11/29/26 05:00:00 AM"),
        ("t (America/New_York),power_w", "2026-11-29 07:00:00"),
        ("time,power_w", "2026-11-29T13:00:00+01:00"),
        ("time,power_w", "1795953600"),
        ("time,power_w", "1795953600000"),
        ("time,power_w", "1795953600000000000"),
        ("time,power_w", "20261129120000"),
        ("time,power_w", "Sun Nov 29 12:00:00 2026"),
        ("Date,Time,power_w", "2026/11/29,12:00:00"),
        ("Time,Date,power_w", "12:00:00,29.11.2026"),
        ("x,power_w", "29-Nov-2026 12:00"),
        ("started,timestamp,uptime,power_w", "1795953599,2026-11-29T12:00:00Z,5:00"),
    ],
)
def test_times_are_read_in_the_zone_that_they_state(read, head, time):
    quoted = ",".join(f'"{name}"' for name in head.split(",")).replace("@", ",")
    assert list(read(f"{quoted}\n{time},480.2\n").samples) == [(1_795_953_600.0, 480.2)]


@pytest.mark.parametrize(
    "text", ["", "# begun\n", "time,power_w\n", "Report\n\ntime;power_w\n", "time,power_w\n2026-11"]
)
def test_a_log_without_a_row_is_empty_and_not_wrong(read, text):
    with pytest.raises(EmptyLogError):
        read(text)


def test_the_record_of_a_log_names_what_was_read(read):
    log = read(rows("{t},0,{p}", "time,index,Board (kW)\n", 1e-3), where="index=0")
    assert (log.column, log.unit, log.time, log.filter, log.encoding) == (
        "Board (kW)", "kW", "time", "where=index=0", "utf-8",
    )  # fmt: skip
    assert len(log.sha256) == 64
    assert log.step_s == 1.0


def test_a_share_in_per_cent_is_no_device(read):
    text = "time,GPU,power_w\n" + "".join(f"{T.format(i)},{99 - i % 3},480.5\n" for i in range(9))
    assert watts(read(text)) == [480.5] * 9
