"""The cipher of Whatsminer's write interface, version 2: keys by md5crypt, commands by AES-256 in electronic code book.

The protocol fixes it. AES is that of the package `cryptography`; Python has no md5crypt any more.

References
----------
MicroBT, WhatsMiner API 2.0 (token, key and sign). Poul-Henning Kamp, md5crypt.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any, NamedTuple

from hardware_profiles.errors import InputError

_BLOCK = 16
_ITOA = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ORDER = ((0, 6, 12), (1, 7, 13), (2, 8, 14), (3, 9, 15), (4, 10, 5))


class Token(NamedTuple):
    """What a miner's answer to `get_token` makes of a password."""

    key: bytes  # of AES
    sign: str  # the token of each command


def check_installed(place: str) -> None:
    """Refuse to go on without the package that has AES.

    Raises
    ------
    InputError
        It is not installed.
    """
    if find_spec("cryptography") is None:
        raise InputError(f"{place}: a login needs cryptography: pip install 'perwatt[meters]'")


def token(password: str, time: str, salt: str, newsalt: str) -> Token:
    """Return key and sign.

    Parameters
    ----------
    password
        The password of the write interface.
    time, salt, newsalt
        As the miner sends them.
    """
    key = md5crypt(password, salt)
    return Token(hashlib.sha256(key.encode()).digest(), md5crypt(key + time, newsalt))


def sealed(command: Mapping[str, Any], key: bytes) -> dict[str, Any]:
    """Return the request that holds a command."""
    text = json.dumps(command, separators=(",", ":")).encode()
    padded = text + bytes(-len(text) % _BLOCK)
    encryptor = _cipher(key).encryptor()
    return {"enc": 1, "data": base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode()}


def opened(reply: str, key: bytes) -> bytes:
    """Return the text of a reply that is sealed in the same way.

    Raises
    ------
    ValueError
        It is no whole number of blocks in base64.
    """
    raw = base64.b64decode(reply, validate=True)
    decryptor = _cipher(key).decryptor()
    return bytes(decryptor.update(raw) + decryptor.finalize()).rstrip(b"\0")


def _cipher(key: bytes) -> Any:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    return Cipher(algorithms.AES(key), modes.ECB())  # noqa: S305 (what the firmware speaks)


def md5crypt(password: str, salt: str) -> str:
    """Return the fourth field of `$1$salt$...`, the hash of a password."""
    secret, grain = password.encode(), salt.encode()[:8]
    inner = _md5(secret + grain + secret)
    mixed = secret + b"$1$" + grain + (inner * (len(secret) // 16 + 1))[: len(secret)]
    length = len(secret)
    while length:
        mixed += b"\0" if length & 1 else secret[:1]
        length >>= 1
    final = _md5(mixed)
    for turn in range(1000):
        part = (secret if turn & 1 else final) + (grain if turn % 3 else b"") + (secret if turn % 7 else b"")
        final = _md5(part + (final if turn & 1 else secret))
    text = "".join(_letters(final[a] << 16 | final[b] << 8 | final[c], 4) for a, b, c in _ORDER)
    return text + _letters(final[11], 2)


def _letters(value: int, count: int) -> str:
    return "".join(_ITOA[value >> (6 * at) & 63] for at in range(count))


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()
