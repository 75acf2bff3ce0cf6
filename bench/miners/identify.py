"""The family of an unknown miner, from at most four connections, without a password and without a redirect."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import NamedTuple

from bench.miners.families import ENTRIES, names
from bench.miners.link import CGMINER, PAUSE_S, WEB, Address
from bench.miners.reader import MinerError, turn
from bench.miners.reply import Reply
from bench.miners.wire import MAX_BYTES, HttpAnswerError, exchange, exchange_frame
from bench.network.errors import ReadFailedError
from bench.network.http import Device
from bench.network.tcp import HostPort
from hardware_profiles.errors import shown

FRAMES, OTHER_WEB = 4433, 8080
SECONDS = 3.0  # [s] for one connection
_TITLE = re.compile(r"<title[^>]{0,200}>\s*(.{0,80}?)\s*</title>", re.IGNORECASE | re.DOTALL)
_PLACE = re.compile(r"^(?:http://)?\S{1,300}:\d{1,5}(?:/\S{0,200})?:\s*(?:\[Errno \d+\] )?")
_OF_PROXIES = ("proxy-authenticate", "proxy-connection", "via")


class Seen(NamedTuple):
    """What one connection showed."""

    port: int
    kind: str  # `nothing`, `web` or `commands`
    words: str  # for messages
    family: str = ""


class _Host(NamedTuple):
    """The host of a miner."""

    name: str
    ports: Mapping[int, int]  # as in `Miner`

    def at(self, port: int) -> HostPort:
        return HostPort(self.name, self.ports.get(port, port))


def identify(address: Address, ports: Mapping[int, int] | None = None) -> str:
    """Return the name of the family that the replies of a miner show.

    Parameters
    ----------
    address
        Where the miner is; if it names a port, only this one is asked.
    ports
        As in `Miner`.

    Raises
    ------
    MinerError
        Nothing answers, or the answers are of no family that perwatt knows.
    """
    seen: list[Seen] = []
    steps = _steps(seen) if address.port is None else _steps_of_port(seen, address.port)
    with turn(address, ports).lock:
        for step in steps:
            if seen:
                time.sleep(PAUSE_S)
            seen.append(step(_Host(address.host, ports or {})))
            if seen[-1].family:
                return seen[-1].family
    raise MinerError(_advice(address, seen))


_Step = Callable[[_Host], Seen]


def _steps(seen: list[Seen]) -> Iterator[_Step]:
    """Yield four steps; the last depends on what the others showed."""
    yield partial(_frames, FRAMES)
    yield partial(_page, WEB, "/")
    yield partial(_version, CGMINER)
    _, page, version = seen
    if version.kind == "commands":
        yield partial(_whatsminer, CGMINER)
    elif page.kind == "web":
        yield partial(_page, WEB, "/api/system/info")
    else:
        yield partial(_page, OTHER_WEB, "/")


def _steps_of_port(seen: list[Seen], port: int) -> Iterator[_Step]:
    """Yield the steps for a port that the user names, which may be any behind a router."""
    if port == FRAMES:
        yield partial(_frames, port)
        return
    if port not in {WEB, OTHER_WEB}:
        yield partial(_version, port)
        if seen[-1].kind != "web":
            yield partial(_whatsminer if seen[-1].kind == "commands" else _frames, port)
            return
    yield partial(_page, port, "/")
    yield partial(_page, port, "/api/system/info")


def _frames(port: int, host: _Host) -> Seen:
    """Return what a request in a frame shows: only Whatsminer 3 answers in one."""
    try:
        raw = exchange_frame(host.at(port), b'{"cmd":"get.device.info"}', SECONDS)
        document = Reply.of("get.device.info", raw).document
    except ReadFailedError as error:
        return _failed(port, error)
    known = isinstance(document, dict) and "code" in document and "msg" in document
    return Seen(port, "commands", "answers in frames", "whatsminer-v3" if known else "")


def _version(port: int, host: _Host) -> Seen:
    """Return what the reply to `version` shows."""
    return _command(port, host, b'{"command":"version"}\n')  # a web server waits for the end of its line


def _whatsminer(port: int, host: _Host) -> Seen:
    """Return what the reply to a command of Whatsminer shows, for firmware that does not know `version`."""
    return _command(port, host, b'{"cmd":"get_version"}', own={"whatsminer": '"api_ver"'})


def _command(port: int, host: _Host, request: bytes, own: Mapping[str, str] | None = None) -> Seen:
    """Return what the reply to a command shows; `own` are words of a reply that only one family sends."""
    try:
        raw = exchange(host.at(port), request, SECONDS)
    except HttpAnswerError as error:
        family = next((entry.name for entry in ENTRIES if entry.web_on_4028 and port == CGMINER), "")
        return Seen(port, "web", _without_place(error), family)
    except ReadFailedError as error:
        return _failed(port, error)
    text = raw.decode("utf-8", "replace")
    known = {entry.name: entry.version for entry in ENTRIES} | {name: (word,) for name, word in (own or {}).items()}
    family = next((name for name, words in known.items() if _holds(text, words)), "")
    return Seen(port, "commands", f"answers {shown(text)}", family)


def _page(port: int, path: str, host: _Host) -> Seen:
    """Return what a web page and its headers show, whatever its status."""
    try:
        remote = host.at(port)
        answer = Device(remote.host, remote.port, limit_bytes=MAX_BYTES).ask(path, SECONDS)
    except ReadFailedError as error:
        return _failed(port, error)
    headers = "\n".join([*answer.challenges, *answer.headers.values()])
    body = answer.body.decode("utf-8", "replace")
    family = next((entry.name for entry in ENTRIES if _holds(f"{headers}\n{body}", entry.page)), "")
    title = _TITLE.search(body[:20_000])
    words = f"answers HTTP status {answer.status}" + (f" with the page {shown(title[1])}" if title else "")
    if answer.status == 407 or any(name in answer.headers for name in _OF_PROXIES):
        words += " as a proxy does"
    return Seen(port, "web", words, family)


def _holds(text: str, words: tuple[str, ...]) -> bool:
    lower = text.lower()
    return any(word in lower for word in words)


def _failed(port: int, error: ReadFailedError) -> Seen:
    return Seen(port, "nothing", _without_place(error))


def _without_place(error: ReadFailedError) -> str:
    """Return the text of an error without the address, which the message names once."""
    return _PLACE.sub("", str(error), count=1)


def _advice(address: Address, seen: list[Seen]) -> str:
    """Return one line: what each port answered, and what to do."""
    answers = "; ".join(f"port {step.port} {step.words}" for step in seen)
    if any("as a proxy does" in step.words for step in seen):
        cure = "a proxy stands for several machines: read each machine at its own address"
    elif all(step.kind == "nothing" for step in seen):
        cure = "check the address, and that the miner is on and its API is allowed"
    else:
        cure = f"name the family with --family ({', '.join(names())})"
    return f"miner {address.shown}: no family recognised: {answers}; {cure}"
