"""Files that replace only regular files of the user, and write through devices, FIFOs and pipes."""

import errno
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from bench.errors import not_written
from hardware_profiles.errors import InputError
from sites import files
from sites.files import PartlyWrittenError, write_file, write_new

OTHER_USER = 12_345
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make devices and files of other users")


def test_an_existing_file_keeps_its_mode(tmp_path):
    target = tmp_path / "page.html"
    target.write_bytes(b"old")
    target.chmod(0o640)
    write_file(target, b"new")
    assert target.read_bytes() == b"new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert list(tmp_path.iterdir()) == [target]


@as_root
def test_a_device_is_written_through_and_stays_a_device(tmp_path):
    node = tmp_path / "null"
    os.mknod(node, stat.S_IFCHR | 0o600, os.makedev(1, 3))
    (tmp_path / "link").symlink_to("null")
    for target in (node, tmp_path / "link"):
        write_file(target, b"x")
        assert stat.S_ISCHR(node.stat().st_mode)
    assert len(list(tmp_path.iterdir())) == 2


@as_root
def test_a_full_device_is_a_partly_written_target(tmp_path):
    node = tmp_path / "full"
    os.mknod(node, stat.S_IFCHR | 0o600, os.makedev(1, 7))
    with pytest.raises(PartlyWrittenError) as caught:
        write_file(node, b"x")
    assert str(not_written(node, caught.value)).endswith("No space left on device; a part may have been written")
    assert stat.S_ISCHR(node.stat().st_mode)


def test_a_fifo_is_written_through_and_refused_without_a_reader(tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with pytest.raises(InputError, match="expected a file that can be written, got No such device or address"):
        write_file(fifo, b"x")
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(reader, True)
    writer = threading.Thread(target=write_file, args=(fifo, b"y" * 200_000))
    with os.fdopen(reader, "rb") as file:
        writer.start()
        content = b""
        while writer.is_alive():  # before the writer has opened the FIFO, a read is at its end
            content += file.read()
        content += file.read()
    assert content == b"y" * 200_000
    assert stat.S_ISFIFO(fifo.stat().st_mode)


def test_standard_output_is_written_through():
    program = "from sites.files import write_file; write_file('/dev/stdout', b'page')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout == b"page"


def test_a_link_to_a_file_of_ours_is_kept_and_its_target_replaced(tmp_path):
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    write_file(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


def test_folders_and_links_to_nothing_are_refused(tmp_path):
    (tmp_path / "link").symlink_to("nothing")
    with pytest.raises(InputError, match="got a link to no file"):
        write_file(tmp_path / "link", b"x")
    with pytest.raises(InputError, match="expected a file, got a folder"):
        write_file(tmp_path, b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["link"]


@as_root
@pytest.mark.parametrize("own_link", [True, False])
def test_files_and_links_of_another_user_are_refused(tmp_path, own_link):
    victim, shared = tmp_path / "victim", tmp_path / "shared"
    victim.write_bytes(b"precious")
    shared.mkdir()
    shared.chmod(0o1777)
    (shared / "page.html").symlink_to(victim)
    if own_link:
        os.chown(victim, OTHER_USER, OTHER_USER)
    else:
        os.chown(shared / "page.html", OTHER_USER, OTHER_USER, follow_symlinks=False)
    with pytest.raises(InputError, match="of user 12345" if own_link else "a link that another user made"):
        write_file(shared / "page.html", b"x")
    assert victim.read_bytes() == b"precious"


def test_a_temporary_name_is_not_followed(tmp_path, monkeypatch):
    (tmp_path / "victim").write_bytes(b"precious")
    monkeypatch.setattr(files.secrets, "token_hex", lambda _size: "known")
    (tmp_path / ".page.known.tmp").symlink_to("victim")
    for write in (write_file, write_new):
        with pytest.raises(InputError, match="File exists"):
            write(tmp_path / "page", b"x")
    assert (tmp_path / "victim").read_bytes() == b"precious"


def test_a_new_file_never_replaces_one_that_appears_meanwhile(tmp_path, monkeypatch):
    target = tmp_path / "me.toml"
    flush = os.fsync

    def appear(descriptor):
        target.write_bytes(b"first")
        flush(descriptor)

    monkeypatch.setattr(os, "fsync", appear)
    with pytest.raises(InputError, match="expected a path that does not exist yet"):
        write_new(target, b"second")
    assert target.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [target]


def test_a_new_file_is_written_where_there_are_no_hard_links(tmp_path, monkeypatch):
    def refused(*_names: Path) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refused)
    write_new(tmp_path / "me.toml", b"x")
    assert (tmp_path / "me.toml").read_bytes() == b"x"
    assert len(list(tmp_path.iterdir())) == 1
