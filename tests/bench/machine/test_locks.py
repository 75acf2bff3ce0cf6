"""Locks in a folder that others write to: two users exclude each other, and a hostile one gains nothing."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from bench.machine import locks

ROOT = Path(__file__).resolve().parents[3]
ALICE, MALLORY = 61001, 61002  # users of no account
TRIES = int(os.environ.get("PERWATT_LOCK_TRIES", "60"))  # 1000 in docs/evidence/hostile-users.md

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as two other users")


# The user is changed after the imports: other users may not be able to read the interpreter's folder.
BECOME = """
import contextlib, os, sys
from bench.machine.locks import hold
os.setgroups([]); os.setresgid({0}, {0}, {0}); os.setresuid({0}, {0}, {0})
"""


def start(uid, text, folder, *arguments):
    """Start Python code that runs as another user, with PERWATT_LOCKS at a folder or at none."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    if folder is not None:
        environment["PERWATT_LOCKS"] = str(folder)
    return subprocess.Popen(
        [sys.executable, "-c", BECOME.format(uid) + text, *map(str, arguments)],
        env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def finish(process):
    out, _ = process.communicate(timeout=600)
    assert process.returncode == 0
    return out.split()


HOLD = """
with hold(sys.argv[1:]) as held:
    print(*held.held, "busy", *held.busy, "unlocked", *held.unlocked, flush=True)
    if held.held:
        sys.stdin.readline()
        print(*held.requested_by_others())
"""


@pytest.fixture
def shared():
    """A sticky folder of root that all users write to, in a folder that they can reach."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        outer = Path(name)
        outer.chmod(0o755)
        folder = outer / "locks"
        folder.mkdir()
        folder.chmod(0o1777)
        yield folder


def lock_path(folder, domain="x"):
    return Path(folder) / f"{locks._file_name(domain)}.lock"


@as_root
def test_two_users_exclude_each_other_and_the_first_learns_of_the_second(shared):
    first = start(ALICE, HOLD, shared, "x", "y")
    assert first.stdout.readline().split() == ["x", "y", "busy", "unlocked"]
    second = start(MALLORY, HOLD, shared, "x")
    assert finish(second) == ["busy", "x", "unlocked"]
    with locks.hold(["y"]) as third:  # of root, in another folder
        assert third.busy == ()
    first.stdin.write("\n")
    assert finish(first) == ["x"]
    assert [path.name for path in shared.iterdir() if "asked" not in path.name] == []
    again = start(MALLORY, HOLD, shared, "x")
    again.stdin.write("\n")
    assert finish(again) == ["x", "busy", "unlocked"]
    assert list(shared.iterdir()) == []


@as_root
@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_two_users_exclude_each_other_by_default_whatever_their_umask(umask):
    domain = f"test {os.getpid()} {umask}"
    first = start(ALICE, f"os.umask({umask})\n{HOLD}", None, domain)
    assert first.stdout.readline().split()[-2:] == ["busy", "unlocked"]
    second = start(MALLORY, HOLD, None, domain)
    assert finish(second) == ["busy", *domain.split(), "unlocked"]
    first.stdin.write("\n")
    assert finish(first) == domain.split()
    cleaning = start(MALLORY, HOLD, None, domain)
    cleaning.stdin.write("\n")
    finish(cleaning)
    assert [path for folder in locks.SHARED_FOLDERS for path in Path(folder).glob(f"{locks._file_name(domain)}*")] == []


@as_root
@pytest.mark.parametrize(
    ("owner", "mode"), [(MALLORY, 0o700), (MALLORY, 0o1777), (0, 0o777), (0, 0o775), (ALICE, 0o777)]
)
def test_a_folder_in_which_others_can_replace_files_is_not_used(shared, monkeypatch, owner, mode):
    shared.chmod(mode)
    os.chown(shared, owner, owner)
    monkeypatch.setenv("PERWATT_LOCKS", str(shared))
    with locks.hold(["x"]) as held:
        assert (held.held, held.busy, held.requested_by_others()) == ({}, (), ())
        assert held.unlocked["x"].startswith("PERWATT_LOCKS: expected a folder of root or of this user, sticky")
        assert f"got owner {owner} and mode {mode:04o}" in held.unlocked["x"]
        assert str(shared) not in held.unlocked["x"]
    assert list(shared.iterdir()) == []


def test_a_folder_that_is_a_link_is_not_used(tmp_path, monkeypatch):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    monkeypatch.setenv("PERWATT_LOCKS", str(tmp_path / "link"))
    with locks.hold(["x"]) as held:
        assert "expected a folder" in held.unlocked["x"]
    assert list((tmp_path / "real").iterdir()) == []


def test_the_systems_folders_serve_only_if_they_are_roots_and_sticky(tmp_path, monkeypatch):
    monkeypatch.delenv("PERWATT_LOCKS")
    monkeypatch.setattr(locks, "SHARED_FOLDERS", (str(tmp_path), str(tmp_path / "none")))
    with locks.hold(["x"]) as held:
        assert held.unlocked["x"].count("expected a folder") == 2


def test_a_folder_of_the_users_own_is_made_for_nobody_else(tmp_path, monkeypatch):
    monkeypatch.setenv("PERWATT_LOCKS", str(tmp_path / "deep" / "locks"))
    with locks.hold(["x"]) as held:
        assert list(held.held) == ["x"]
        assert (tmp_path / "deep" / "locks").stat().st_mode & 0o777 == 0o700


def _link(path, victim):
    path.symlink_to(victim)


def _hard_link(path, victim):
    os.link(victim, path)


def _pipe(path, _victim):
    os.mkfifo(path)


def _folder(path, _victim):
    path.mkdir()


@pytest.mark.parametrize("make", [_link, _hard_link, _pipe, _folder])
def test_an_entry_that_is_no_lock_file_is_left_alone_and_named(tmp_path, monkeypatch, make):
    folder = tmp_path / "locks"
    folder.mkdir()
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    victim.chmod(0o600)
    before = victim.stat()
    make(lock_path(folder), victim)
    monkeypatch.setenv("PERWATT_LOCKS", str(folder))
    with locks.hold(["x", "y"]) as held:
        assert list(held.held) == ["y"]
        assert held.unlocked["x"].startswith(f"{lock_path(folder).name}: ")
    after = victim.stat()
    assert (after.st_mode, after.st_mtime_ns, after.st_size) == (before.st_mode, before.st_mtime_ns, before.st_size)
    assert os.path.lexists(lock_path(folder))


def test_a_lock_file_that_is_replaced_under_a_run_counts_as_requested(tmp_path, monkeypatch):
    monkeypatch.setenv("PERWATT_LOCKS", str(tmp_path))
    with locks.hold(["x"]) as first:
        assert first.requested_by_others() == ()
        lock_path(tmp_path).unlink()
        with locks.hold(["x"]) as second:
            assert second.busy == ()
            assert second.requested_by_others() == ()
            assert first.requested_by_others() == ("x",)
        lock_path(tmp_path).write_text("of another run")
    assert lock_path(tmp_path).exists()  # what is not ours is not removed


def test_a_lock_that_is_replaced_again_and_again_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setenv("PERWATT_LOCKS", str(tmp_path))
    real = locks.fcntl.flock

    def replace_then_lock(descriptor, operation):
        lock_path(tmp_path).unlink()
        real(descriptor, operation)

    monkeypatch.setattr(locks.fcntl, "flock", replace_then_lock)
    with locks.hold(["x"]) as held:
        assert "again and again" in held.unlocked["x"]


def test_marks_do_not_pile_up(tmp_path, monkeypatch):
    monkeypatch.setenv("PERWATT_LOCKS", str(tmp_path))
    with locks.hold(["x"]) as first:
        for _ in range(5):
            with locks.hold(["x"]) as other:
                assert other.busy == ("x",)
        assert first.requested_by_others() == ("x",)
        assert len(list(tmp_path.iterdir())) == 2
    with locks.hold(["x"]) as later:
        assert later.requested_by_others() == ()
    assert list(tmp_path.iterdir()) == []


# Mallory swaps the lock and its marks for links to the victim's file, pipes and files, as fast as the system allows.
ATTACK = """
folder, lock, victim, at = sys.argv[1:]
link, pipe, file = "link" + at, "pipe" + at, "file" + at
os.umask(0)
os.chdir(folder)
os.symlink(victim, link); os.mkfifo(pipe, 0o666); open(file, "w").close()
print("go", flush=True)
while True:
    for own in (link, pipe, file):
        for name in (lock + ".asked", lock + ".asked-" + "0" * 16, lock)[: 2 + (at == "0")]:
            with contextlib.suppress(OSError):
                os.rename(own, name)
            with contextlib.suppress(OSError):
                os.rename(name, own)
        with contextlib.suppress(OSError):
            os.link(victim, "hard")
"""


@as_root
def test_a_hostile_user_gains_nothing_in_many_tries(shared, monkeypatch):
    victim = shared.parent / "victim"
    victim.write_text("secret")
    victim.chmod(0o600)
    before = victim.stat()
    monkeypatch.setenv("PERWATT_LOCKS", str(shared))
    attackers = [start(MALLORY + at, ATTACK, None, shared, lock_path(shared).name, victim, at) for at in range(2)]
    try:
        for attacker in attackers:
            assert attacker.stdout.readline() == "go\n"
        until = time.monotonic() + 500
        for _ in range(TRIES):
            with locks.hold(["x"]) as held:
                assert len(held.held) + len(held.busy) + len(held.unlocked) == 1
                held.requested_by_others()
            assert time.monotonic() < until, "hangs"
    finally:
        for attacker in attackers:
            attacker.kill()
            attacker.communicate()
    after = victim.stat()
    same = ("st_mode", "st_uid", "st_nlink", "st_mtime_ns", "st_size", "st_ino")
    assert [getattr(after, name) for name in same] == [getattr(before, name) for name in same]
    assert victim.read_text() == "secret"
    roots = [path.name for path in shared.iterdir() if path.lstat().st_uid == 0]
    assert roots == []
