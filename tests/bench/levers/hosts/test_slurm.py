"""A node that is drained and resumed, with a command in the place of Slurm's."""

import pytest

from bench.levers.protocol import Evidence, Reply
from bench.levers.registry import open_lever
from hardware_profiles.errors import InputError
from sites.control.model import UnitState

SCONTROL = """#!/bin/sh
cd "$(dirname "$0")"
case "$*" in
  "show node gpu01") echo "NodeName=gpu01 Arch=x86_64 CoresPerSocket=8"
    echo "   State=$(cat state) ThreadsPerCore=1 Owner=N/A"
    test -s why && echo "   Reason=$(cat why) [root@2026-12-01T01:02:03]" ; true ;;
  "update NodeName=gpu01 State=DRAIN Reason=perwatt") echo drain >>sent; cat drained >state; echo perwatt >why ;;
  "update NodeName=gpu01 State=RESUME") echo resume >>sent; echo IDLE >state; : >why ;;
  *) echo "slurm_update error: Invalid node name specified" >&2; exit 1 ;;
esac
"""


@pytest.fixture
def node(held, tmp_path, monkeypatch):
    """Return a node in a state, and the folder of the command that answers for it."""
    path = tmp_path / "scontrol"
    path.write_text(SCONTROL)
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    def make(state, why="", drained="IDLE+DRAIN", name="gpu01"):
        for file, text in (("state", state), ("why", why), ("drained", drained), ("sent", "")):
            (tmp_path / file).write_text(text)
        return held(open_lever("slurm", name))

    make.folder = tmp_path
    return make


def test_it_drains_resumes_and_comes_back(node):
    gpu = node("MIXED")
    before = gpu.as_found()
    assert before == {"works": True}
    assert gpu.to("off").reply is Reply.ACCEPTED
    assert gpu.shows("off") is Evidence.CONFIRMED
    assert gpu.restore(before).reply is Reply.ACCEPTED
    assert gpu.shows("on") is Evidence.CONFIRMED
    gpu.restore(before)
    assert (node.folder / "sent").read_text().split() == ["drain", "resume"]


def test_a_node_whose_jobs_still_run_is_between_the_two(node):
    gpu = node("ALLOCATED", drained="ALLOCATED+DRAIN")
    gpu.to("off")
    seen = gpu.look()
    assert (seen.state, seen.reasons) == (UnitState.CHANGING, ("jobs_run",))
    assert gpu.shows("off") is Evidence.UNKNOWN


def test_what_somebody_else_drained_stays_drained(node):
    gpu = node("IDLE+DRAIN", why="fan broken")
    assert gpu.as_found() == {"works": False}
    answer = gpu.to("on")
    assert (answer.reply, answer.says) == (Reply.REFUSED, "drained_by_others: fan broken")
    assert (node.folder / "sent").read_text() == ""


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("DOWN*", UnitState.FAULT), ("IDLE*", UnitState.FAULT), ("IDLE+POWERING_UP", UnitState.CHANGING),
        ("IDLE+CLOUD", UnitState.RUNNING), ("ALLOCATED", UnitState.RUNNING),
    ],
)  # fmt: skip
def test_states_of_slurm_are_those_of_a_unit(node, state, expected):
    assert node(state).look().state is expected


def test_a_node_that_slurm_does_not_know_is_unknown(node):
    gpu = node("IDLE", name="gpu99")
    assert gpu.look().state is UnitState.UNKNOWN
    assert gpu.as_found() is None
    assert "Invalid node name" in gpu.to("off").says


def test_what_is_no_single_node_is_refused(node):
    node("IDLE")
    with pytest.raises(InputError, match="one node"):
        open_lever("slurm", "gpu[01-04]")


def test_a_machine_without_slurm_is_said(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="scontrol on the path"):
        open_lever("slurm", "gpu01")
