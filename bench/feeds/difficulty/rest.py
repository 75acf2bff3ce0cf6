"""Block headers from a REST server of the form of Esplora, which mempool.space has too."""

from bench.feeds.answers import FetchError, Request, Server, short_text, throttle_text
from bench.feeds.difficulty.chain import hash_text, needed_heights
from bench.feeds.difficulty.node import CONFIRMATIONS, HIGHEST, header_of
from hardware_profiles.errors import InputError

DEFAULT_URL = "https://mempool.space/api"


def rest_headers(server: Server, first: int) -> dict[int, bytes]:
    """Return the headers that prove the epochs from height `first` on, by height.

    Raises
    ------
    FetchError
        The server does not answer, or not with headers.
    InputError
        A header has another hash than the server states, or the server is not there yet.
    """
    place = str(server.url)
    blocks = tip_height(server)
    if blocks > HIGHEST:
        raise InputError(f"{place}: height: expected at most {HIGHEST}, got {blocks}")
    tip = blocks - (CONFIRMATIONS - 1)
    if tip < first:
        raise InputError(
            f"{place}: expected a server with {CONFIRMATIONS} blocks from height {first} on, got one at height {blocks}"
        )
    headers = {}
    for height in needed_heights(first, tip):
        block_hash = _text(server, f"/block-height/{height}", 64)
        header80 = header_of(_text(server, f"/block/{block_hash}/header", 160), f"{place}: height {height}")
        if hash_text(header80) != block_hash:
            raise InputError(
                f"{place}: height {height}: hash: expected {block_hash}, got {hash_text(header80)} of the header"
            )
        headers[height] = header80
    return headers


def tip_height(server: Server) -> int:
    """Return the height of the newest block."""
    text = _text(server, "/blocks/tip/height", 9)
    if not text.isascii() or not text.isdecimal():
        raise FetchError(f"{server.url}/blocks/tip/height: expected a height, got {text!r}")
    return int(text)


def _text(server: Server, path: str, longest: int) -> str:
    request = Request("header", path)
    body = server.fetch(request)
    if said := throttle_text(body):
        raise FetchError(f"{server.place(request)}: the source is asked too often: {said}")
    text = body.decode("ascii", "replace").strip()
    if not text.isalnum() or len(text) > longest:
        raise FetchError(
            f"{server.place(request)}: expected the text of a REST server such as Esplora, got {short_text(body)}"
        )
    return text
