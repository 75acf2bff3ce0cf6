"""HTTP requests to devices on the network without a thread, with the login that the user states."""

import re
import time
from collections.abc import Mapping

from bench.levers.wire import NoReplyError, Receive, Remote, converse
from bench.miners.wire import MAX_BYTES
from bench.network.errors import ReadFailedError
from bench.network.http import Answer
from bench.network.login import Digest, Login, basic, read_challenge

_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})(?: [^\r\n]*)?\r?\n")
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_LONGEST_HEAD = 16384
_LENGTH = re.compile(r"\d{1,9}")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[^\r\n]{0,100}\r?\n")
_NO_BODY = frozenset({204, 304})


class Web:
    """A device that answers HTTP requests, and the login that it wants.

    Parameters
    ----------
    remote
        The device.
    login
        User and password that the user states, or None; nothing else is ever tried.
    """

    def __init__(self, remote: Remote, login: Login | None = None) -> None:
        self.remote, self.login = remote, login
        self._challenge: Digest | str = ""

    async def ask(
        self,
        path: str,
        timeout_s: float,
        *,
        method: str = "",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Return the answer to one request, whatever its status; a redirect is not followed.

        After a 401, which may follow an old nonce, the login is sent once; a password that was refused is not repeated.

        Parameters
        ----------
        path
            Path and query.
        timeout_s
            Time for everything [s].
        method
            Method of HTTP; if it is empty, POST where there is a body, else GET.
        body
            JSON to send.
        headers
            Further headers, such as the token of a session.

        Raises
        ------
        NotSentError, NoReplyError, ReadFailedError
            As `bench.levers.wire.exchange`.
        """
        method = method or ("GET" if body is None else "POST")
        end_s = time.monotonic() + timeout_s
        sent = self._challenge if self.login is not None else ""
        answer = await self._exchange(method, path, timeout_s, body, headers or {})
        if answer.status == 401 and self.login is not None:
            self._challenge = read_challenge(answer.challenges)
            if isinstance(self._challenge, Digest) or (self._challenge == "basic" and sent != "basic"):
                left_s = max(0.0, end_s - time.monotonic())
                answer = await self._exchange(method, path, left_s, body, headers or {})
        return answer

    async def _exchange(
        self, method: str, path: str, timeout_s: float, body: bytes | None, headers: Mapping[str, str]
    ) -> Answer:
        host = f"[{self.remote.host}]" if ":" in self.remote.host else self.remote.host
        lines = [f"{method} {path} HTTP/1.1", f"Host: {host}:{self.remote.port}", "Connection: close"]
        named = {"Accept": "application/json", **headers}
        if self.login is not None and isinstance(self._challenge, Digest):
            named["Authorization"] = self._challenge.authorize(self.login, path, method=method)
        elif self.login is not None and self._challenge == "basic":
            named["Authorization"] = basic(self.login)
        if body is not None:
            named["Content-Type"] = "application/json"
        if method != "GET":
            named["Content-Length"] = str(len(body or b""))
        lines += [f"{name}: {value}" for name, value in named.items()]
        request = "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + (body or b"")
        raw = await converse(self.remote, request, timeout_s, _read_answer)
        return _answer(raw)


async def _read_answer(receive: Receive) -> bytes:
    """Return an HTTP answer with its head; a body in chunks comes as its bytes in one."""
    received, end = await _read_head(receive)
    fields = dict(_lines(received[:end]))
    length, status = fields.get("content-length", ""), _STATUS.match(received)
    chunked = "chunked" in fields.get("transfer-encoding", "").lower()
    needed = int(length) if _LENGTH.fullmatch(length) else None
    if status is not None and int(status[1]) in _NO_BODY:
        needed, chunked = 0, False
    while (body := _whole_body(received[end:], needed, chunked=chunked)) is None:
        part = await receive()
        if not part:
            if chunked or needed is not None:
                raise NoReplyError("closed the connection within an answer", "no_answer")
            return bytes(received)
        received += part
        if len(received) > MAX_BYTES:
            raise ReadFailedError(f"the answer is longer than {MAX_BYTES} bytes", "malformed")
    return bytes(received[:end]) + body


async def _read_head(receive: Receive) -> tuple[bytearray, int]:
    """Return what came, and where the head in it ends."""
    received = bytearray()
    while (match := _HEAD_END.search(received)) is None:
        part = await receive()
        if not part or len(received) > _LONGEST_HEAD:
            raise NoReplyError("no HTTP answer", "malformed")
        received += part
        if not received.startswith(b"HTTP/1"[: len(received)]):
            raise ReadFailedError("the answer is not HTTP", "malformed")
    return received, match.end()


def _whole_body(body: bytearray, needed: int | None, *, chunked: bool) -> bytes | None:
    """Return a body that has come completely, or None; one without a length ends with the connection."""
    if chunked:
        return _joined(bytes(body))
    return bytes(body[:needed]) if needed is not None and len(body) >= needed else None


def _joined(body: bytes) -> bytes | None:
    """Return the bytes of all chunks, or None if the last one has not come.

    Raises
    ------
    ReadFailedError
        These are no chunks.
    """
    parts: list[bytes] = []
    at = 0
    while match := _CHUNK.match(body, at):
        length = int(match[1], 16)
        if length == 0:
            return b"".join(parts)
        parts.append(body[match.end() : match.end() + length])
        at = match.end() + length + 2
        if at > len(body):
            return None
    if len(body) - at > 120:
        raise ReadFailedError("the chunks of the answer are not readable", "malformed")
    return None


def _lines(head: bytes | bytearray) -> list[tuple[str, str]]:
    """Return the fields of a head in their order, with their names in small letters."""
    parts = (line.partition(":") for line in bytes(head).decode("latin-1").splitlines()[1:])
    return [(name.strip().lower(), value.strip()) for name, sign, value in parts if sign]


def _answer(raw: bytes) -> Answer:
    status, head = _STATUS.match(raw), _HEAD_END.search(raw)
    if status is None or head is None:
        raise ReadFailedError("the answer is not HTTP", "malformed")
    lines = _lines(raw[: head.end()])
    challenges = tuple(value for name, value in lines if name == "www-authenticate")
    return Answer(int(status[1]), dict(lines), challenges, raw[head.end() :])
