"""The login of a device on the network: a password that stays out of specs, records and errors, and HTTP's two schemes.

References
----------
RFC 7616 (HTTP digest, SHA-256), RFC 7617 (HTTP basic).
"""

import base64
import hashlib
import os
import secrets
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import parse_http_list, parse_keqv_list

from bench.machine.variables import RECORDED
from hardware_profiles.errors import InputError
from hardware_profiles.opening import Kind, open_input

SETTINGS = ("user", "password_file", "password_env")
_ADVICE = "password_file=PATH (a file of mode 0600) or password_env=NAME (an environment variable)"
PASSWORD_FILE = Kind("password file", 4096)


@dataclass(frozen=True, slots=True)
class Login:
    """A user and a password."""

    user: str
    password: str = field(repr=False)


def read_login(place: str, settings: Mapping[str, str], user: str = "admin") -> Login | None:
    """Return the login that the settings of a spec name, or None if they name none.

    Parameters
    ----------
    place
        The meter, for messages.
    settings
        The settings of the spec.
    user
        The user if the settings state none.

    Raises
    ------
    InputError
        The password is in the spec itself, comes from two sources or from none, or cannot be read.
    """
    refuse_password(place, settings)
    file, variable = settings.get("password_file"), settings.get("password_env")
    if file is not None and variable is not None:
        raise InputError.at(place, "password_file", expected="either password_file or password_env", got="both")
    if file is not None:
        return Login(settings.get("user", user), password_of_file(f"{place}: key password_file", Path(file)))
    if variable is not None:
        return Login(settings.get("user", user), password_of_variable(f"{place}: key password_env", variable))
    if "user" in settings:
        raise InputError.at(place, "user", expected=f"a password with it: {_ADVICE}", got="a user without a password")
    return None


def refuse_password(place: str, settings: Mapping[str, str]) -> None:
    """Refuse a password in the spec itself, where the history of the shell keeps it.

    Raises
    ------
    InputError
        There is one.
    """
    if "password" in settings:
        raise InputError(f"{place}: key password: expected {_ADVICE}, got a password in the command")


def password_missing(place: str) -> InputError:
    """Return the error for a device that wants a password where the spec names none."""
    return InputError(f"{place}: key password_file: expected {_ADVICE}, because the device wants a password, got none")


def password_of_file(place: str, path: Path) -> str:
    """Return the password in a file that nobody else reads.

    Raises
    ------
    InputError
        There is no such file, others may read it, or it is not one line of text.
    """
    path = path.expanduser()
    try:
        opened = open_input(path, PASSWORD_FILE)
    except InputError as error:
        raise InputError(f"{place}: {error}") from None
    try:
        with opened as file:
            status = os.fstat(file.fileno())
            if status.st_mode & 0o077:
                mode = f"{stat.S_IMODE(status.st_mode):04o}"
                raise InputError(
                    f"{place}: expected mode 0600, so that nobody else reads the password, got mode "
                    f"{mode}: chmod 600 {path}"
                )
            content = file.read(PASSWORD_FILE.limit_bytes)
    except OSError as error:
        raise InputError.at(place, expected=f"a file that can be read ({error.strerror})", got=str(path)) from None
    try:
        password = content.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        password = ""
    if not password or not password.isprintable():
        raise InputError.at(place, expected="one line of UTF-8 text, the password, in the file", got=str(path))
    return password


def password_of_variable(place: str, name: str, kind: str = "password") -> str:
    """Return the password, or what else `kind` names, in an environment variable.

    Raises
    ------
    InputError
        It holds none, or records keep this variable.
    """
    if name in RECORDED:
        raise InputError.at(place, expected="a variable that no record keeps", got=name)
    password = os.environ.get(name)
    if not password or not password.isprintable():
        why = "not set" if password is None else "empty" if not password else "of unprintable characters"
        expected = f"the name of an environment variable that holds the {kind} (this one is {why})"
        raise InputError.at(place, expected=expected, got=name)
    return password


def basic(login: Login) -> str:
    """Return the Authorization header of HTTP basic."""
    return "Basic " + base64.b64encode(f"{login.user}:{login.password}".encode()).decode("ascii")


class Digest:
    """One challenge of HTTP digest with SHA-256 or MD5, whose nonce is counted from 1 at each use."""

    def __init__(self, challenge: Mapping[str, str]) -> None:
        self.challenge = challenge
        self.count = 0

    @property
    def algorithm(self) -> str:
        """The algorithm; a challenge that names none means MD5."""
        return self.challenge.get("algorithm", "MD5").upper()

    def authorize(self, login: Login, uri: str, cnonce: str | None = None, method: str = "GET") -> str:
        """Return the Authorization header of a request."""
        self.count += 1
        challenge, cnonce = self.challenge, cnonce or secrets.token_hex(8)
        realm, nonce, count = challenge.get("realm", ""), challenge["nonce"], f"{self.count:08x}"
        hashed = _HASHES[self.algorithm]
        secret, request = hashed(f"{login.user}:{realm}:{login.password}"), hashed(f"{method}:{uri}")
        with_qop = "auth" in challenge.get("qop", "").replace(",", " ").split()
        middle = f"{nonce}:{count}:{cnonce}:auth" if with_qop else nonce
        parts = [
            f"username={_quoted(login.user)}",
            f"realm={_quoted(realm)}",
            f"nonce={_quoted(nonce)}",
            f"uri={_quoted(uri)}",
            f'response="{hashed(f"{secret}:{middle}:{request}")}"',
            f"algorithm={self.algorithm}",
        ]
        if with_qop:
            parts += ["qop=auth", f"nc={count}", f'cnonce="{cnonce}"']
        if "opaque" in challenge:
            parts.append(f"opaque={_quoted(challenge['opaque'])}")
        return f"Digest {', '.join(parts)}"


def read_challenge(headers: Iterable[str]) -> Digest | str:
    """Return the digest challenge with the strongest algorithm, else `basic`, else the schemes that the device offers.

    MD5 is accepted because the web pages of miners offer nothing else, and basic, which is weaker still, is accepted.
    """
    digests: list[Digest] = []
    schemes = []
    for header in headers:
        scheme, _, rest = header.strip().partition(" ")
        if scheme.lower() == "digest":
            fields = {key.lower(): value for key, value in parse_keqv_list(_pairs(rest)).items()}
            digest = Digest(fields)
            if digest.algorithm in _HASHES and "nonce" in fields:
                digests.append(digest)
            schemes.append(f"digest with {digest.algorithm}")
        else:
            schemes.append(scheme.lower())
    if digests:
        return min(digests, key=lambda digest: list(_HASHES).index(digest.algorithm))
    return "basic" if "basic" in schemes else ", ".join(schemes)


def _pairs(text: str) -> list[str]:
    """Return the `key=value` items of a challenge, without those that have no value."""
    items = (item.partition("=") for item in parse_http_list(text))
    return [f"{key.strip()}={value.strip()}" for key, sign, value in items if sign and value.strip()]


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _md5(text: str) -> str:
    return hashlib.md5(text.encode("utf-8"), usedforsecurity=False).hexdigest()


_HASHES = {"SHA-256": _sha256, "MD5": _md5}  # the strongest first


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
