"""Signatures of results by an ssh key: made and checked by OpenSSH's `ssh-keygen -Y`, over the digests of a result."""

import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from bench.errors import RunFailedError, not_written
from bench.results.folder import read_whole_signable
from hardware_profiles.errors import InputError
from hardware_profiles.opening import MIB, Kind, open_input, read_input
from sites.files import write_file

SIGNATURE_FILE = "SHA256SUMS.sig"
"""What it signs is the content of SHA256SUMS, which an older result does not store."""
NAMESPACE = "perwatt-result"
_SIGNATURE = Kind("signature", MIB // 16, stdin=False)
_SIGNERS = Kind("file of allowed signers", MIB, stdin=False)
_KEY = Kind("ssh key", MIB // 16, stdin=False)
_CHECK_S = 20.0  # [s] longest wait for a check
_SIGN_S = 300.0  # [s] longest wait for a passphrase, or for a touch of a hardware key


class State(StrEnum):
    """The state of a result's signature."""

    UNSIGNED = "unsigned"
    NOT_CHECKED = "not checked"
    VALID = "valid"
    INVALID = "invalid"


class Signature(NamedTuple):
    """The signature of a result as far as it was checked."""

    state: State
    by: str = ""  # the principal of a valid one
    why: str = ""  # of an invalid one

    def words(self) -> str:
        """Return a sentence for people."""
        if self.state is State.VALID:
            return f"signed by {self.by}"
        if self.state is State.INVALID:
            return f"invalid signature ({self.why})"
        return "signature not checked" if self.state is State.NOT_CHECKED else "unsigned"


def sign(folder: Path, key: Path) -> Path:
    """Sign a result with an ssh key and return the path of the signature.

    Parameters
    ----------
    folder
        The result folder.
    key
        A private key, or a public one whose private key the ssh agent holds.

    Raises
    ------
    InputError
        The result is faulty or is signed already, ssh-keygen is missing, or the key is not usable.
    RunFailedError
        The signature could not be written.
    """
    _, text = read_whole_signable(folder)
    path = folder / SIGNATURE_FILE
    if os.path.lexists(path):
        raise InputError(f"{path}: expected a result without a signature, got one that is signed (remove it to sign)")
    open_input(key, _KEY).close()
    done = _ssh_keygen(["sign", "-f", os.path.abspath(key)], text, _SIGN_S)  # noqa: PTH100 (a key may be a link)
    if done.returncode != 0:
        raise InputError(f"--key {key}: expected a key that ssh-keygen can sign with, got: {_last_line(done.stderr)}")
    try:
        write_file(path, done.stdout)
    except OSError as error:
        raise not_written(path, error) from error
    return path


def signature_of(folder: Path, text: bytes, allowed_signers: Path | None) -> Signature:
    """Return the signature of a result whose files were checked.

    Parameters
    ----------
    folder
        The result folder.
    text
        What the signature must cover, from the reading of the record that it is to vouch for (`read_signable`).
    allowed_signers
        A file of allowed signers (`man ssh-keygen`), without which a signature is not checked.

    Raises
    ------
    InputError
        The file of allowed signers is not readable, or ssh-keygen is missing.
    """
    path = folder / SIGNATURE_FILE
    signers = None if allowed_signers is None else read_input(allowed_signers, _SIGNERS)
    if not os.path.lexists(path):
        return Signature(State.UNSIGNED)
    if signers is None:
        return Signature(State.NOT_CHECKED)
    try:
        signature = read_input(path, _SIGNATURE)
    except InputError as fault:
        return Signature(State.INVALID, why=str(fault))
    with _private_files(signature, signers) as (signature_path, signers_path):
        names = _ssh_keygen(["find-principals", "-s", signature_path, "-f", signers_path], b"", _CHECK_S)
        matches = _ssh_keygen(["check-novalidate", "-s", signature_path], text, _CHECK_S)
        if matches.returncode != 0:
            return Signature(State.INVALID, why=f"not of these files: {_last_part(matches.stderr)}")
        for principal in names.stdout.decode(errors="replace").splitlines():
            identity = principal.split(",")[0]
            checked = _ssh_keygen(["verify", "-I", identity, "-s", signature_path, "-f", signers_path], text, _CHECK_S)
            if checked.returncode == 0:
                return Signature(State.VALID, by=identity)
    return Signature(State.INVALID, why=f"its key is not one that {allowed_signers} allows")


def verified(folder: Path, allowed_signers: Path) -> str:
    """Return the principal who signed a result.

    Raises
    ------
    InputError
        The result is faulty, the file of allowed signers is not readable, or ssh-keygen is missing.
    RunFailedError
        The result is unsigned, or its signature is invalid.
    """
    signature = signature_of(folder, read_whole_signable(folder)[1], allowed_signers)
    if signature.state is not State.VALID:
        raise RunFailedError(f"{folder}: expected a valid signature, got {signature.words()}")
    return signature.by


@contextmanager
def _private_files(*contents: bytes) -> Iterator[list[str]]:
    """Yield the paths of copies that nobody else can exchange while ssh-keygen reads them."""
    with tempfile.TemporaryDirectory(prefix="perwatt-signature-") as folder:
        paths = [Path(folder) / str(number) for number in range(len(contents))]
        for path, content in zip(paths, contents, strict=True):
            write_file(path, content)
        yield [str(path) for path in paths]


def _ssh_keygen(arguments: Sequence[str], message: bytes, limit_s: float) -> "subprocess.CompletedProcess[bytes]":
    action, *others = arguments
    namespace = [] if action == "find-principals" else ["-n", NAMESPACE]
    try:
        return subprocess.run(  # noqa: S603 (paths and principals are single arguments)
            ["ssh-keygen", "-Y", action, *namespace, *others],  # noqa: S607 (the user's own OpenSSH)
            input=message,
            capture_output=True,
            timeout=limit_s,
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )
    except FileNotFoundError:
        raise InputError(
            "ssh-keygen: expected OpenSSH's program on the PATH, got none (Debian, Ubuntu: apt install openssh-client; "
            "Fedora: dnf install openssh)"
        ) from None
    except subprocess.TimeoutExpired:
        raise InputError(f"ssh-keygen: expected an answer within {limit_s:g} s, got none") from None


def _last_part(text: bytes) -> str:
    """Return the reason of ssh-keygen without the names of its functions before it."""
    return _last_line(text).rpartition(": ")[2]


def _last_line(text: bytes) -> str:
    lines = text.decode(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "no reason given")
