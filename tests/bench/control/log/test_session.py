"""What a run writes, what a killed one leaves, and what the check of a log finds."""

import json
import random

import pytest

from bench.control.decision.memory import UnitMemory
from bench.control.decision.terms import Limits, Setup, UnitTerms
from bench.control.decision.tick import FeederReading, Look, Tick
from bench.control.log.audit import AUDIT_FILE, last_row
from bench.control.log.session import Session
from bench.control.log.stored import SNAPSHOT_FILE, snapshot
from bench.control.log.verify import verify
from bench.control.policy import policy_of
from bench.levers.protocol import Answer, Evidence, Reply
from hardware_profiles.errors import InputError
from sites.control.model import OFF, ON, Inputs, Level, Price, Unit, UnitState
from sites.control.plan import Plan, PlanBlock, PlanPart
from sites.control.rules import Fallback, Rules

NOW_S = 1_780_000_000.0
LIMITS = Limits(1e6, 1e6, 2, 20.0, 60.0, 60.0, 60, 1.0, 0.05, 0.0, 0.0)
RULES = Rules(Fallback.HOLD, Fallback.HOLD, windows_down=1, windows_up=1)


def plan():
    def flat(value):
        return (float(value),) * 3

    block = PlanBlock("miners", "mining", 0.033, flat(0.033), None, ())
    part = PlanPart(0, "", False, False, False, flat(0.033), flat(0.033), flat(60))
    return Plan(
        site="test", start_s=int(NOW_S), step_s=3600, availability_frac=1.0, contract_mw=0.0,
        spot_usd_per_mwh=flat(40), resale_usd_per_mwh=flat(0), adder_usd_per_mwh=flat(0), forgone_usd_per_mwh=flat(0),
        price_usd_per_mwh=flat(40), room_mw=flat(1), bound=("interconnect",) * 3, battery_mw=flat(0), may_export=False,
        mining_meter_per_device=flat(1), gpu_meter_per_device=flat(1), blocks=(block,), parts=(part,),
    )  # fmt: skip


def setup(units=10):
    levels = (Level(OFF, 30.0), Level(ON, 3300.0, 2e14))
    terms = {f"m{n}": UnitTerms(Unit(f"m{n}", "miners", levels, 60.0, 10.0)) for n in range(units)}
    return Setup("test", policy_of(plan(), RULES), LIMITS, terms, 30.0, 90.0, 60.0, None)


def session(folder):
    return Session(folder, setup(), plan(), RULES, {"mode": "shadow"})


def tick_of(run, at, price=40.0, seed=0):
    """Return a tick in which every unit obeys at once, and one in ten is not seen."""
    now_s, draw, looks, total_w = NOW_S + 30.0 * at, random.Random(f"{seed}-{at}"), {}, 0.0
    for name in run.setup.units:
        level = (run.memory.units.get(name) or UnitMemory()).expected or ON
        power_w = (30.0 if level == OFF else 3300.0) + draw.random()
        total_w += power_w
        if draw.random() > 0.1:
            state = UnitState.OFF if level == OFF else UnitState.RUNNING
            looks[name] = Look(now_s, state, level, power_w, f"mac-{name}", Evidence.CONFIRMED)
    prices = (Price(price, NOW_S, NOW_S + 7200.0, NOW_S, "test"),)
    return Tick(now_s, Inputs(prices), looks, feeder=FeederReading(now_s, total_w))


def drive(folder, first, count, answers=True):
    """Run some cycles in a session of their own; a high price from the tenth cycle on calls for a stop."""
    with session(folder) as run:
        for at in range(first, first + count):
            _, decision = run.decide(tick_of(run, at, 40.0 if at < 10 else 400.0))
            run.commit({"at_s": NOW_S + 30.0 * at, "mode": "shadow"})
            if answers:
                run.answered({command.unit: Answer(Reply.ACCEPTED, "said") for command in decision.commands})
        return run.memory


def test_a_log_is_verified_and_says_how_many_commands_were_decided(tmp_path):
    memory = drive(tmp_path, 0, 20)
    checked = verify(tmp_path)
    assert checked.faults == ()
    assert checked.cycles == 20
    assert checked.commands == 10 == sum(unit.level == OFF for unit in memory.units.values())
    assert last_row(tmp_path)["mode"] == "shadow"


