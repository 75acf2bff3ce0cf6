"""A small client of OpenADR 3: programs and events of a VTN, each poll within a deadline (docs/adr/0012-openadr.md)."""

import ipaddress
import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from bench.credentials import scrub_message
from bench.network.errors import ReadFailedError
from bench.network.http import Answer, LoginRefusedError
from bench.network.login import Login, read_login
from bench.network.tls import read_trust
from bench.network.url import parse_url
from hardware_profiles.errors import InputError, shown

LARGEST_ANSWER = 4 * 2**20  # [byte]
PAGE = 50  # objects of one answer: the most that the specification allows
MOST_PAGES = 40
_LOGINS = "user and password_file of [target]"
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Vtn:
    """A virtual top node at an address, and the token of a client.

    Parameters
    ----------
    address
        Its base address, such as https://vtn.example/openadr3/3.1.0.
    token_url
        Where a token is issued; None for `/auth/token` under the base address.
    settings
        `user` is the id of the client, `password_file` or `password_env` its secret; trust as specs of meters have it.
    place
        The table, for messages.

    Raises
    ------
    InputError
        An address, the login or the certificate is faulty, or a secret would be sent without TLS.
    """

    def __init__(self, address: str, token_url: str | None, settings: Mapping[str, str], place: str) -> None:
        self.url = parse_url(address, f"{place}: key source", _LOGINS)
        issuer = token_url or f"{self.url}/auth/token"
        self._issuer = parse_url(issuer, f"{place}: key token_url", _LOGINS)
        self._login = read_login(place, settings, user="")
        for url in (self.url, self._issuer):
            if self._login is not None and not url.tls and not _is_this_machine(url.host):
                raise InputError.at(place, "source", expected="https with a client and its secret", got=str(url))
        trust = read_trust(place, settings) if self.url.tls or self._issuer.tls else None
        self._device = self.url.device(LARGEST_ANSWER, None, trust)
        self._issuing = self._issuer.device(LARGEST_ANSWER, None, trust)
        self._token = ""

    def read(self, kind: str, timeout_s: float, query: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
        """Return all objects of a kind, `programs` or `events`, each once.

        Parameters
        ----------
        kind
            The collection.
        timeout_s
            Time for all its pages [s].
        query
            What narrows it.

        Raises
        ------
        ReadFailedError
            There is no complete answer in time, or it is not a list of objects.
        """
        deadline = time.monotonic() + timeout_s
        objects: dict[str, dict[str, Any]] = {}
        for page in range(MOST_PAGES):
            asked = {**(query or {}), "skip": str(page * PAGE), "limit": str(PAGE)}
            path = f"{self.url.path}/{kind}?{urlencode(asked, quote_via=quote)}"
            content = self._page(path, deadline)
            fresh = {str(each.get("id")): each for each in content if str(each.get("id")) not in objects}
            objects.update(fresh)
            if len(content) < PAGE or not fresh:  # a server that does not know `skip` sends the first page again
                return list(objects.values())
        raise ReadFailedError(f"{self.url}/{kind}: more than {PAGE * MOST_PAGES} {kind}: state program in [target]")

    def _page(self, path: str, deadline: float) -> list[dict[str, Any]]:
        answer = self._ask(path, deadline)
        if answer.status == 401 and self._login is not None:
            self._token = ""
            answer = self._ask(path, deadline)
        place = self._device.url(path)
        if answer.status != 200:
            raise ReadFailedError(f"{place}: HTTP status {answer.status}{_problem(answer.body)}")
        content = self._device.document(path, answer)
        if not isinstance(content, list) or not all(isinstance(each, dict) for each in content):
            raise ReadFailedError(f"{place}: expected a list of objects, got {shown(content)}")
        return content

    def _ask(self, path: str, deadline: float) -> Answer:
        if self._login is not None and not self._token:
            self._token = self._issued(self._login, deadline)
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        return self._device.ask(path, _left_s(deadline), headers=headers)

    def _issued(self, login: Login, deadline: float) -> str:
        """Return a token; it is renewed when the VTN refuses it, so its time of expiry need not be known."""
        form = {"grant_type": "client_credentials", "client_id": login.user, "client_secret": login.password}
        answer = self._issuing.ask(
            self._issuer.path, _left_s(deadline), method="POST", body=urlencode(form).encode(), headers=_FORM
        )
        if answer.status != 200:
            raise LoginRefusedError(f"{self._issuer}: HTTP status {answer.status}: the client or its secret is refused")
        try:
            token = json.loads(answer.body)["access_token"]
        except (ValueError, RecursionError, KeyError, TypeError):
            token = None
        if not isinstance(token, str) or not token.isprintable() or not token.isascii() or not token:
            raise ReadFailedError(f"{self._issuer}: expected JSON with access_token, got something else")
        return token


def _left_s(deadline: float) -> float:
    return max(0.001, deadline - time.monotonic())


def _problem(body: bytes) -> str:
    """Return what an error says of itself (RFC 7807)."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    text = document.get("detail") or document.get("title") if isinstance(document, dict) else None
    return f": {scrub_message(shown(text))}" if text else ""


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
