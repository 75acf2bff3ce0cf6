"""The journal of devices as found: before every command, one owner; no kill at any line loses the former setting."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from doubles.levers import killed
from doubles.levers.file_lever import FileLever

from bench.errors import RunFailedError
from bench.levers.journal import Device, Journal, is_running, pending
from bench.levers.protocol import Reply
from bench.levers.restore import bring_back, send
from hardware_profiles.errors import InputError

ROOT = Path(__file__).resolve().parents[3]
DEVICE = Device("luxos", "10.0.4.1", {"user": "root"}, "aa:bb")
FOUND = {"mode": "eco", "target_w": 1800}
MOMENTS = 60


def test_a_device_as_found_is_read_back_as_it_was_written():
    with Journal("control north", clock=lambda: 1_800_000_000.0) as journal:
        entry = journal.hold(DEVICE, FOUND, "eco")
        assert pending() == [entry]
        assert entry.at == "2027-01-15T08:00:00+00:00"
        assert journal.path(DEVICE).stat().st_mode & 0o077 == 0 or journal.folder.stat().st_mode & 0o077 == 0
        journal.remove(DEVICE)
    assert pending() == []


def test_the_file_and_its_name_are_flushed_before_the_entry_is_returned(monkeypatch):
    flushed = []
    with Journal("control north") as journal:
        monkeypatch.setattr(os, "fsync", lambda handle: flushed.append(Path(f"/proc/self/fd/{handle}").readlink()))
        journal.hold(DEVICE, FOUND, "eco")
        assert [flushed[0].parent, flushed[1]] == [journal.folder, journal.folder]


def test_other_work_on_the_same_device_is_refused_by_whatever_address_it_is_reached():
    with Journal("control north") as first, Journal("sweep luxos:miner-1") as second:
        first.hold(DEVICE, FOUND, "eco")
        with pytest.raises(InputError, match=r"control north set at .* run `perwatt levers restore luxos:10.0.4.1`"):
            second.hold(Device("antminer", "miner-1", {}, "AA:BB"), {"mode": "off"}, "off")
        assert first.mine() == pending()
        assert second.mine() == []


def test_the_same_work_is_done_by_one_process_at_a_time():
    with Journal("control north"):
        assert is_running("control north")
        with pytest.raises(InputError, match="control north: expected no other process"):
            Journal("control north")
    assert not is_running("control north")
    Journal("control north").close()


def test_work_that_starts_again_keeps_what_its_first_process_found():
    with Journal("control north") as journal:
        first = journal.hold(DEVICE, FOUND, "eco")
    with Journal("control north") as journal:
        assert journal.hold(DEVICE, {"mode": "off"}, "off") == first
        assert journal.standing(DEVICE) == first


@pytest.mark.parametrize("setting", [{"password": "x"}, {"pool": {"auth_token": "x"}}])
def test_a_setting_with_a_password_is_not_written(setting):
    with Journal("control north") as journal, pytest.raises(RunFailedError, match="a password is not written"):
        journal.hold(DEVICE, setting, "on")
    assert pending() == []


@pytest.mark.parametrize(
    "content",
    [
        "{}", "[]", "{", "\0", '{"schema":"perwatt.lever-journal/1"}',
        '{"schema":"perwatt.lever-journal/1","device":{"lever":1,"options":{}},"setting":{}}',
        '{"schema":"perwatt.lever-journal/1","device":{"lever":"a","address":"b","options":{},"identity":[]},"setting":{}}',
    ],
)  # fmt: skip
def test_a_damaged_journal_is_one_line_and_hides_no_other(content):
    faults = []
    with Journal("control north") as journal:
        entry = journal.hold(DEVICE, FOUND, "eco")
        (journal.folder / "damaged.json").write_text(content)
    assert pending(faults.append) == [entry]
    assert len(faults) == 1
    assert "damaged.json" in faults[0]
    assert "\n" not in faults[0]


def test_a_full_disk_is_one_line_before_anything_is_set(monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device", "x")

    with Journal("control north") as journal:
        monkeypatch.setattr("sites.files.write_new", full)
        with pytest.raises(RunFailedError, match="No space left on device; nothing was written"):
            journal.hold(DEVICE, FOUND, "eco")


@pytest.fixture
def device_file(tmp_path):
    path = tmp_path / "device.json"
    path.write_text(json.dumps({"level": "on", "target": 3300}))
    return path


def test_the_level_as_found_is_sent_as_the_former_setting(device_file):
    lever = FileLever(device_file)
    with Journal("control north") as journal:
        entry = journal.hold(DEVICE, lever.setting(), "on")
        asyncio.run(send(lever, entry, "off", 1.0))
        assert lever.setting()["level"] == "off"
        device_file.write_text(json.dumps({"level": "off", "target": 1}))
        asyncio.run(send(lever, entry, "on", 1.0))
    assert lever.setting() == {"level": "on", "target": 3300}


@pytest.mark.parametrize(
    ("lever", "why"),
    [
        ({"identity": "mac-2"}, "other_device: luxos:10.0.4.1 is now mac-2, and aa:bb was set"),
        ({"identity": "AA:BB", "reply": Reply.REFUSED, "obeys": False}, "refused: "),
        ({"identity": None, "obeys": False}, "not_shown: the device does not show its former setting (accepted)"),
        ({"identity": None, "reply": Reply.SILENT}, ""),
    ],
)
def test_a_device_is_back_only_when_it_shows_its_former_setting(device_file, lever, why):
    with Journal("control north") as journal:
        entry = journal.hold(DEVICE, {"level": "eco", "target": 1}, "eco")
        assert asyncio.run(bring_back(FileLever(device_file, **lever), entry, 0.01, 0.001)) == why


def test_a_kill_at_60_lines_leaves_the_former_setting_or_a_journal_that_brings_it_back(device_file):
    former = json.loads(device_file.read_text())
    child = subprocess.Popen(
        [sys.executable, str(Path(killed.__file__)), str(device_file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}, text=True,
    )  # fmt: skip

    def kill_at(line):
        child.stdin.write(f"{line}\n")
        child.stdin.flush()
        return int(child.stdout.readline())

    lines, kills, journals = kill_at(0), 0, 0
    assert (json.loads(device_file.read_text()), pending()) == (former, [])
    for moment in range(MOMENTS):
        kills += kill_at(1 + moment * lines // MOMENTS) == -signal.SIGKILL
        entries = pending()
        assert entries or json.loads(device_file.read_text()) == former
        with Journal(killed.WHO) as journal:
            for entry in entries:
                assert entry.setting == former
                assert asyncio.run(bring_back(FileLever(device_file), entry, 1.0, 0.0)) == ""
                journal.remove(entry.device)
                journals += 1
        assert json.loads(device_file.read_text()) == former
    child.communicate()
    assert child.returncode == 0
    assert kills >= MOMENTS - 2
    assert journals >= MOMENTS // 4
