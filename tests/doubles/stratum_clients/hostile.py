"""Hostile clients of the work server: one coroutine for each kind, and the reason that the server notes for it."""

import asyncio
import contextlib
import json
import random
import socket
import struct

LOST = (ConnectionError, OSError, asyncio.IncompleteReadError)


class Peer:
    """A raw connection that a kind of client misuses."""

    def __init__(self, reader, writer, dice):
        self.reader, self.writer, self.dice = reader, writer, dice

    async def send(self, data):
        self.writer.write(data)
        await self.writer.drain()

    async def call(self, method, params, message_id=1):
        await self.send(json.dumps({"id": message_id, "method": method, "params": params}).encode() + b"\n")
        while True:
            line = await self.reader.readline()
            if not line:
                raise ConnectionResetError
            message = json.loads(line)
            if "method" not in message:
                return message
            if message["method"] == "mining.notify":
                self.job = message["params"]

    async def log_in(self, worker="hostile"):
        await self.call("mining.configure", [["version-rolling"], {"version-rolling.mask": "1fffe000"}])
        await self.call("mining.subscribe", ["hostile/1.0"])
        await self.call("mining.authorize", [worker, "x"])
        while True:
            message = json.loads(await self.reader.readline())
            if message.get("method") == "mining.notify":
                return message["params"]

    async def until_closed(self):
        with contextlib.suppress(*LOST):
            while await self.reader.read(65536):
                pass


async def half_a_line(peer):
    await peer.send(b'{"id":1,"method":"mining.subs')


async def ten_megabytes_in_a_line(peer):
    for _ in range(160):
        await peer.send(b"x" * 65536)
    await peer.until_closed()


async def id_of_ten_megabytes(peer):
    await peer.send(b'{"method":"mining.ping","params":[],"id":"')
    for _ in range(160):
        await peer.send(b"7" * 65536)
    await peer.send(b'"}\n')
    await peer.until_closed()


async def deep_json(peer):
    for line in (b"[" * 16000, b'{"id":1,"method":"mining.submit","params":' + b"[" * 15000 + b"]" * 900 + b"}") * 6:
        await peer.send(line + b"\n")
    await peer.until_closed()


async def flood_of_pings(peer):
    for _ in range(40):
        await peer.send(b'{"id":1,"method":"mining.ping","params":[]}\n' * 200)
    await peer.until_closed()


async def flood_of_long_lines(peer):
    line = b'{"id":"' + b"i" * 15_000 + b'","method":"mining.ping","params":[]}\n'
    for _ in range(500):
        await peer.send(line)
    await peer.until_closed()


async def flood_of_blank_lines(peer):
    for _ in range(20):
        await peer.send(b"\n" * 10_000)
    await peer.until_closed()


async def takes_no_answers(peer):
    line = b'{"id":"' + b"i" * 15_000 + b'","method":"mining.ping","params":[]}\n'
    for _ in range(110):
        await peer.send(line)
        await asyncio.sleep(0)
    await asyncio.sleep(0.3)
    await peer.until_closed()


async def connects_and_leaves(_peer):
    return


async def resets_the_connection(peer):
    await peer.send(b'{"id":')
    await asyncio.sleep(0.05)
    peer.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.writer.transport.abort()


async def binary(peer):
    await peer.send((bytes(range(1, 10)) + b"\xff\n") * 20)
    await peer.send(peer.dice.randbytes(4096))
    await peer.until_closed()


async def http(peer):
    await peer.send(b"GET /cgi-bin/summary.cgi HTTP/1.1\r\nHost: miner\r\n\r\n")
    await peer.until_closed()


