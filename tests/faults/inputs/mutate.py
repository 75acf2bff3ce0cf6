"""Damage to bytes, tokens and lines, drawn from a seeded generator."""

import random
import re

TOKEN = re.compile(rb"[\w.+-]+")
ODD = [
    b"", b"0", b"-0", b"-1", b"1", b"nan", b"inf", b"-inf", b"1e400", b"1e-400", b"9" * 5000, b"9" * 19, b"1e18",
    b"1e308", b"4294967296", b"0x10", b"1_000", b"1,5", b"null", b"true", b"[]", b"{}", b'""', b'"x"', b"[[[[",
    b"{" * 400, b"[" * 3000, b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b'"\\ud800"', "²".encode(),
    "\u202e\u0665".encode(), b"\x1b]0;x\x07", b"%s%n", b"../../nosuch", b"file", b"a" * 100_000, b"2026-13-45",
    b"1979-05-27T07:32:00Z", b"9999-12-31T23:59:59", b"0001-01-01", b"'''", b'"""', b"\r", b"\n", b"\t", b";", b",",
    b"=", b"#", b"\\",
]  # fmt: skip


def mutated(content: bytes, draw: random.Random) -> bytes:
    """Return a damaged copy: up to four changes, each of a random kind."""
    for _ in range(draw.choice((1, 1, 1, 2, 4))):
        content = draw.choice(KINDS)(content, draw)
    return content


def _token(content, draw):
    tokens = list(TOKEN.finditer(content))
    if not tokens:
        return content + draw.choice(ODD)
    token = draw.choice(tokens)
    other = draw.choice(tokens)[0] if draw.random() < 0.2 else draw.choice(ODD)
    return content[: token.start()] + other + content[token.end() :]


def _number(content, draw):
    numbers = list(re.finditer(rb"\d+(\.\d+)?", content))
    if not numbers:
        return content
    number = draw.choice(numbers)
    scale = draw.choice((-1, 0, 1e-300, 1e-9, 1e-3, 0.1, 10, 1e3, 1e9, 1e300))
    return content[: number.start()] + repr(float(number[0]) * scale).encode() + content[number.end() :]


def _byte(content, draw):
    at = draw.randrange(len(content) + 1)
    return content[:at] + bytes([draw.randrange(256)]) + content[at + draw.randrange(2) :]


def _cut(content, draw):
    at = draw.randrange(len(content) + 1)
    return content[:at]


def _line(content, draw):
    lines = content.split(b"\n")
    at, to = draw.randrange(len(lines)), draw.randrange(len(lines))
    kind = draw.randrange(4)
    if kind == 0:
        del lines[at]
    elif kind == 1:
        lines[at:at] = [lines[to]] * draw.choice((1, 2, 300))
    elif kind == 2:
        lines[at], lines[to] = lines[to], lines[at]
    else:
        lines[at] = draw.choice(ODD)
    return b"\n".join(lines)


def _encoding(content, draw):
    text = content.decode("utf-8", "replace")
    return draw.choice((text.encode("utf-16"), text.encode("latin-1", "replace") + b"\xe9", b"\xef\xbb\xbf" + content))


KINDS = (_token, _token, _token, _number, _number, _byte, _cut, _line, _line, _encoding)
