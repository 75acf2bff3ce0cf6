"""A conversation with a host whose shell talks first, that answers nonsense, floods, falls silent or dies."""

import pytest
from doubles.lab.folder_hosts import finish, job

from bench.lab.errors import HostError
from bench.lab.inventory.lab import Host
from bench.lab.reach import pipe
from bench.lab.reach.local import LocalReach, _explain
from bench.lab.reach.pipe import conversation


def ask(script, limit_s=20.0):
    with conversation("a", "~/x", ["sh", "-c", script], _explain, None) as channel:
        return channel.ask("clock", limit_s=limit_s)


def test_what_the_shell_prints_before_the_answer_is_passed_over():
    assert ask("echo 'Welcome to gpu01!'; printf '\\033[2J\\377\\n'; echo 'perwatt-lab: {\"x\": 1}'") == {"x": 1}


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("exit 3", "no_answer"),
        ("echo 'perwatt-lab: {'", "wrong_answer"),
        ("echo 'perwatt-lab: [1]'", "wrong_answer"),
        ('echo \'perwatt-lab: {"refused": "busy"}\'', "busy"),
        ("cat >/dev/null; sleep 60", "no_answer"),
        ("printf 'perwatt-lab: {\"x\"'", "no_answer"),
    ],
)
def test_every_fault_is_one_line_with_its_code(script, code):
    with pytest.raises(HostError) as caught:
        ask(script, limit_s=1.0)
    assert caught.value.code == code
    assert "\n" not in str(caught.value)


def test_a_flood_is_cut_off(monkeypatch):
    monkeypatch.setattr(pipe, "LONGEST_ANSWER_BYTES", 2**20)
    with pytest.raises(HostError, match="more than 1048576 bytes"):
        ask("yes")
    with pytest.raises(HostError, match="more than 1048576 bytes"):
        ask("yes | tr -d '\\n'")


def test_a_program_that_does_not_exist_is_one_line():
    match = "perwatt does not run on the host: /no/python"
    with pytest.raises(HostError, match=match), conversation("a", "~/x", ["/no/python"], _explain, None):
        pass


def test_this_machine_answers_and_sends_its_finished_jobs(tmp_path):
    one = job("a")
    finish(tmp_path, one)
    reach = LocalReach(Host("a", "a", "local", None, str(tmp_path), None, (), (), "a"))
    assert [seen["id"] for seen in reach.ask("state")["jobs"]] == [one.id]
    with reach.fetch([one.id]) as stream:
        content = b"".join(iter(lambda: stream.read(1000), b""))
    assert content.startswith(f"{one.id}/MANIFEST.sha256".encode())
    with pytest.raises(HostError, match="does not know the request"):
        reach.ask("dance")
