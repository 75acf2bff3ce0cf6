"""`perwatt twin`: what it prints, that it ends with Ctrl-C, and that bad options are refused in one line."""

import signal
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path

import pytest


def start(folder, *options):
    command = [sys.executable, "-m", "bench", "twin", "--own-ports", "--units", "2", "--out", str(folder), *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_a_signal_and_every_line_says_that_it_is_simulated(tmp_path, number):
    with start(tmp_path / "twin") as process:
        lines = [process.stdout.readline() for _ in range(4)]
        page = next(word for word in lines[2].split() if word.startswith("http://")).removeprefix("http://")
        connection = HTTPConnection(page.strip("/"), timeout=10.0)
        connection.request("GET", "/clock")
        assert connection.getresponse().status == 200
        connection.close()
        process.send_signal(number)
        rest, errors = process.communicate(timeout=20.0)
    assert process.returncode == 0, errors
    assert errors == ""
    assert all("simulated" in line for line in [*lines[:3], *rest.splitlines()])
    assert lines[3].startswith("perwatt control ")
    assert {path.name for path in Path(tmp_path / "twin").iterdir()} == {"site.toml", "control.toml", "arm.toml"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--units", "10001"), "from 0 to 10000"),
        (("--units", "0"), "one unit or more"),
        (("--kinds", "luxos-s18"), "did you mean luxos-s19"),
        (("--kinds", "whatsminer-m60"), "of luxos-s19"),
        (("--speed", "-1"), "from 0 to 100000"),
        (("--lies", "liar=1"), "no_effect"),
    ],
)
def test_bad_options_are_refused_in_one_line(tmp_path, perwatt, options, words):
    run = perwatt("twin", "--out", str(tmp_path / "twin"), *options)
    assert run.returncode == 2
    assert words in run.stderr
    assert run.stderr.count("\n") == 1
