"""Events of a virtual top node on loopback: modified, cancelled, several, in pages, behind a token, and faulty."""

import pytest
from doubles.inputs.vtn import CLIENT, SECRET, Vtn, event

from bench.control.inputs import InputTables, TargetTable, open_inputs
from hardware_profiles.errors import InputError

NOW = 1_796_112_000.0 + 1800  # 08:30
KINDS = ["IMPORT_CAPACITY_LIMIT", "DISPATCH_SETPOINT"]


@pytest.fixture
def vtn():
    running = []

    def start(*events, **keys):
        running.append(Vtn(**keys))
        running[-1].events = list(events)
        return running[-1]

    yield start
    for each in running:
        each.close()


@pytest.fixture
def opened(tmp_path):
    all_opened = []

    def start(server, **keys):
        target = {"source": f"openadr:{server.url}", "payloads": KINDS, **keys}
        tables = InputTables(None, (TargetTable.model_validate(target),), tmp_path / "control.toml", tmp_path)
        inputs = open_inputs(tables, lambda: NOW)
        all_opened.append(inputs)

        def at(seconds):
            inputs.now(NOW + seconds)
            inputs.settle(30.0)
            return inputs.now(NOW + seconds)

        inputs.at = at
        return inputs

    yield start
    for each in all_opened:
        each.close()


def limits(known):
    return sorted(target.limit_mw for target in known.targets)


def test_several_events_hold_at_once_so_that_the_lowest_limit_counts(vtn, opened):
    server = vtn(event(1, (500.0,)), event(2, (80.0,), kind="DISPATCH_SETPOINT"), event(3, kind="PRICE", units="KWH"))
    known = opened(server).at(0)
    assert limits(known) == [0.08, 0.5]
    assert {target.source for target in known.targets} == {"openadr:p1/e1", "openadr:p1/e2"}
    assert known.faults == ()


def test_a_modified_event_replaces_its_limit_and_a_cancelled_one_drops_it(vtn, opened):
    server = vtn(event(1, (500.0,)), event(2, (80.0,)))
    inputs = opened(server)
    server.events = [event(1, (300.0,)), event(2, (80.0,))]
    known = inputs.at(30)
    assert limits(known) == [0.08, 0.3]
    assert {target.limit_mw: target.received_s - NOW for target in known.targets} == {0.08: 0.0, 0.3: 30.0}
    server.events = [event(1, (300.0,))]
    assert limits(inputs.at(60)) == [0.3]
    server.events = []
    assert inputs.at(90).targets == ()
    assert not inputs.at(90).targets_lost


def test_a_faulty_change_of_an_event_leaves_it_as_it_was_and_the_others_are_taken(vtn, opened):
    server = vtn(event(1, (500.0,)))
    inputs = opened(server)
    server.events = [event(1, (100.0,), units="KVA"), event(2, (80.0,))]
    known = inputs.at(30)
    assert limits(known) == [0.08, 0.5]
    assert known.faults == (
        f"target openadr:{server.url}: event 'e1': IMPORT_CAPACITY_LIMIT: expected the unit KW or MW, got 'KVA'",
    )


def test_all_pages_are_read_also_of_a_server_that_knows_none(vtn, opened):
    many = [event(number, (number,)) for number in range(1, 124)]
    server = vtn(*many)
    assert len(opened(server).at(0).targets) == 123
    deaf = vtn(*many[:50])
    deaf.knows_skip = False
    assert len(opened(deaf).at(0).targets) == 50


@pytest.mark.parametrize("name", ["limits", "p1"])
def test_only_the_events_of_the_program_count(vtn, opened, name):
    server = vtn(event(1, (500.0,)), event(2, (80.0,), program="p2"))
    assert limits(opened(server, program=name).at(0)) == [0.5]


def test_a_program_that_the_vtn_does_not_have_is_a_fault_with_the_nearest_name(vtn, opened):
    known = opened(vtn(event()), program="limit").at(0)
    assert "program: expected one of the VTN's 1, got 'limit' (limits)" in known.faults[0]


def test_a_token_is_issued_once_used_for_all_and_renewed_when_it_is_refused(vtn, opened, tmp_path):
    (tmp_path / "secret").write_text(SECRET)
    (tmp_path / "secret").chmod(0o600)
    server = vtn(event(1, (500.0,)), secret=SECRET)
    inputs = opened(server, user=CLIENT, password_file=str(tmp_path / "secret"))
    inputs.at(30)
    assert server.tokens == 1
    server.valid = set()
    server.events = []
    known = inputs.at(60)
    assert (known.targets, known.faults, server.tokens) == ((), (), 2)


def test_a_refused_secret_is_a_fault_that_does_not_repeat_it(vtn, opened, tmp_path):
    (tmp_path / "secret").write_text("not-the-5ecret")
    (tmp_path / "secret").chmod(0o600)
    known = opened(vtn(secret=SECRET), user=CLIENT, password_file=str(tmp_path / "secret")).at(0)
    assert "the client or its secret is refused" in known.faults[0]
    assert "5ecret" not in known.faults[0]


def test_a_secret_is_not_sent_without_tls_beyond_this_machine(tmp_path, monkeypatch):
    monkeypatch.setenv("VTN_SECRET", SECRET)
    stated = {"payloads": KINDS, "user": CLIENT, "password_env": "VTN_SECRET"}
    table = TargetTable.model_validate({"source": "openadr:http://10.0.0.9/oadr", **stated})
    with pytest.raises(InputError, match="expected https with a client and its secret"):
        open_inputs(InputTables(None, (table,), tmp_path / "control.toml", tmp_path), lambda: NOW)


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        ((500, {}, b'{"title": "Internal Server Error", "detail": "database"}'), "HTTP status 500: 'database'"),
        ((200, {}, b"<html>"), "not JSON"),
        ((200, {}, b'{"events": []}'), "expected a list of objects"),
        ((200, {}, b"[1]"), "expected a list of objects"),
        ((200, {}, b"[" * 100_000), "not JSON"),
        ((200, {}, b"[" + b" " * 5_000_000 + b"]"), "longer than 4194304 bytes"),
        ((401, {}, b""), "HTTP status 401"),
    ],
)
def test_a_bad_answer_is_a_fault_the_events_stay_and_the_source_is_lost_after_its_silence(vtn, opened, answer, fault):
    server = vtn(event(1, (500.0,)))
    inputs = opened(server)
    server.instead = lambda _path: answer
    known = inputs.at(60)
    assert fault in known.faults[0]
    assert (limits(known), known.targets_lost) == ([0.5], False)
    known = inputs.at(91)
    assert (limits(known), known.targets_lost) == ([0.5], True)
    server.instead = None
    known = inputs.at(130)
    assert (known.faults, known.targets_lost) == ((), False)


@pytest.mark.usefixtures("deadlines")
def test_a_vtn_that_hangs_is_a_fault_within_the_time_limit(vtn, opened):
    server = vtn(event(1, (500.0,)))
    inputs = opened(server, timeout_s=0.3)
    server.instead = lambda _path: server.blocked.wait(60.0) and (200, {}, b"[]")
    assert "no complete answer in time" in inputs.at(60).faults[0]
