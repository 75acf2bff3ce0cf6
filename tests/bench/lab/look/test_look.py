"""What a host sees of itself: a load that stays is named, one that passes is not, and a fault of a meter is a line."""

import time

import pytest
from doubles.plug import FakePlug

from bench.lab.look import load
from bench.lab.look.answer import look
from bench.lab.look.messages import Load
from bench.results.record import Reason
from hardware_profiles.errors import InputError

BUSY = [Reason(code="foreign_load", detail="40% of 8 cores: blender (pid 7) 3.1 s")]


@pytest.fixture
def seconds(monkeypatch):
    """Let each look see the next of these loads; no time passes."""

    def of(*looks):
        rest = list(looks)
        monkeypatch.setattr(load, "_look", lambda: rest.pop(0) if len(rest) > 1 else rest[0])

    return of


def test_a_host_is_quiet_if_one_second_of_several_is(seconds):
    seconds(BUSY, BUSY, [])
    assert load.quiet(10.0).is_quiet


def test_a_load_that_stays_is_named_with_its_programs(seconds):
    seconds(BUSY)
    seen = load.quiet(0.0)
    assert not seen.is_quiet
    assert "foreign_load: 40% of 8 cores: blender" in seen.detail


def test_what_the_house_calls_no_load_does_not_count(monkeypatch):
    """A quota or a cpuset is a property of the machine, not a load."""
    monkeypatch.setattr(load, "LOOK_S", 0.0)
    monkeypatch.setattr(load.CpuAudit, "finish", lambda _self: ({}, [Reason(code="cores_limited"), *BUSY]))
    monkeypatch.setattr(load, "_gpu_indices", list)
    assert [reason.code for reason in load._look()] == ["foreign_load"]


def some_load(busy_s=0.0, monotonic_s=0.0, boot_id="boot-1", gpu_processes=()):
    return Load(busy_s=busy_s, cores=8, monotonic_s=monotonic_s, boot_id=boot_id, gpu_processes=gpu_processes)


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (some_load(0.04 * 8 * 100.0, 100.0), ""),
        (some_load(0.06 * 8 * 100.0, 100.0), "its CPU was busy for 6%"),
        (some_load(0.0, 100.0, "boot-2"), "it was booted"),
        (
            some_load(0.0, 100.0, gpu_processes=("gpu:0 by python (pid 7)",)),
            "a GPU was in use: gpu:0 by python (pid 7)",
        ),
        (some_load(0.0, 0.0), "it was not asked before and after"),
    ],
)
def test_a_host_was_idle_between_two_moments_only_if_both_say_so(after, words):
    assert load.not_idle(some_load(), after) == words


def test_this_machine_states_its_load():
    before = load.load()
    after = load.load()
    assert before.cores > 0
    assert before.boot_id == after.boot_id
    assert after.busy_s >= before.busy_s > 0.0


def test_each_meter_is_read_once_and_a_fault_of_one_leaves_the_others(seconds):
    seconds([])
    plug = FakePlug(time)
    try:
        request = {"meters": [plug.spec, "shelly:127.0.0.1:1", "no-such-meter", "declared,watts=5"], "quiet_limit_s": 0}
        meters = look(request)["meters"]
    finally:
        plug.close()
    assert [meter["spec"] for meter in meters] == request["meters"]
    assert meters[0]["power_w"] == 100.0
    assert meters[0]["meter"]["boundary"] == "wall"
    assert "Connection refused" in meters[1]["fault"]
    assert "expected one of" in meters[2]["fault"]
    assert "declares a power" in meters[3]["fault"]


def test_a_miner_that_does_not_answer_is_named_and_costs_no_other(seconds, monkeypatch):
    seconds([])
    monkeypatch.setattr("bench.lab.look.devices.ask", _only_the_first)
    miners = look({"miners": [{"name": "s21-01", "address": "192.0.2.1"}, {"name": "s21-02", "address": "192.0.2.2"}]})
    assert [(one["name"], one["title"], one["fault"]) for one in miners["miners"]] == [
        ("s21-01", "", "miner s21-01: expected an address"), ("s21-02", "", "no answer within 6 s"),
    ]  # fmt: skip


def _only_the_first(address, *, place):
    from bench.lab_miner import Answer

    if address == "192.0.2.1":
        raise InputError(f"{place}: expected an address")
    return Answer(address, fault="no answer within 6 s")


def test_a_request_that_is_none_is_refused():
    with pytest.raises(InputError, match="request"):
        look({"meters": "rapl", "more": 1})
