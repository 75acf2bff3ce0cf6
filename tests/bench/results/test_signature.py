"""Results are signed and checked with an ssh key, and a results folder is checked as a whole."""

import json
import os
import shutil
import subprocess

import pytest
from doubles.stored import edit

from bench.cli import main
from bench.errors import RunFailedError
from bench.measure.runner import measure
from bench.report.gather import gather
from bench.results import folder
from bench.results.folder import read_record, read_signable
from bench.results.integrity import signature
from bench.results.integrity.signature import SIGNATURE_FILE, State, sign, signature_of, verified
from hardware_profiles.errors import InputError

needs_ssh_keygen = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not on the PATH")


@pytest.fixture
def sound(fake_workload, job, cpu_device):
    return job.store / measure(fake_workload, job, device=cpu_device).id


def new_key(folder, name):
    path = folder / name
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(path)], check=True)
    return path


@pytest.fixture
def key(tmp_path):
    return new_key(tmp_path, "id_ed25519")


@pytest.fixture
def signers(key, tmp_path):
    """A file that allows the key to alice."""
    path = tmp_path / "signers"
    path.write_text(f"alice@lab {key.with_suffix('.pub').read_text()}")
    return path


@pytest.fixture
def perwatt(capsys, tmp_path, monkeypatch):
    """Run a command line, and return its status, its output and its errors."""
    monkeypatch.chdir(tmp_path)

    def call(*words):
        with pytest.raises(SystemExit) as ended:
            main(list(map(str, words)))
        return ended.value.code, *capsys.readouterr()

    return call


@needs_ssh_keygen
def test_a_signed_result_is_verified_and_every_command_says_by_whom(sound, key, signers, perwatt):
    assert perwatt("results", "verify", sound, "--allowed-signers", signers) == (
        1, "", f"error: {sound}: expected a valid signature, got unsigned\n",
    )  # fmt: skip
    status, out, _ = perwatt("results", "sign", sound, "--key", key)
    assert (status, out) == (0, f"{sound / SIGNATURE_FILE}: signature of {sound.name}\n")
    assert perwatt("results", "verify", sound, "--allowed-signers", signers)[:2] == (
        0, f"{sound.name}: signed by alice@lab\n",
    )  # fmt: skip
    assert "signed    signature not checked\n" in perwatt("show", sound)[1]
    assert "signed    signed by alice@lab\n" in perwatt("show", sound, "--allowed-signers", signers)[1]
    assert (
        f"{sound.name}: signed by alice@lab\n"
        in perwatt("compare", sound, "antminer-s21", "--allowed-signers", signers)[1]
    )
    document = json.loads(perwatt("compare", sound, "antminer-s21", "--json")[1])
    assert document["signatures"] == {sound.name: "signature not checked"}
    assert [one.signature for one in gather([], sound.parent).results] == ["signature not checked"]
    assert [one.signature for one in gather([], sound.parent, signers=signers).results] == ["signed by alice@lab"]


@needs_ssh_keygen
def test_openssh_alone_verifies_the_file_of_digests(sound, key, signers):
    sign(sound, key)
    done = subprocess.run(
        ["ssh-keygen", "-Y", "verify", "-f", signers, "-I", "alice@lab", "-n", "perwatt-result", "-s", SIGNATURE_FILE],
        input=(sound / "SHA256SUMS").read_bytes(), cwd=sound, capture_output=True, check=True,
    )  # fmt: skip
    assert b"Good" in done.stdout


@needs_ssh_keygen
def test_a_result_that_was_edited_with_its_digests_has_an_invalid_signature(sound, key, signers):
    sign(sound, key)
    edit(sound, lambda record: record["run"].update(plan="publish"))
    found = signature_of(sound, read_signable(sound)[1], signers)
    assert found.state is State.INVALID
    assert found.words().startswith("invalid signature (not of these files: ")
    with pytest.raises(RunFailedError, match="expected a valid signature, got invalid signature"):
        verified(sound, signers)


@pytest.fixture
def forge(sound, key, tmp_path, monkeypatch):
    """Forge a signed result that is put back as it was signed as soon as a function of the reader has read it."""
    sign(sound, key)
    signed = shutil.copytree(sound, tmp_path / "signed")

    def forged(name):
        edit(sound, lambda record: record["run"].update(plan="publish"))
        read = getattr(folder, name)

        def swapping(*arguments):
            read_first = read(*arguments)
            shutil.copytree(signed, sound, dirs_exist_ok=True)
            return read_first

        monkeypatch.setattr(folder, name, swapping)

    return forged


@needs_ssh_keygen
def test_a_signed_record_that_is_put_back_after_the_reading_vouches_for_no_forged_one(sound, signers, perwatt, forge):
    forge("read_signable")
    status, out, _ = perwatt("show", sound, "--allowed-signers", signers)
    assert (status, "plan publish" in out, "signed by" in out) == (0, True, False)
    forge("read_signable")
    (result,) = gather([], sound.parent, signers=signers).results
    assert result.record.run.plan == "publish"
    assert result.signature.startswith("invalid signature (")


@needs_ssh_keygen
def test_a_result_that_changes_while_it_is_compared_is_refused(sound, signers, perwatt, forge):
    forge("read_whole")
    assert perwatt("compare", sound, "antminer-s21", "--allowed-signers", signers) == (
        2, "", f"error: {sound}: expected the result as it was read first, got one that was changed since\n",
    )  # fmt: skip


@needs_ssh_keygen
def test_a_file_of_allowed_signers_that_is_not_there_is_a_wrong_request_for_an_unsigned_result_too(
    sound, tmp_path, perwatt
):
    words = f"error: {tmp_path / 'none'}: expected a readable file of allowed signers, got no such file\n"
    for command in ("show", sound), ("results", "verify", sound):
        status, _, err = perwatt(*command, "--allowed-signers", tmp_path / "none")
        assert (status, err) == (2, words)


