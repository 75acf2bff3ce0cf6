"""Inputs that are not regular files of a sensible size, and bytes that are not text."""

import os
import socket
import sys
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import pytest

from hardware_profiles.decoding import decode, parse_json
from hardware_profiles.errors import InputError
from hardware_profiles.opening import CSV, HOURLY_SERIES, TOML, is_file, is_folder, is_there, read_input
from hardware_profiles.reading import parse_toml, read_toml

OTHER_USER = 12_345


def fault(path, kind=TOML):
    with pytest.raises(InputError) as caught:
        read_input(path, kind)
    return str(caught.value)


def test_a_fifo_is_refused_without_a_writer(tmp_path):
    os.mkfifo(tmp_path / "f")
    assert fault(tmp_path / "f") == (
        f"{tmp_path / 'f'}: expected a TOML file, which is a regular file, got a FIFO (standard input is -)"
    )
    (tmp_path / "link").symlink_to("f")
    assert "got a FIFO" in fault(tmp_path / "link")


def test_a_closed_standard_input_and_one_that_cannot_be_read_are_one_line_each(monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    assert fault(Path("-")) == "-: expected an open standard input, got a closed one"

    class Folder(BytesIO):
        def read(self, _size=-1):
            raise IsADirectoryError(21, "Is a directory")

    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=Folder()))
    assert fault(Path("-")) == "-: expected a readable TOML file, got Is a directory"


@pytest.mark.parametrize("question", [is_there, is_file, is_folder])
def test_a_question_about_any_path_is_answered(question, tmp_path):
    (tmp_path / "a").write_text("")
    for nothing in ("n" * 300, "a/" * 5000, "\0", tmp_path / "a" / "b", ""):
        assert question(nothing) is False
    assert question(tmp_path) is (question is not is_file)
    assert question(tmp_path / "a") is (question is not is_folder)


def test_devices_sockets_and_folders_are_refused_by_name(tmp_path, monkeypatch):
    assert "got a device" in fault(Path("/dev/zero"))
    assert "got a folder" in fault(tmp_path)
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s")
        assert "got a socket" in fault(Path("s"))


def test_a_pipe_behind_a_name_in_proc_is_refused():
    reader, writer = os.pipe()
    try:
        assert "got a FIFO" in fault(Path(f"/proc/self/fd/{reader}"))
    finally:
        os.close(reader)
        os.close(writer)


def test_a_file_beyond_the_limit_is_refused_unread(tmp_path):
    path = tmp_path / "sparse.toml"
    with path.open("wb") as file:
        file.truncate(2**40)
    assert fault(path).endswith(f"expected at most {TOML.limit_bytes} bytes (TOML file), got {2**40} bytes")


def test_a_file_that_grows_beyond_the_limit_is_refused():
    growing = Path("/proc/self/maps")  # its size is 0 until it is read
    assert "at most 10 bytes (TOML file), got more" in fault(growing, TOML._replace(limit_bytes=10))


def test_a_missing_file_a_loop_and_a_nul_byte_are_one_line_each(tmp_path):
    assert "got no such file" in fault(tmp_path / "none")
    (tmp_path / "loop").symlink_to("loop")
    assert "got Too many levels of symbolic links" in fault(tmp_path / "loop")
    assert "expected a path" in fault(Path("a\0b"))


def test_a_file_that_a_file_names_is_outside_the_folders_of_the_system(tmp_path):
    (tmp_path / "prices.csv").symlink_to("/proc/self/status")
    assert "expected a file outside /proc, /sys, /dev" in fault(tmp_path / "prices.csv", HOURLY_SERIES)
    assert read_input(tmp_path / "prices.csv", CSV)
    assert fault(Path("-"), HOURLY_SERIES).startswith("-: expected a readable hourly series")


def test_links_of_ours_are_followed_through_folders(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "f.toml").write_bytes(b"x = 1")
    (tmp_path / "link").symlink_to(tmp_path / "a" / "b")
    assert read_input(tmp_path / "link" / ".." / "f.toml", TOML) == b"x = 1"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make another user's link")
def test_another_users_link_in_a_folder_for_everybody_is_refused(tmp_path):
    (tmp_path / "secret").write_bytes(b"s")
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "link").symlink_to(tmp_path / "secret")
    os.chown(shared / "link", OTHER_USER, OTHER_USER, follow_symlinks=False)
    assert read_input(shared / "link", TOML) == b"s"
    shared.chmod(0o1777)
    assert "a link that another user made" in fault(shared / "link")


def test_standard_input_has_the_same_limit(monkeypatch):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=BytesIO(b"a = 7")))
    assert read_toml(Path("-")) == {"a": 7}
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=BytesIO(b"a = 7")))
    assert "at most 3 bytes (TOML file), got more" in fault(Path("-"), TOML._replace(limit_bytes=3))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("a".encode("utf-16"), "f: expected UTF-8 text, got UTF-16 (by its byte order mark)"),
        ("a".encode("utf-32"), "f: expected UTF-8 text, got UTF-32 (by its byte order mark)"),
        (b"a\n\xe9", "f: line 2: expected UTF-8 text, got byte 0xe9"),
        (b"\xef\xbb\xbfa\n\xe9", "f: line 2: expected UTF-8 text, got byte 0xe9"),
        (b"a\n\n\0", "f: line 3: expected text, got a NUL byte"),
    ],
)
def test_bytes_that_are_no_text_are_refused_by_line(data, message):
    with pytest.raises(InputError) as caught:
        decode(data, "f")
    assert str(caught.value) == message


@pytest.mark.parametrize("number", ["9" * 5_000, "9" * 400, "-" + "8" * 400])
def test_a_whole_number_beyond_every_float_is_refused_by_line(number):
    expected = f"f: line 2: expected numbers below 1.8e308, got one of {len(number.strip('-'))} digits"
    for parse, text in (
        (parse_toml, f"\nx = [{number}]"),
        (lambda data, file: parse_json(data, file, "JSON"), f'{{"a":\n{number}}}'),
    ):
        with pytest.raises(InputError) as caught:
            parse(text.encode(), "f")
        assert str(caught.value) == expected


def test_many_digits_in_text_are_no_number():
    digits = "7" * 6_000
    assert parse_toml(f'x = "{digits}"'.encode(), "f") == {"x": digits}
    assert parse_json(f'["{digits}"]'.encode(), "f", "JSON") == [digits]


@pytest.mark.parametrize("text", ['{"a": 1, "b": 2, "a": 1}', '[{"x": {"b": 0, "a": 1, "a": 2}}]'])
def test_json_with_a_key_twice_is_refused_by_the_key(text):
    """Python's parser takes the last of the two silently."""
    with pytest.raises(InputError) as caught:
        parse_json(text.encode(), "f", "JSON")
    assert str(caught.value) == "f: expected each key once in an object, got 'a' twice"


def test_json_nested_too_deeply_is_refused():
    with pytest.raises(InputError, match="nested too deeply"):
        parse_json(b"[" * 200_000, "f", "JSON")
