"""Bitcoin addresses: the output script that pays one, for miners that check whom the coinbase pays."""

import hashlib

_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECKSUM = {0: 1}  # by witness version: 0 is Bech32, all others are Bech32m
_BECH32M = 0x2BC830A3
_HUMAN_READABLE = ("bc", "tb", "bcrt")
_KEY_HASH, _SCRIPT_HASH = (0x00, 0x6F), (0x05, 0xC4)  # version bytes of main and test networks
_LONGEST = 90  # characters of a Bech32 address


def output_script(address: str) -> bytes | None:
    """Return the script that pays an address, or None if the text is no valid address.

    References
    ----------
    BIP 173, BIP 350.
    """
    if not address.isascii() or len(address) > _LONGEST:
        return None
    return _segwit_script(address) or _base58_script(address)


def _segwit_script(address: str) -> bytes | None:
    text = address.lower()
    prefix, _, data = text.rpartition("1")
    if prefix not in _HUMAN_READABLE or address not in {text, text.upper()} or len(data) < 7:
        return None
    values = [_BECH32.find(letter) for letter in data]
    if min(values) < 0:
        return None
    spread = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    version, program = values[0], _bytes_of(values[1:-6])
    if _polymod(spread + values) != _CHECKSUM.get(version, _BECH32M) or program is None or version > 16:
        return None
    if not 2 <= len(program) <= 40 or (version == 0 and len(program) not in {20, 32}):
        return None
    return bytes([version + 0x50 if version else 0, len(program)]) + program


def _polymod(values: list[int]) -> int:
    checksum = 1
    for value in values:
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << 5 ^ value
        for position, term in enumerate(_GENERATOR):
            if top >> position & 1:
                checksum ^= term
    return checksum


def _bytes_of(groups: list[int]) -> bytes | None:
    """Return groups of five bits as bytes, or None if the padding is not zeros of less than one group."""
    bits = 5 * len(groups)
    number = 0
    for group in groups:
        number = number << 5 | group
    padding = bits % 8
    if padding > 4 or number & ((1 << padding) - 1):
        return None
    return (number >> padding).to_bytes(bits // 8, "big")


def _base58_script(address: str) -> bytes | None:
    number = 0
    for letter in address:
        digit = _BASE58.find(letter)
        if digit < 0:
            return None
        number = number * 58 + digit
    if not address or number >= 1 << 200:
        return None
    raw = number.to_bytes(25, "big")
    zeros = len(raw) - len(raw.lstrip(b"\0"))
    body, checksum = raw[:21], raw[21:]
    if hashlib.sha256(hashlib.sha256(body).digest()).digest()[:4] != checksum:
        return None
    if len(address) - len(address.lstrip("1")) != zeros:
        return None
    if body[0] in _KEY_HASH:
        return b"\x76\xa9\x14" + body[1:] + b"\x88\xac"
    return b"\xa9\x14" + body[1:] + b"\x87" if body[0] in _SCRIPT_HASH else None
