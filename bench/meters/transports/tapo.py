"""TP-Link Tapo plugs: JSON requests over KLAP, the encrypted session of their HTTP port.

A handshake proves to each side that the other knows the login, and gives the keys of the session. The plug proves it
first, so a wrong password is never sent. The plug offers no way to end a session; it forgets it after a day.

References
----------
KLAP, version 2, as the programs that speak it agree: SHA-256 over two seeds and the hashed login, AES-128-CBC with a
counter in the initial vector, and a SHA-256 signature before each message.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.meters.errors import MeterError
from bench.meters.points.entry import entry
from bench.meters.points.transport import Raw, Transport, TransportKind, check_keys, split_keys, value_at
from bench.network.errors import ReadFailedError
from bench.network.http import Device, LoginRefusedError
from bench.network.login import SETTINGS as LOGIN
from bench.network.login import Login, password_missing, read_login
from bench.network.reach import SETTING as PUBLIC
from bench.network.reach import check_private, remote_of
from bench.network.tcp import HostPort
from hardware_profiles.errors import InputError, shown

PORT = 80
TIMEOUT_S = 5.0  # [s] of one request
SEED_BYTES, HASH_BYTES, BLOCK_BYTES = 16, 32, 16
_COUNTER_END = 2**31  # it is a signed number of 32 bits
_BYTES = {"Content-Type": "application/octet-stream"}


class _SessionOverError(Exception):
    """The plug has forgotten the session."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One value of the answer to one method."""

    method: str
    keys: tuple[str | int, ...]


class Session:
    """The keys of one session, and its message counter."""

    def __init__(self, local_seed: bytes, remote_seed: bytes, login_hash: bytes, cookie: str) -> None:
        secret = local_seed + remote_seed + login_hash
        vector = hashlib.sha256(b"iv" + secret).digest()
        self.cookie = cookie
        self._key = hashlib.sha256(b"lsk" + secret).digest()[:16]
        self._signing = hashlib.sha256(b"ldk" + secret).digest()[:28]
        self._vector, self._count = vector[:12], int.from_bytes(vector[-4:], signed=True)

    def seal(self, text: bytes) -> tuple[int, bytes]:
        """Return the next counter and the message that carries a text."""
        self._count += 1
        if self._count == _COUNTER_END:
            raise _SessionOverError
        padding = BLOCK_BYTES - len(text) % BLOCK_BYTES
        encryptor = self._cipher().encryptor()
        sealed = encryptor.update(text + bytes([padding]) * padding) + encryptor.finalize()
        return self._count, self._signature(sealed) + sealed

    def unseal(self, message: bytes) -> bytes:
        """Return the text of the answer to the last message.

        Raises
        ------
        ValueError
            It is no message of this session.
        """
        signature, sealed = message[:HASH_BYTES], message[HASH_BYTES:]
        if not sealed or len(sealed) % BLOCK_BYTES or not hmac.compare_digest(signature, self._signature(sealed)):
            raise ValueError("an answer without the signature of the session")
        decryptor = self._cipher().decryptor()
        padded: bytes = decryptor.update(sealed) + decryptor.finalize()
        return padded[: -padded[-1]]

    def _signature(self, sealed: bytes) -> bytes:
        return hashlib.sha256(self._signing + self._counter() + sealed).digest()

    def _counter(self) -> bytes:
        return self._count.to_bytes(4, signed=True)

    def _cipher(self) -> Any:
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        return Cipher(algorithms.AES(self._key), modes.CBC(self._vector + self._counter()))


