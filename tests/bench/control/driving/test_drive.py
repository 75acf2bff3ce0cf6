"""The driver on sockets: shadow sends nothing, armed follows the intent, and each ending leaves what it should."""

import os
import signal
from dataclasses import replace

import pytest
from doubles.control.driven import CHEAP, DEAR

from bench.control.driving import eyes
from bench.control.log.audit import AuditLog
from bench.control.log.session import Session
from bench.control.log.verify import verify
from bench.control.reasons import words
from bench.errors import RunFailedError
from bench.levers.journal import Journal
from hardware_profiles.errors import InputError


def states(driven):
    return {name: count for name, count in driven.rows[-1]["states"].items() if count}


def standing(driven):
    """Return the files of the journal of devices."""
    return list((driven.folder / "state").rglob("*.json"))


def test_shadow_sends_no_byte_that_could_change_a_unit_and_says_what_it_would_have_done(driven):
    driven.price(DEAR)
    ending = driven.drive(driven.run(), 40, 60.0)
    assert (ending.reason, ending.cycles, ending.halted) == ("done", 40, "")
    assert driven.changes == 0
    last = driven.rows[-1]
    assert (last["mode"], last["simulated"]) == ("shadow", True)
    assert last["intent_mw"] < 0.1 * last["plan_mw"]
    assert states(driven) == {"running": 10}, "the units themselves go on"
    assert last["money"]["would_have_earned_usd"] > last["money"]["earned_usd"]
    assert verify(driven.folder / "shadow").faults == ()
    assert sum(row["commands"] for row in driven.rows) == 10, "each unit once: in shadow, units look as if they obeyed"
    assert standing(driven) == []


def test_armed_follows_the_price_down_and_up_and_a_restore_leaves_every_unit_as_it_was_found(driven):
    driven.price(DEAR, DEAR, DEAR, DEAR, CHEAP)
    driven.drive(driven.run(armed=True), 40, 60.0)
    assert states(driven) == {"off": 10}
    assert not any(row["states"]["unknown"] for row in driven.rows), "no command of ours blinds a lever"
    off = driven.rows[-1]
    assert off["meter_mw"] < 0.2 * off["plan_mw"]
    assert driven.changes > 0
    driven.drive(driven.run(armed=True), 60, 60.0)
    assert states(driven) == {"running": 10}
    driven.price(DEAR)
    driven.drive(driven.run(armed=True), 6, 60.0)
    assert "off" in states(driven) or "changing" in states(driven)
    ending = driven.drive(driven.run(restoring=True), 200, 60.0)
    assert (ending.reason, ending.listed, ending.halted) == ("restored", {}, "")
    assert standing(driven) == []
    assert states(driven) == {"running": 10}
    proof = verify(driven.folder / "armed")
    assert proof.faults == ()
    assert proof.commands >= 20


def test_a_controller_that_starts_again_goes_on_where_it_stopped(driven):
    driven.price(DEAR)
    driven.drive(driven.run(armed=True), 18, 60.0)
    earned = driven.rows[-1]["money"]["earned_usd"]
    assert words("price") in driven.rows[-1]["reasons"]
    assert any(words(code) in row["reasons"] for row in driven.rows for code in ("wave_full", "ramp_full", "min_on"))
    sent = driven.changes
    assert sent > 0
    driven.drive(driven.run(armed=True), 1, 60.0)
    row = driven.rows[-1]
    assert row["money"]["earned_usd"] == pytest.approx(earned, abs=0.05)
    assert not [unit for unit in row["not_as_intended"] if unit["reason"] == words("by_hand")]
    driven.drive(driven.run(armed=True), 30, 60.0)
    assert states(driven) == {"off": 10}
    assert driven.changes > sent


def test_another_folder_or_a_cut_log_commands_nothing_while_units_are_away(driven):
    driven.price(DEAR)
    driven.drive(driven.run(armed=True), 18, 60.0)
    sent = driven.changes
    assert sent > 0
    with pytest.raises(InputError, match="expected the log of the run that moved m"):
        driven.drive(driven.run(armed=True, folder=driven.folder / "elsewhere"), 2, 60.0)
    log = driven.folder / "armed" / "audit.jsonl"
    whole = log.read_bytes()
    log.write_bytes(b"".join(whole.splitlines(keepends=True)[:-3]))
    with pytest.raises(InputError, match=r"its end was removed or written anew; .*perwatt levers restore"):
        driven.drive(driven.run(armed=True), 2, 60.0)
    assert driven.changes == sent
    log.write_bytes(whole + b'{"n": torn')
    driven.drive(driven.run(armed=True), 30, 60.0)
    assert states(driven) == {"off": 10}


