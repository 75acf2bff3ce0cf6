"""The page `Which file do I have?`: each command of its table reads a small log in that program's layout."""

import re
from pathlib import Path
from statistics import fmean

import pytest

from bench.meters.logs import SETTINGS, read_log
from bench.meters.registry import parse_spec
from hardware_profiles.errors import InputError

PAGE = Path(__file__).parents[4] / "docs" / "which-file.md"
SPECS = re.findall(r"^\|.*\| `(trace:[^`]*)` \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
READINGS = (310.5, 309.25, 311.0, 310.75)  # [W]


def rows(template, head="", scale=1.0):
    """A log of the readings, one a second from noon on 29 November 2026."""
    lines = [
        template.format(s=f"{i:02d}", i=i, p=f"{watts * scale:.10g}", p3=f"{watts:.3f}", n=1_795_953_600 + i, one=i + 1)
        for i, watts in enumerate(READINGS)
    ]
    return head + "".join(f"{line}\n" for line in lines)


SAMPLES = {
    "smi.csv": rows(
        "2026/11/29 12:00:{s}.004, 0, {p} W\n2026/11/29 12:00:{s}.006, 1, 55.125 W",
        "timestamp, index, power.draw [W]\n"
    ),
    "dcgm.csv": rows("2026-11-29T12:00:{s}Z,0,{p3}\n2026-11-29T12:00:{s}Z,1,55.125", "time,gpu,power_w\n"),
    "turbostat.tsv": rows("{n}.000812\t{p}", "Time_Of_Day_Seconds\tPkgWatt\n"),
    "powerjoular.csv": rows(
        "2026-11-29 12:00:{s},0.9{i},399.5,{p},88.9", "Date,CPU Utilization,Total Power,CPU Power,GPU Power\n"
    ),
    "jtop.csv": rows(
        "2026-11-29 12:00:{s}.112233,1:00:{s},99,{p},4100", "time,uptime,GPU,Power TOT,Power VDD_CPU\n", 1e3
    ),
    "spl.txt": rows(
        "Time,11-29-2026 12:00:{s}.305,Watts,{p},Volts,230.1,Amps,1.36,PF,0.99,Mark,run",
        "NOTICE,11-29-2026 11:59:59.101,ranging is done\n"
    ),
    "yokogawa.csv": rows(
        "{one},2026/11/29,12:00:{s},230.12,1.3612,{p}", "Model,WT310E\nStore No.,Date,Time,U-E1,I-E1,P-E1\n"
    ),
    "joulescope.csv": rows("{n}.060884,25.8,12.01,{p},0.2,{i}.5", "time,current,voltage,power,charge,energy\n"),
    "otii.csv": rows("{n}.000000,25.8,{p}", "Timestamp,Main current (A),Main power (W)\n"),
    "hobo.csv": rows(
        "{one},11/29/26 12:00:{s} PM,{p},",
        '"Plot Title: node"\n"#","Date Time, GMT+00:00","Active Power, W (LGR S/N: 77)","End Of File"\n',
    ),
    "emporia.csv": rows(
        "11/29/2026 07:00:{s},{p},0.0000,1.25",
        "Time Bucket (America/New_York),Mains_A (kWatts),"
        "Mains_B (kWatts),Ev (kWatts)\n", 1e-3
    ),
    "history.csv": rows(
        "sensor.plug_power,{p},2026-11-29T12:00:{s}.120Z\n"
        "sensor.plug_voltage,230.4,2026-11-29T12:00:{s}.130Z",
        "entity_id,state,last_changed\n",
    ),
    "grafana.csv": rows('2026-11-29 12:00:{s},{p} W,"0.2{i}5 kW"', 'sep=,\n"Time","node 1","node 2"\n'),
    "shelly.csv": rows("{n},{p},230.9", "time,apower,voltage\n"),
    "ipmi.txt": rows(
        "    Instantaneous power reading:    {p} Watts\n    Minimum during sampling period:      9 Watts\n"
        "    IPMI timestamp:           Sun Nov 29 12:00:{s} 2026\n    Power reading state is:   activated\n"
    ),
}  # fmt: skip


@pytest.mark.parametrize("spec", SPECS)
def test_each_command_of_the_page_reads_its_file(tmp_path, spec):
    _, target, settings = parse_spec(spec)
    path = tmp_path / target
    path.write_text(SAMPLES[target])
    log = read_log(path, {key: value for key, value in settings.items() if key in SETTINGS})
    read = [watts for _, watts in log.samples]
    assert log.samples[0][0] == pytest.approx(1_795_953_600, abs=0.5)
    if spec.startswith("trace:smi.csv,sum"):
        assert read == pytest.approx([watts + 55.125 for watts in READINGS])
    elif target == "ipmi.txt":
        assert fmean(read) == pytest.approx(fmean(map(int, READINGS)))
    else:
        assert read == pytest.approx(READINGS)


def test_the_page_has_every_program_of_its_kind():
    page = PAGE.read_text(encoding="utf-8").lower()
    programs = (
        "nvidia-smi", "home assistant", "grafana", "emporia", "hobo", "joulescope", "turbostat", "jtop", "powerjoular",
        "yokogawa", "ptdaemon", "shelly csv", "otii", "dcgm", "ipmi",
    )  # fmt: skip
    assert [name for name in programs if f"| {name}" not in page] == []
    assert {parse_spec(spec)[1] for spec in SPECS} == set(SAMPLES)


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (rows("{i}.5,25.8,{p}", "Timestamp,Main current (A),Main power (W)\n"), "counts from its own start"),
        (rows("2026-11-29 12:0{i},61.5,0", "Date/time UTC,Active energy Wh,Returned energy Wh\n"), "energy"),
        (rows("11/29/2026 12:0{i}:00,0.01", "Time Bucket (Europe/Berlin),Mains_A (kWhs)\n"), "energy (kWhs)"),
    ],
)
def test_files_that_hold_no_power_in_time_are_refused_by_cause(tmp_path, text, cause):
    path = tmp_path / "export.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=re.escape(cause)):
        read_log(path)
