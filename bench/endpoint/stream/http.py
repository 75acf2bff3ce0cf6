"""The HTTP/1.1 response to one request: its head, and its body from bytes that may be split anywhere.

The client keeps the bytes of each read with its time and decodes them after the request, so that decoding costs no
time while tokens arrive. The standard library's decoder reads from a socket and cannot say which read a byte came in.

References
----------
RFC 9112 (HTTP/1.1), sections 4 to 7.
"""

import re
import zlib
from typing import Literal

LONGEST_HEAD = 65536  # [byte]
_LONGEST_LINE = 4096  # [byte] of a chunk's size and of a trailer
_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})(?: |$)")
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;|$)")
_PLAIN_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})\r\n")
_State = Literal["head", "size", "chunk", "chunk_end", "trailer", "length", "until_close", "done"]


class BadHttpError(ValueError):
    """The bytes are not an HTTP/1.1 response."""


class ResponseDecoder:
    """The decoder of one response; what `feed` returns in total does not depend on how the bytes are split."""

    def __init__(self) -> None:
        self.status: int | None = None  # None until the head has come
        self.headers: dict[str, str] = {}  # names in lower case; the last of several of one name
        self.complete = False  # whether the whole body has come
        self._state: _State = "head"
        self._pending = b""
        self._at = 0  # bytes of `_pending` that are read
        self._left = 0  # bytes left of the body, or of the present chunk
        self._decompressor: zlib._Decompress | None = None

    @property
    def surplus(self) -> bytes:
        """The bytes after the end of the response: there should be none before the next request."""
        return self._pending if self._state == "done" else b""

    def feed(self, data: bytes) -> bytes:
        """Return the bytes of the body that these bytes carry.

        Raises
        ------
        BadHttpError
            They are not HTTP/1.1, or a chunk or the compression is damaged.
        """
        body = self._whole_chunk(data) if self._state == "size" and not self._pending else None
        if body is None:
            body = self._decode(data)
        if self._decompressor is None or not body:
            return body
        try:
            return self._decompressor.decompress(body)
        except zlib.error as error:
            raise BadHttpError(f"the compressed body is damaged: {error}") from None

    def _whole_chunk(self, data: bytes) -> bytes | None:
        """Return the body of bytes that are just one chunk, as nearly every read of a stream, else None."""
        size = _PLAIN_SIZE.match(data)
        if size is None or (left := int(size[1], 16)) == 0:
            return None
        start = size.end()
        return data[start:-2] if start + left + 2 == len(data) and data.endswith(b"\r\n") else None

    def _decode(self, data: bytes) -> bytes:
        self._pending += data
        parts = []
        while self._at < len(self._pending) and self._state != "done":
            if self._state in {"chunk", "length", "until_close"}:
                parts.append(self._take())
            elif not self._step():
                break
        self._pending, self._at = self._pending[self._at :], 0
        return b"".join(parts)

    def close(self) -> None:
        """Note that the server has closed the connection, which ends a body without a length."""
        if self._state == "until_close":
            self.complete, self._state = True, "done"

    def _take(self) -> bytes:
        """Return what there is of the present chunk or body."""
        end = None if self._state == "until_close" else self._at + self._left
        body = self._pending[self._at : end]
        self._at += len(body)
        if self._state == "until_close":
            return body
        self._left -= len(body)
        if self._left == 0:
            if self._state == "chunk":
                self._state = "chunk_end"
            else:
                self.complete, self._state = True, "done"
        return body

    def _step(self) -> bool:
        """Read the head, or a line between chunks; return False if its end has not come yet."""
        if self._state == "head":
            return self._read_head()
        end = self._pending.find(b"\n", self._at)
        if end < 0:
            if len(self._pending) - self._at > _LONGEST_LINE:
                raise BadHttpError("a line between chunks is too long")
            return False
        line = self._pending[self._at : end].removesuffix(b"\r")
        self._at = end + 1
        if self._state == "size":
            size = _SIZE.match(line)
            if size is None:
                raise BadHttpError(f"expected the size of a chunk, got {line[:40]!r}")
            self._left = int(size[1], 16)
            self._state = "chunk" if self._left else "trailer"
        elif self._state == "chunk_end":
            if line:
                raise BadHttpError(f"expected the end of a chunk, got {line[:40]!r}")
            self._state = "size"
        elif not line:  # the empty line after the trailers
            self.complete, self._state = True, "done"
        return True

    def _read_head(self) -> bool:
        head, mark, _ = self._pending[self._at :].partition(b"\r\n\r\n")
        if not mark:
            if not b"HTTP/1.".startswith(head[:7]):
                raise BadHttpError(f"expected an HTTP/1.1 response, got {head[:40]!r}")
            if len(head) > LONGEST_HEAD:
                raise BadHttpError(f"the head is longer than {LONGEST_HEAD} bytes")
            return False
        first, *lines = head.split(b"\r\n")
        status = _STATUS.match(first)
        if status is None:
            raise BadHttpError(f"expected an HTTP/1.1 response, got {first[:40]!r}")
        self._at += len(head) + len(mark)
        if status[1].startswith(b"1") and status[1] != b"101":  # the real head follows
            return True
        self.status = int(status[1])
        for line in lines:
            name, _, value = line.partition(b":")
            self.headers[name.strip().lower().decode("latin-1")] = value.strip().decode("latin-1")
        self._choose_body()
        return True

    def _choose_body(self) -> None:
        encoding = self.headers.get("content-encoding", "identity").lower()
        if encoding in {"gzip", "x-gzip", "deflate"}:
            self._decompressor = zlib.decompressobj(zlib.MAX_WBITS | 32)
        elif encoding != "identity":
            raise BadHttpError(f"the body has the encoding {encoding[:20]!r}, although none was accepted")
        length = self.headers.get("content-length")
        if self.headers.get("transfer-encoding", "").lower().endswith("chunked"):
            self._state = "size"
        elif self.status in {204, 304}:
            self.complete, self._state = True, "done"
        elif length is None:
            self._state = "until_close"
        elif not re.fullmatch(r"[0-9]{1,15}", length):
            raise BadHttpError(f"expected a length of the body, got {length[:40]!r}")
        elif int(length) == 0:
            self.complete, self._state = True, "done"
        else:
            self._left, self._state = int(length), "length"