def test_a_disk_that_refuses_the_decision_stops_the_run_before_a_byte_is_sent(driven, monkeypatch):
    driven.price(DEAR)
    append = AuditLog.append

    def refuse(log, kind, content, **keys):
        if kind == "cycle" and content["commands"]:
            raise RunFailedError("audit.jsonl: no space left on device")
        return append(log, kind, content, **keys)

    monkeypatch.setattr(AuditLog, "append", refuse)
    with pytest.raises(RunFailedError, match="no space left"):
        driven.drive(driven.run(armed=True), 30, 60.0)
    assert driven.changes == 0


def test_a_unit_whose_setting_cannot_be_written_down_is_not_commanded(driven, monkeypatch):
    driven.price(DEAR)

    def refuse(*_):
        raise RunFailedError("journal: no space left on device")

    monkeypatch.setattr(Journal, "hold", refuse)
    refused = []
    driven.drive(driven.run(armed=True), 25, 60.0, on_row=lambda row: refused.append(row["commands"]))
    assert sum(refused) > 0, "the gate let commands pass"
    assert driven.changes == 0
    assert states(driven) == {"running": 10}


def test_what_a_unit_was_found_with_is_on_the_disk_before_its_first_byte(driven, monkeypatch):
    driven.price(DEAR)
    hold, before = Journal.hold, []

    def watched(journal, device, setting, level):
        before.append((driven.changes, len(standing(driven))))
        return hold(journal, device, setting, level)

    monkeypatch.setattr(Journal, "hold", watched)
    driven.drive(driven.run(armed=True), 25, 60.0)
    assert before[0] == (0, 0)
    assert driven.changes > 0


def test_an_arm_file_that_expires_ends_the_commands_and_leaves_the_units(driven):
    driven.price(DEAR)
    run = replace(driven.run(armed=True), expires_s=driven.start_s + 1000.0)
    ending = driven.drive(run, 100, 60.0)
    assert (ending.reason, ending.cycles) == ("expired", 17)
    sent = driven.changes
    assert sent > 0
    driven.twin.step(600.0)
    assert driven.changes == sent


@pytest.mark.parametrize("kind", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_the_run_after_its_cycle(driven, kind):
    ending = driven.drive(driven.run(), None, on_row=lambda _row: os.kill(os.getpid(), kind))
    assert (ending.reason, ending.cycles) == ("stopped", 1)
    assert verify(driven.folder / "shadow").faults == ()


def test_a_second_controller_of_the_same_site_is_refused(driven):
    def opened(_row):
        run = driven.run()
        with pytest.raises(InputError):
            Session(run.folder, run.setup, run.plan, run.rules, opening={})

    driven.drive(driven.run(), 1, on_row=opened)


def test_a_unit_that_does_not_answer_is_unknown_and_the_others_go_on(driven):
    driven.price(DEAR)
    lost = driven.twin.twin.units[0].name
    device = driven.control.devices[lost]
    devices = {**driven.control.devices, lost: replace(device, address="127.0.0.1:1")}
    driven.drive(replace(driven.run(armed=True), devices=devices), 30, 60.0)
    assert states(driven) == {"off": 9, "unknown": 1}
    (listed,) = (unit for unit in driven.rows[-1]["not_as_intended"] if unit["unit"] == lost)
    assert listed["state"] == "unknown"


def test_without_a_reading_of_the_feeder_nothing_is_switched_on(driven, monkeypatch):
    driven.price(DEAR, DEAR, CHEAP)
    driven.drive(driven.run(armed=True), 25, 60.0)
    assert states(driven) == {"off": 10}

    class Silent(eyes.PolledMeter):
        def connect(self):
            return None

        def read_once(self):
            raise eyes.ReadFailedError("no answer")

    monkeypatch.setattr(eyes, "_opened", lambda _spec: Silent(None))
    driven.drive(driven.run(armed=True), 20, 60.0)
    assert states(driven) == {"off": 10}
    assert driven.rows[-1]["meter_mw"] is None
