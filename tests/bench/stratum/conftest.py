"""A plain client of the protocol over a real socket, and a work server on loopback."""

import hashlib
import json
import os
import socket

import pytest
from doubles.crowded import LONG_S

from bench.stratum.jobs import Job, Template, swap_words
from bench.stratum.server import ServerOptions
from bench.stratum.thread import WorkServer

EASY = 2.0**-24  # one hash in 256 meets it


class Client:
    """Sends lines, reads lines, keeps pushes apart from answers, and searches shares on one core."""

    def __init__(self, address, timeout_s=LONG_S):
        self.socket = socket.create_connection(address, timeout=timeout_s)
        self._reader = self.socket.makefile("rb")
        self.pushes, self._next_id = [], 1
        self.extranonce1, self.extranonce2_bytes = b"", 0

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.close()

    def close(self):
        self._reader.close()
        self.socket.close()

    def send_bytes(self, data):
        self.socket.sendall(data)

    def read(self):
        line = self._reader.readline()
        return json.loads(line) if line else None

    def call(self, method, params, message_id=...):
        """Return the answer to a request; what the server sends before it is kept in `pushes`."""
        if message_id is ...:
            message_id, self._next_id = self._next_id, self._next_id + 1
        self.send_bytes(json.dumps({"id": message_id, "method": method, "params": params}).encode() + b"\n")
        while True:
            message = self.read()
            if message is None or "method" not in message:
                return message
            self.pushes.append(message)

    def next_push(self, method):
        while True:
            message = self.read()
            if message is None:
                return None
            self.pushes.append(message)
            if message["method"] == method:
                return message["params"]

    def log_in(self, worker="perwatt.x", mask="1fffe000", agent="tester/1.0"):
        """Configure, subscribe, authorize, and return the parameters of the first job."""
        if mask:
            self.call("mining.configure", [["version-rolling"], {"version-rolling.mask": mask}])
        _, extranonce1, self.extranonce2_bytes = self.call("mining.subscribe", [agent])["result"]
        self.extranonce1 = bytes.fromhex(extranonce1)
        assert self.call("mining.authorize", [worker, "x"])["result"] is True
        return self.next_push("mining.notify")

    def share(self, job, difficulty=EASY, worker="perwatt.x", bits="00002000"):
        """Return the parameters of a share that meets a difficulty, found by search."""
        read = job_of(job, difficulty)
        extranonce2 = os.urandom(self.extranonce2_bytes)
        coinbase = read.coinbase1 + self.extranonce1 + extranonce2 + read.coinbase2
        root = sha256d(coinbase)
        for branch in read.template.branches:
            root = sha256d(root + branch)
        version = (read.template.version | int(bits, 16)).to_bytes(4, "little")
        times = read.template.time_s.to_bytes(4, "little") + read.template.nbits.to_bytes(4, "little")
        front = version + read.template.previous_hash + root + times
        for nonce in range(1 << 32):
            digest = sha256d(front + nonce.to_bytes(4, "little"))
            if int.from_bytes(digest, "little") <= read.target:
                return [worker, job[0], extranonce2.hex(), job[7], f"{nonce:08x}", bits]
        raise AssertionError("no nonce")


def job_of(params, difficulty=1.0):
    """Return the job of the parameters of `mining.notify`."""
    job_id, previous, before, after, branches, version, nbits, time, clean = params
    template = Template(
        swap_words(bytes.fromhex(previous)),
        tuple(map(bytes.fromhex, branches)),
        int(time, 16),
        int(nbits, 16),
        int(version, 16),
    )
    return Job(job_id, template, bytes.fromhex(before), bytes.fromhex(after), difficulty, 0.0, clean)


def sha256d(data):
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


@pytest.fixture
def serve():
    """Start a work server with options, and return it with its address."""
    started = []

    def start(**options):
        server = WorkServer(ServerOptions(**{"difficulty": EASY, **options}))
        started.append(server)
        return server, server.start("127.0.0.1", 0)

    yield start
    for server in started:
        server.stop()
        assert [notice for notice in server.notices() if notice.reason == "fault of the server"] == []


@pytest.fixture
def client():
    """Connect to an address; every connection is closed in the end."""
    opened = []

    def connect(address):
        opened.append(Client(address))
        return opened[-1]

    yield connect
    for one in opened:
        one.close()
