"""Prices of a market file that a server offers: each new answer is stored as it came, then read as a file."""

import json
from email.utils import parsedate_to_datetime
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from bench.control.inputs.clocks import check_clock, stated_time
from bench.control.inputs.looker import Looker
from bench.control.inputs.prices import around, merged, read_file
from bench.control.inputs.source import Known
from bench.control.inputs.tables import InputTables, PriceTable
from bench.credentials import is_secret_name, scrub_message
from bench.feeds.answers import LARGEST_ANSWER, FetchError, Request, Server, check_data, refusal
from bench.feeds.archive import Archive
from bench.network.errors import ReadFailedError
from bench.network.http import Answer
from bench.network.login import read_login
from bench.network.tls import read_trust
from bench.network.url import parse_url
from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from sites.control.model import Price

_LOGINS = "user and password_file of [price]"


class PriceFeed:
    """The file at an address, which is asked for again and again."""

    def __init__(self, table: PriceTable, tables: InputTables) -> None:
        place = f"{tables.file}: [price]"
        parts = urlsplit(table.source)
        if any(is_secret_name(name) for name, _ in parse_qsl(parts.query, keep_blank_values=True)):
            raise InputError(f"{place}: key source: expected an address without a key or a password (see {_LOGINS})")
        url = parse_url(parts._replace(query="").geturl(), f"{place}: key source", _LOGINS)
        trust = read_trust(place, table.settings) if url.tls else None
        login = read_login(place, table.settings)
        self._table = table
        self._server = Server(url, login, timeout_s=table.timeout_s, trust=trust)
        self._request = Request("prices", f"?{parts.query}" if parts.query else "")
        self._archive = Archive(tables.folder / "prices")
        self._name = str(url)
        self._good, self._bad = "", ("", "")  # SHA-256 of the last good answer, and of a bad one with its fault
        self._prices: tuple[Price, ...] = ()
        self._fault = ""
        self._looker = Looker(f"price {self._name}", self._look, table.poll_s)

    def known(self, now_s: float) -> Known:
        """Return the intervals around a time, and ask the server if that is due."""
        self._looker.tick(now_s)
        faults = tuple(fault for fault in (self._fault, self._looker.fault) if fault)
        return Known(prices=around(self._prices, now_s), faults=faults)

    def wait(self, timeout_s: float) -> bool:
        """Wait until no request is under way."""
        return self._looker.wait(timeout_s)

    def close(self) -> None:
        """End the requests."""
        self._looker.close()

    def _look(self, now_s: float) -> None:
        try:
            self._take(self._server.ask(self._request), now_s)
            self._fault = ""
        except InputError as error:
            self._fault = f"price {scrub_message(error.faults[0])}"
        except (ReadFailedError, OSError) as error:
            self._fault = f"price {scrub_message(str(error))}"

    def _take(self, answer: Answer, now_s: float) -> None:
        place = self._server.place(self._request)
        if answer.status != 200:
            raise FetchError(f"{place}: {refusal(answer)}")
        digest = sha256(answer.body).hexdigest()
        if digest == self._good:
            return
        if digest == self._bad[0]:  # it is stored already
            raise InputError(self._bad[1])
        suffix = _suffix(answer.body)
        check_data(place, answer.body, suffix)
        check_clock(published_s(answer, now_s, place), now_s, f"{place}: the publisher's clock")
        path = self._archive.keep(now_s, self._request.name, suffix, answer.body)
        try:
            fresh = read_file(self._table, path, now_s, self._name)
        except InputError as error:
            self._bad = digest, error.faults[0]
            raise
        self._prices, self._good = merged(self._prices, fresh, now_s), digest


def published_s(answer: Answer, now_s: float, place: str) -> float:
    """Return when an answer was published [s, Unix]: what it states itself, else its Date header, else now.

    Raises
    ------
    InputError
        It states an invalid time.
    """
    if answer.body[:1] == b"{" and len(answer.body) <= LARGEST_ANSWER:
        try:
            document = json.loads(answer.body)
        except (ValueError, RecursionError):
            document = None
        if isinstance(document, dict) and "published_at_s" in document:
            return stated_time(document["published_at_s"], f"{place}: key published_at_s")
    try:
        return parsedate_to_datetime(answer.headers["date"]).timestamp()
    except (KeyError, ValueError, TypeError):
        return now_s


def _suffix(body: bytes) -> str:
    start = body[:200].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith((b"{", b"[")):
        return "json"
    if start.startswith(b"<"):
        return "xml"
    return "zip" if start.startswith(b"PK\x03\x04") else "csv"
