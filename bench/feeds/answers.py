"""Requests to sources of data, and the answers that are none: throttled, refused, a page in place of data."""

import json
import re
import ssl
from collections.abc import Mapping
from typing import NamedTuple

from bench.credentials import scrub_message
from bench.network.errors import ReadFailedError
from bench.network.http import Answer
from bench.network.login import Login
from bench.network.url import Url
from hardware_profiles.errors import shown

LARGEST_ANSWER = 32 * 2**20  # [byte]
_LONGEST_TEXT = 4000  # [byte] of an answer that is searched for the words of a throttle
_THROTTLE = re.compile(
    r"acceptable use policy|rate[\s_-]*limit|too many requests|throttl\w+|quota\s+(?:was\s+)?exceeded|"
    r"request limit|slow down",
    re.IGNORECASE,
)
_LONGEST_WAIT = 40  # characters of a Retry-After
_BEFORE = 40  # characters that are shown before the words of a throttle
_TAGS = re.compile(r"<[^<>]{0,500}>")


class FetchError(ReadFailedError):
    """A source did not answer with data; the text is the line that the user sees."""


class Request(NamedTuple):
    """One request to a source."""

    name: str  # of the answer: part of the name of its file
    path: str  # path and query, as messages show them
    hidden_query: str = ""  # end of the query that holds a key, which no message shows
    body: bytes | None = None  # JSON to send by POST
    headers: Mapping[str, str] = {}
    suffix: str = "json"  # of the file


class Server:
    """A source at an address."""

    def __init__(
        self, url: Url, login: Login | None = None, *, timeout_s: float, trust: ssl.SSLContext | None = None
    ) -> None:
        self.url, self.timeout_s = url, timeout_s
        self._device = url.device(LARGEST_ANSWER, login, trust)

    def ask(self, request: Request) -> Answer:
        """Return the answer to a request, whatever its status.

        Raises
        ------
        FetchError
            There is no complete answer in time, or it is too long.
        """
        try:
            return self._device.ask(
                self.url.path + request.path,
                self.timeout_s,
                hidden_query=request.hidden_query,
                body=request.body,
                headers=request.headers,
            )
        except ReadFailedError as error:
            raise FetchError(scrub_message(str(error))) from None

    def fetch(self, request: Request) -> bytes:
        """Return the body of the answer to a request.

        Raises
        ------
        FetchError
            As `ask`; or the source refuses, asks to wait, or answers with an error.
        """
        answer = self.ask(request)
        if answer.status != 200:
            raise FetchError(f"{self.place(request)}: {refusal(answer)}")
        return answer.body

    def place(self, request: Request) -> str:
        """Return the address of a request, for messages."""
        return scrub_message(f"{self.url}{request.path}")


def refusal(answer: Answer) -> str:
    """Return the reason why an answer with another status than 200 holds no data, with the cure."""
    status = answer.status
    text = short_text(answer.body)
    said = f": {text}" if text else ""
    wait = answer.headers.get("retry-after", "").strip()[:_LONGEST_WAIT]
    if status == 429 or _THROTTLE.search(text):
        after = f"; ask again in {wait} s" if wait.isdecimal() else f"; ask again after {wait}" if wait else ""
        return f"HTTP status {status}, the source is asked too often{after}{said}"
    if status in {401, 403}:
        return f"HTTP status {status}, the source refuses the key or the login{said}"
    if status in {301, 302, 303, 307, 308}:
        return f"HTTP status {status}, the source has moved to {shown(answer.headers.get('location', ''))}; see --url"
    if status == 503 and wait:
        return f"HTTP status 503, the source is not available; ask again in {wait}{' s' if wait.isdecimal() else ''}"
    return f"HTTP status {status}{said}"


def throttle_text(body: bytes) -> str:
    """Return what an answer says of too many requests, which some sources say with status 200; else an empty text."""
    start = body[:_LONGEST_TEXT]
    if not start.lstrip().startswith(b"<") and len(body) > len(start):
        return ""  # data; a refusal is short, or a page
    text = _plain(start)
    words = _THROTTLE.search(text)
    return scrub_message(shown(text[max(0, words.start() - _BEFORE) :])) if words else ""


def check_data(place: str, body: bytes, suffix: str) -> None:
    """Raise FetchError if an answer with status 200 is a refusal, an error or a page in place of data."""
    if said := throttle_text(body):
        raise FetchError(f"{place}: the source is asked too often: {said}")
    start = body[:_LONGEST_TEXT].lstrip(b"\xef\xbb\xbf \t\r\n")
    if re.match(rb"(?i)<!doctype html|<html", start):
        raise FetchError(f"{place}: expected data, got a page: {short_text(body)}")
    if suffix == "xml" and b"Acknowledgement_MarketDocument" in start:
        reasons = re.findall(rb"<text>([^<]{1,300})", body[:_LONGEST_TEXT])
        raise FetchError(f"{place}: the source has no such data: {short_text(b'; '.join(reasons))}")
    if suffix == "json" and len(body) < _LONGEST_TEXT and (fault := _stated_error(body)):
        raise FetchError(f"{place}: the source answers with an error: {fault}")


def _stated_error(body: bytes) -> str:
    """Return the error that a JSON object states under `error` or `status`, or an empty text."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(document, dict):
        return ""
    status = document.get("status")
    error = document.get("error") or (status.get("error_message") if isinstance(status, dict) else None)
    return scrub_message(shown(error)) if error else ""


def short_text(body: bytes) -> str:
    """Return the beginning of an answer as one short line without tags and credentials."""
    text = _plain(body)
    return scrub_message(shown(text)) if text else ""


def _plain(body: bytes) -> str:
    """Return the beginning of an answer without tags, on one line."""
    return " ".join(_TAGS.sub(" ", body[:_LONGEST_TEXT].decode("utf-8", "replace")).split())
