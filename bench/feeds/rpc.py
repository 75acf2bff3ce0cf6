"""A client of a Bitcoin node's JSON-RPC: its login, its requests and what it says when it cannot answer."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.feeds.answers import FetchError, Request, Server, refusal
from bench.network.login import Login, password_of_file, password_of_variable
from bench.network.url import parse_url
from hardware_profiles.errors import InputError, shown

PORT = 8332  # of a node on the main network
DEFAULT_URL = f"http://127.0.0.1:{PORT}"
DEFAULT_COOKIE = Path("~/.bitcoin/.cookie")
PASSWORDS = "--cookie-file, --user and --password-env"
BATCH = 100  # calls in one request
_WARMING_UP, _PRUNED = -28, -1
_HUGE = 2**63


def node_login(cookie: Path | None, user: str | None, password_env: str | None) -> Login:
    """Return the login of a node: its cookie file, or a user with a password from the environment.

    Raises
    ------
    InputError
        Only one of user and password is stated, both ways are, or the password cannot be read.
    """
    if user is not None or password_env is not None:
        if cookie is not None:
            expected = "either --cookie-file or --user with --password-env"
            raise InputError.at("--cookie-file", expected=expected, got="both")
        if user is None or password_env is None:
            missing, other = ("--user", "--password-env") if user is None else ("--password-env", "--user")
            raise InputError.at(missing, expected=f"a value, because {other} has one")
        return Login(user, password_of_variable("--password-env", password_env))
    path = cookie or DEFAULT_COOKIE
    text = password_of_file("--cookie-file", path)
    name, sign, password = text.partition(":")
    if not sign:
        raise InputError.at("--cookie-file", expected="a file with USER:PASSWORD in one line", got=str(path))
    return Login(name, password)


class Node(Server):
    """A Bitcoin node."""

    def fetch(self, request: Request) -> bytes:
        """Return the body of the answer to a batch.

        Raises
        ------
        FetchError
            The node does not answer, refuses the login, is not ready, or a call failed.
        """
        answer = self.ask(request)
        if answer.status == 401:
            raise FetchError(f"{self.url}: HTTP status 401, the node refuses the user and the password ({PASSWORDS})")
        if answer.status == 403:
            raise FetchError(f"{self.url}: HTTP status 403, the node does not serve this machine (see its rpcallowip)")
        if answer.status not in {200, 404, 500}:
            raise FetchError(f"{self.url}: {refusal(answer)}")
        results(answer.body, str(self.url))
        return answer.body

    def call(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        """Return the results of calls, in batches."""
        answers: list[Any] = []
        for at in range(0, len(calls), BATCH):
            part = calls[at : at + BATCH]
            answers += results(self.fetch(call_request(part[0][0], part)), str(self.url), len(part))
        return answers


def open_node(url: str | None, login: Login, timeout_s: float) -> Node:
    """Return the node at an address; the default is this machine."""
    return Node(parse_url(url or DEFAULT_URL, "--url", PASSWORDS, PORT), login, timeout_s=timeout_s)


def call_request(name: str, calls: Sequence[tuple[str, Sequence[Any]]]) -> Request:
    """Return the request of several calls in one batch."""
    batch = [
        {"jsonrpc": "1.0", "id": at, "method": method, "params": list(params)}
        for at, (method, params) in enumerate(calls)
    ]
    return Request(name, "/", body=json.dumps(batch).encode())


def results(body: bytes, place: str, count: int = 0) -> list[Any]:
    """Return the results of a batch in the order of its calls.

    Parameters
    ----------
    body
        The answer.
    place
        The node or file, for messages.
    count
        Number of calls, or 0 if any number is right.

    Raises
    ------
    FetchError
        The answer is not that of a batch, an answer is missing, or a call failed.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise FetchError(
            f"{place}: expected the JSON of a Bitcoin node, got {shown(body[:60].decode('utf-8', 'replace'))}"
        ) from None
    answers = document if isinstance(document, list) else [document]
    by_id: dict[str, Any] = {}
    for answer in answers:
        if not isinstance(answer, dict) or not {"result", "error"} & answer.keys():
            raise FetchError(f"{place}: expected the JSON-RPC of a Bitcoin node, got {shown(answer)}")
        if answer.get("error") is not None:
            raise FetchError(f"{place}: {_fault(answer['error'])}")
        by_id[str(answer.get("id"))] = answer.get("result")
    wanted = [str(at) for at in range(count or len(answers))]
    if by_id.keys() != set(wanted):
        raise FetchError(f"{place}: expected an answer to each of {len(wanted)} calls, got {len(by_id)}")
    return [by_id[at] for at in wanted]


def field(fields: Any, key: str, kind: Any, location: str) -> Any:
    """Return a value of a node's answer; raise FetchError if it is missing, of another kind, or a huge number."""
    value = fields.get(key) if isinstance(fields, dict) else None
    is_huge = isinstance(value, int | float) and not abs(value) < _HUGE  # NaN too
    if not isinstance(value, kind) or isinstance(value, bool) or is_huge:
        raise FetchError(f"{location}: {key}: expected a value of a Bitcoin node, got {shown(value)}")
    return value


def _fault(error: Any) -> str:
    code = error.get("code") if isinstance(error, dict) else None
    said = shown(error.get("message") if isinstance(error, dict) else error)
    if code == _WARMING_UP:
        return f"the node is starting; ask again later: {said}"
    if code == _PRUNED and "pruned" in said:
        return f"the node has pruned this block; use a node with prune of 550 or more: {said}"
    return f"the node answers with error {shown(code)}: {said}"