async def tls(peer):
    await peer.send(b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03" + bytes(32) + b"\n")
    await peer.until_closed()


async def slow_loris(peer):
    with contextlib.suppress(*LOST):
        for byte in b'{"id":1,"method":"mining.subscribe","params":[' + b'"x",' * 200:
            await peer.send(bytes([byte]))
            await asyncio.sleep(0.1)
    await peer.until_closed()


async def silence(peer):
    await peer.until_closed()


async def line_not_ended_after_login(peer):
    await peer.log_in()
    await peer.send(b'{"id":1,')
    await peer.until_closed()


async def submits_before_it_subscribes(peer):
    await peer.call("mining.submit", ["a", "1", "00" * 8, "00000000", "00000000"])


async def wrong_types(peer):
    values = [None, True, 0, -1, 1e308, "", "\ud800", "x" * 500, [], [[]], {}, {"a": [None]}, 2**64]
    for method in ("configure", "subscribe", "authorize", "suggest_difficulty", "suggest_target", "submit", "ping"):
        for _ in range(3):
            params = peer.dice.choice([peer.dice.choice(values), [peer.dice.choice(values) for _ in range(6)]])
            await peer.call(f"mining.{method}", params, peer.dice.choice(values))
    await peer.call("mining.submit", [0])


async def no_json_numbers(peer):
    for text in (b"NaN", b"Infinity", b"-", b"1" * 6000, b"1e", b"0x10", b"'1'", b"01", b"[1,]", b"{1:2}", b"//"):
        await peer.send(b'{"id":' + text + b',"method":"mining.ping","params":[]}\n')
    await peer.until_closed()


async def unknown_methods(peer):
    for method in ("", "mining", "mining.shutdown", "client.reconnect", "x" * 10_000, "\x00\u202e"):
        await peer.call(method, [], 2**60)


async def many_workers(peer):
    await peer.log_in()
    for number in range(80):
        await peer.call("mining.authorize", [f"worker{number}", "x"])


async def bits_outside_the_mask(peer):
    job = await peer.log_in()
    for bits in ("00000001", "20000000", "ffffffff"):
        await peer.call("mining.submit", ["hostile", job[0], "00" * 8, job[7], "00000000", bits])


async def clock_a_day_off(peer):
    job = await peer.log_in()
    for seconds in (-86400, 86400, 7001, -1):
        time_text = f"{int(job[7], 16) + seconds:08x}"
        await peer.call("mining.submit", ["hostile", job[0], "00" * 8, time_text, "00000000"])


async def same_share_again(peer):
    job = await peer.log_in()
    for nonce in range(40):  # half of all hashes meet the difficulty of the campaign
        for _ in range(2):
            await peer.call("mining.submit", ["hostile", job[0], "00" * 8, job[7], f"{nonce:08x}"])


async def jobs_of_others(peer):
    await peer.log_in()
    for _ in range(20):
        name = f"{peer.dice.getrandbits(40):x}"
        await peer.call("mining.submit", ["hostile", name, "00" * 8, "00000000", "00000000"])


async def shares_of_others(peer):
    job = await peer.log_in()
    await peer.call("mining.submit", ["somebody", job[0], "00" * 8, job[7], "00000000"])


KINDS = {  # each with the reason that the server notes; any of several where the client meets several limits
    half_a_line: ("half a line",),
    ten_megabytes_in_a_line: ("line too long",),
    id_of_ten_megabytes: ("line too long",),
    deep_json: ("too many malformed lines",),
    flood_of_pings: ("too many messages", "not authorized in time"),
    flood_of_long_lines: ("too many messages", "takes no answers", "not authorized in time"),
    flood_of_blank_lines: ("too many messages",),
    takes_no_answers: ("takes no answers", "not authorized in time"),
    connects_and_leaves: ("closed before it was authorized",),
    resets_the_connection: ("half a line",),
    binary: ("too many malformed lines",),
    http: ("speaks HTTP",),
    tls: ("speaks TLS",),
    slow_loris: ("not authorized in time",),
    silence: ("not authorized in time",),
    line_not_ended_after_login: ("line not ended in time",),
    submits_before_it_subscribes: ("share: unauthorized",),
    wrong_types: ("share: malformed",),
    no_json_numbers: ("too many malformed lines",),
    unknown_methods: ("unsupported method",),
    many_workers: ("too many workers",),
    bits_outside_the_mask: ("share: mask_violation",),
    clock_a_day_off: ("share: ntime_out_of_range",),
    same_share_again: ("share: duplicate",),
    jobs_of_others: ("share: unknown_job",),
    shares_of_others: ("share: unauthorized",),
}


async def attack(kind, address, seed, source):
    """Run one session of a kind to its end, from an address on loopback."""
    dice = random.Random(seed)
    reader, writer = await asyncio.open_connection(*address, limit=1 << 22, local_addr=(source, 0))
    try:
        await kind(Peer(reader, writer, dice))
    except LOST:
        pass  # the server has closed the connection
    finally:
        writer.close()
        with contextlib.suppress(*LOST):
            await writer.wait_closed()
