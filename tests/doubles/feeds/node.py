"""An invented Bitcoin node and an invented REST server, which serve a chain of the tests.

No package has a Bitcoin node, so none was recorded: the answers have the fields that the help of Bitcoin Core's RPC and
the documentation of Esplora and mempool.space name.
"""

import base64
import hashlib
import json

from doubles.feeds.web import WebSource
from kernels.sha256.header import Header, difficulty, nbits_to_target

USER, PASSWORD = "__cookie__", "0123456789abcdef"
SUBSIDY_SAT = 5_000_000_000


def hash_text(header80):
    return hashlib.sha256(hashlib.sha256(header80).digest()).digest()[::-1].hex()


def fee_sat(height):
    """Return invented fees of a block, so that the mean of 144 blocks is known."""
    return 1_000_000 + 1000 * (height % 10)


class InventedBitcoind(WebSource):
    """Answers RPC with HTTP basic; `chain` and the faults may be changed while it runs."""

    def __init__(self, headers, **changes):
        self.headers, self.network, self.warming_up = list(headers), "main", False
        self.changes = changes  # by name of the method: a function of the right result, which returns another
        super().__init__(self._answer)

    def _answer(self, method, _path, headers, body):
        expected = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if headers.get("Authorization") != expected:
            return 401, {"WWW-Authenticate": 'Basic realm="jsonrpc"'}, b""
        if method != "POST":
            return 405, {}, b"JSONRPC server handles only POST requests"
        answers = [self._one(call) for call in json.loads(body)]
        return 200, {"Content-Type": "application/json"}, json.dumps(answers).encode()

    def _one(self, call):
        if self.warming_up:
            error = {"code": -28, "message": "Loading block index…"}
            return {"result": None, "error": error, "id": call["id"]}
        try:
            result = getattr(self, call["method"])(*call["params"])
        except (LookupError, StopIteration):
            error = {"code": -8, "message": "Block height out of range"}
            return {"result": None, "error": error, "id": call["id"]}
        change = self.changes.get(call["method"], lambda value: value)
        return {"result": change(result), "error": None, "id": call["id"]}

    @property
    def tip(self):
        return len(self.headers) - 1

    def getblockchaininfo(self):
        return {"chain": self.network, "blocks": self.tip, "bestblockhash": hash_text(self.headers[-1])}

    def getmininginfo(self):
        nbits = Header.unpack(self.headers[-1]).nbits
        return {
            "blocks": self.tip,
            "bits": f"{nbits:08x}",
            "difficulty": difficulty(nbits_to_target(nbits)),
            "networkhashps": 1e21,
            "chain": self.network,
        }

    def getbestblockhash(self):
        return hash_text(self.headers[-1])

    def getblockhash(self, height):
        return hash_text(self.headers[height])

    def getblockheader(self, block_hash, verbose=True):
        height = next(at for at, header80 in enumerate(self.headers) if hash_text(header80) == block_hash)
        if not verbose:
            return self.headers[height].hex()
        header = Header.unpack(self.headers[height])
        return {
            "hash": block_hash,
            "height": height,
            "time": header.time_s,
            "bits": f"{header.nbits:08x}",
            "difficulty": difficulty(nbits_to_target(header.nbits)),
            "confirmations": self.tip - height + 1,
        }

    def getblockstats(self, height, names):
        if height > self.tip:
            raise IndexError
        stats = {"height": height, "totalfee": fee_sat(height), "subsidy": SUBSIDY_SAT}
        return {name: stats[name] for name in names}


class InventedRest(WebSource):
    """Answers the paths of Esplora, and those of mempool.space below /v1."""

    def __init__(self, headers, pages=None):
        self.headers, self.pages = list(headers), dict(pages or {})
        super().__init__(self._answer)

    def _answer(self, _method, path, _headers, _body):
        by_hash = {hash_text(header80): header80 for header80 in self.headers}
        if path in self.pages:
            page = self.pages[path]
            return page if isinstance(page, tuple) else (200, {}, page)
        _, *parts = path.removeprefix("/api").split("/")
        try:
            if parts == ["blocks", "tip", "height"]:
                return 200, {}, str(len(self.headers) - 1).encode()
            if parts == ["blocks", "tip", "hash"]:
                return 200, {}, hash_text(self.headers[-1]).encode()
            if parts[0] == "block-height":
                return 200, {}, hash_text(self.headers[int(parts[1])]).encode()
            return 200, {}, by_hash[parts[1]].hex().encode()
        except (LookupError, ValueError):
            return 404, {}, b"Block not found"