@pytest.mark.parametrize("keeps_snapshot", [True, False])
def test_a_later_run_goes_on_where_the_log_ends_with_or_without_a_snapshot(tmp_path, keeps_snapshot):
    memory = drive(tmp_path, 0, 14)
    if not keeps_snapshot:
        (tmp_path / SNAPSHOT_FILE).unlink()
    with session(tmp_path) as run:
        assert run.memory == memory
        assert set(run.answers.values()) == {Reply.ACCEPTED}
    one, two = tmp_path / "one", tmp_path / "two"
    whole = drive(one, 0, 20)
    drive(two, 0, 12)
    assert drive(two, 12, 8) == whole
    assert verify(two).faults == ()


def test_a_snapshot_of_an_earlier_line_is_caught_up_with(tmp_path):
    drive(tmp_path, 0, 11)
    earlier = (tmp_path / SNAPSHOT_FILE).read_bytes()
    memory = drive(tmp_path, 11, 5)
    (tmp_path / SNAPSHOT_FILE).write_bytes(earlier)
    with session(tmp_path) as run:
        assert run.memory == memory


def test_a_torn_last_line_was_acknowledged_to_nobody(tmp_path):
    memory = drive(tmp_path, 0, 12)
    log = tmp_path / AUDIT_FILE
    whole = log.read_bytes()
    for cut in (1, 7, 200):
        log.write_bytes(whole + whole.splitlines()[-1][:cut])
        with session(tmp_path) as run:
            assert run.memory == memory
        assert verify(tmp_path).faults == ()
        log.write_bytes(whole)
        (tmp_path / SNAPSHOT_FILE).unlink()


def edited(lines):
    for at, line in enumerate(lines):
        row = json.loads(line)
        if row["kind"] == "cycle" and row["decision"].get("commands"):
            yield "command", [*lines[:at], line.replace(b'"level":"off"', b'"level":"on"', 1), *lines[at + 1 :]]
            yield "look", [*lines[:at], line.replace(b'"now_s":', b'"now_s": '), *lines[at + 1 :]]
            yield "missing", [*lines[:at], *lines[at + 1 :]]
            yield "reordered", [*lines[: at - 1], line, lines[at - 1], *lines[at + 1 :]]
            yield "twice", [*lines[:at], line, *lines[at:]]
            yield "cut", lines[:at]
            return


def test_every_edited_missing_reordered_or_repeated_line_is_seen(tmp_path):
    drive(tmp_path, 0, 14)
    log = tmp_path / AUDIT_FILE
    lines = log.read_bytes().splitlines()
    changes = dict(edited(lines))
    assert len(changes) == 6
    for what, content in changes.items():
        log.write_bytes(b"\n".join(content) + b"\n")
        assert verify(tmp_path).faults, what


def test_a_chain_that_was_made_anew_over_another_decision_is_seen_by_its_replay(tmp_path):
    from hashlib import sha256

    drive(tmp_path, 0, 14)
    log = tmp_path / AUDIT_FILE
    before, content = "0" * 64, []
    for line in log.read_bytes().splitlines():
        row = json.loads(line)
        row["before"] = before
        if row["kind"] == "cycle" and row["decision"].get("commands"):
            row["decision"]["commands"][0]["unit"] = "m9"
        content.append(json.dumps(row, separators=(",", ":")).encode())
        before = sha256(content[-1]).hexdigest()
    log.write_bytes(b"\n".join(content) + b"\n")
    (tmp_path / SNAPSHOT_FILE).unlink()
    faults = verify(tmp_path).faults
    assert "expected the decision of" in faults[0]


def test_a_changed_file_of_the_terms_is_refused_by_the_check(tmp_path):
    drive(tmp_path, 0, 2)
    (path,) = tmp_path.glob("terms-*.json")
    path.write_bytes(path.read_bytes().replace(b"1000000.0", b"2000000.0"))
    assert "it was changed" in verify(tmp_path).faults[0]


def test_a_second_controller_of_a_site_is_refused(tmp_path):
    with session(tmp_path), pytest.raises(InputError, match="no other process controls"):
        session(tmp_path)


def test_a_log_that_was_changed_is_not_gone_on_with(tmp_path):
    drive(tmp_path, 0, 3)
    log = tmp_path / AUDIT_FILE
    log.write_bytes(log.read_bytes().replace(b'"mode":"shadow"', b'"mode":"armed"', 1))
    with pytest.raises(InputError, match="move the folder elsewhere"):
        session(tmp_path)
    with session(tmp_path / "new"):
        assert snapshot(tmp_path / "new") is not None