class Tapo(Transport):
    """One plug."""

    def __init__(self, remote: HostPort, login: Login, settings: Mapping[str, str], place: str) -> None:
        self.name = f"{remote.host}:{remote.port}"
        self._device = Device(remote.host, remote.port)
        self._login_hash = _hash_of(login)
        self._settings, self._place = settings, place
        self._session: Session | None = None

    def place_of(self, at: Mapping[str, Any]) -> Figure:
        """Return the figure of `{ method = "get_energy_usage", key = "current_power" }`."""
        check_keys(at, {"method": str, "key": str})
        if not at["method"].startswith("get_"):
            raise ValueError(f"expected a method that only reads, get_..., got {at['method']!r}")
        return Figure(at["method"], split_keys(at["key"]))

    def open(self) -> None:
        """Look at the address, and begin a session."""
        try:
            import cryptography  # noqa: F401 (the session encrypts with it)
        except ImportError:
            raise MeterError(f"{self._place}: needs cryptography: pip install 'perwatt[meters]'") from None
        check_private(self._device.remote, self._settings, self._place, TIMEOUT_S)
        self._session = self._handshake()

    def read(self, places: Sequence[Figure]) -> list[Raw]:
        """Return the figures; each method is asked once, and a session that the plug has forgotten is begun anew."""
        answers = {method: self._ask(method) for method in dict.fromkeys(place.method for place in places)}
        return [_figure(answers[place.method], place) for place in places]

    def close(self) -> None:
        """Forget the keys; the plug keeps its side of the session until it ends by itself."""
        self._session = None

    def _ask(self, method: str) -> Any:
        body = json.dumps({"method": method}).encode()
        for _ in range(2):
            self._session = self._session or self._handshake()
            try:
                return self._exchange(self._session, body)
            except _SessionOverError:
                self._session = None
        raise ReadFailedError(f"{self.name}: the plug ends each session at once")

    def _exchange(self, session: Session, body: bytes) -> Any:
        count, message = session.seal(body)
        answer = self._device.ask(
            f"/app/request?seq={count}", TIMEOUT_S, body=message, headers={**_BYTES, "Cookie": session.cookie}
        )
        if answer.status in {401, 403}:
            raise _SessionOverError
        if answer.status != 200:
            raise ReadFailedError(f"{self.name}: HTTP status {answer.status}")
        try:
            return json.loads(session.unseal(answer.body))
        except (ValueError, RecursionError) as error:
            raise ReadFailedError(f"{self.name}: expected JSON of a Tapo plug, got {shown(str(error))}") from None

    def _handshake(self) -> Session:
        """Return a new session.

        Raises
        ------
        LoginRefusedError
            The plug's proof is that of another login.
        """
        local_seed = secrets.token_bytes(SEED_BYTES)
        answer = self._device.ask("/app/handshake1", TIMEOUT_S, body=local_seed, headers=_BYTES)
        if answer.status == 403:
            raise ReadFailedError(
                f"{self.name}: the plug refuses programs of others; turn on Third-Party Compatibility in the Tapo app"
            )
        if answer.status != 200 or len(answer.body) != SEED_BYTES + HASH_BYTES:
            raise ReadFailedError(
                f"{self.name}: expected the handshake of a Tapo plug, got HTTP status {answer.status}"
            )
        remote_seed, proof = answer.body[:SEED_BYTES], answer.body[SEED_BYTES:]
        if not hmac.compare_digest(proof, hashlib.sha256(local_seed + remote_seed + self._login_hash).digest()):
            raise LoginRefusedError(f"{self.name}: the plug belongs to another user, or has another password")
        cookie = answer.headers.get("set-cookie", "").partition(";")[0]
        ours = hashlib.sha256(remote_seed + local_seed + self._login_hash).digest()
        answer = self._device.ask("/app/handshake2", TIMEOUT_S, body=ours, headers={**_BYTES, "Cookie": cookie})
        if answer.status != 200:
            raise LoginRefusedError(f"{self.name}: HTTP status {answer.status} to the second part of the handshake")
        return Session(local_seed, remote_seed, self._login_hash, cookie)


def _figure(answer: Any, place: Figure) -> Raw:
    """Return a figure of an answer, or None if the plug does not know the method or has no such value."""
    return value_at(answer, ("result", *place.keys)) if value_at(answer, ("error_code",)) == 0 else None


def _hash_of(login: Login) -> bytes:
    parts = (hashlib.sha1(text.encode(), usedforsecurity=False).digest() for text in (login.user, login.password))
    return hashlib.sha256(b"".join(parts)).digest()


def _make(target: str, settings: Mapping[str, str], _table_settings: Mapping[str, Any], place: str) -> Tapo:
    remote = remote_of(target, place, PORT)
    if "user" not in settings:
        raise InputError.at(place, "user", expected="the e-mail address of the plug's TP-Link account")
    login = read_login(place, settings)
    if login is None:
        raise password_missing(place)
    return Tapo(remote, login, settings, place)


ENTRY = entry(TransportKind("tapo", "a TP-Link Tapo plug", "10.0.0.4", (*LOGIN, PUBLIC), 2.0, _make))