@needs_ssh_keygen
def test_a_key_that_is_not_allowed_is_invalid(sound, key, signers, tmp_path):
    sign(sound, new_key(tmp_path, "other"))
    found = signature_of(sound, read_signable(sound)[1], signers)
    assert found.words() == f"invalid signature (its key is not one that {signers} allows)"
    signers.write_text("")
    assert signature_of(sound, read_signable(sound)[1], signers).state is State.INVALID
    signers.write_text("not a list of keys\n\x00")
    assert signature_of(sound, read_signable(sound)[1], signers).state is State.INVALID
    assert key.exists()


@needs_ssh_keygen
def test_a_signature_for_another_purpose_is_invalid(sound, key, signers):
    subprocess.run(
        ["ssh-keygen", "-q", "-Y", "sign", "-n", "file", "-f", str(key), str(sound / "SHA256SUMS")],
        check=True, capture_output=True,
    )  # fmt: skip
    assert signature_of(sound, read_signable(sound)[1], signers).state is State.INVALID


@needs_ssh_keygen
@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b"garbage"),
        lambda path: path.write_bytes(b""),
        os.mkfifo,
        lambda path: path.symlink_to("/dev/zero"),
    ],
)
def test_a_damaged_signature_is_invalid_and_hangs_nothing(damage, sound, signers):
    damage(sound / SIGNATURE_FILE)
    assert signature_of(sound, read_signable(sound)[1], signers).state is State.INVALID


@needs_ssh_keygen
def test_the_reason_of_an_invalid_signature_is_not_masked_as_a_credential(sound, key, signers, perwatt):
    (sound / SIGNATURE_FILE).symlink_to("/dev/zero")
    assert perwatt("results", "verify", sound, "--allowed-signers", signers)[2] == (
        f"error: {sound}: expected a valid signature, got invalid signature ({sound / SIGNATURE_FILE}: expected a "
        "signature, which is a regular file, got a device)\n"
    )
    (sound / SIGNATURE_FILE).unlink()
    sign(sound, key)
    edit(sound, lambda record: record["run"].update(plan="publish"))
    assert perwatt("results", "verify", sound, "--allowed-signers", signers)[2] == (
        f"error: {sound}: expected a valid signature, got invalid signature (not of these files: incorrect signature)\n"
    )


@needs_ssh_keygen
def test_what_cannot_be_signed_is_one_line(sound, key, tmp_path):
    (tmp_path / "text").write_text("no key")
    (tmp_path / "text").chmod(0o600)
    with pytest.raises(InputError, match=r"--key .*text: expected a key that ssh-keygen can sign with, got: "):
        sign(sound, tmp_path / "text")
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(InputError, match="fifo: expected a ssh key, which is a regular file, got a FIFO"):
        sign(sound, tmp_path / "fifo")
    with pytest.raises(InputError, match="expected a readable ssh key, got no such file"):
        sign(sound, tmp_path / "none")
    sign(sound, key)
    with pytest.raises(InputError, match="expected a result without a signature"):
        sign(sound, key)


def test_a_missing_or_silent_ssh_keygen_is_one_line_with_the_cure(sound, tmp_path, monkeypatch):
    (tmp_path / "key").write_text("key")
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(InputError, match=r"ssh-keygen: expected .* on the PATH, got none .*apt install openssh-client"):
        sign(sound, tmp_path / "key")

    def silent(*_, timeout, **__):
        raise subprocess.TimeoutExpired("ssh-keygen", timeout)

    monkeypatch.setattr(signature.subprocess, "run", silent)
    with pytest.raises(InputError, match="ssh-keygen: expected an answer within 300 s, got none"):
        sign(sound, tmp_path / "key")


def test_a_sound_store_passes_the_check(sound, perwatt):
    status, out, _ = perwatt("results", "check", "--results", sound.parent)
    assert (status, out) == (0, f"{sound.parent}: 1 sound result, 0 damaged\n")


def test_the_check_lists_every_damage_and_fails(sound, perwatt):
    store = sound.parent
    os.mkfifo(store / "fifo")
    (store / "empty").mkdir()
    (store / ".tmp-x").mkdir()
    copy = store / "torn"
    shutil.copytree(sound, copy)
    (copy / "samples.parquet").write_bytes(b"PAR1")
    status, out, _ = perwatt("results", "check", "--results", store, "--json")
    document = json.loads(out)
    assert status == 1
    assert document["sound"] == [sound.name]
    assert [one["entry"] for one in document["damaged"]] == ["fifo", "empty", "torn"]
    assert document["unfinished"] == [".tmp-x"]
    status, out, _ = perwatt("results", "check", "--results", store)
    assert status == 1
    assert [line.partition(" ")[0] for line in out.splitlines()] == [*["damaged"] * 3, "note:", f"{store}:"]


def test_a_record_whose_windows_do_not_follow_from_its_samples_is_damaged(sound, perwatt):
    def double(record):
        for window in record["windows"]:
            window["work"] *= 2
        rate = record["metrics"]["rate"]
        record["metrics"] = {"rate": {**rate, "value": rate["value"] * 2, "interval_95": None}}

    edit(sound, double)
    assert read_record(sound).rate.value
    status, out, _ = perwatt("results", "check", "--results", sound.parent)
    assert status == 1
    assert "key windows[0].work: expected" in out


def test_the_check_of_no_folder_is_a_wrong_request(tmp_path, perwatt):
    assert perwatt("results", "check", "--results", tmp_path / "none") == (
        2, "", f"error: {tmp_path / 'none'}: expected a results folder, got none\n",
    )  # fmt: skip
