"""The CPU time that the client takes for a chunk that is a read of its own, with all streams ready at once.

PYTHONPATH=.:tests python -m doubles.endpoint.client_cost 1000

A batching server writes a chunk to every stream in each step. Here the server's sockets are in the same process and
only the client's part is timed, so that other processes move the figure little.
"""

import asyncio
import gc
import resource
import socket
import sys
import time

from bench.endpoint.ceiling.null_server import Answer, chunk
from bench.endpoint.client.connection import Address, Connection, Intake
from bench.machine.processes import open_many_files

CHUNKS, CHUNK_BYTES = 60, 250  # of each stream
MESSAGE = b"POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
END = b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"


async def measure(streams):
    loop = asyncio.get_running_loop()
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    listener.setblocking(False)
    address, intake = Address("127.0.0.1", listener.getsockname()[1], "127.0.0.1"), Intake()
    requests = [asyncio.ensure_future(Connection(address, intake).request(MESSAGE, 600.0)) for _ in range(streams)]
    sockets = [(await loop.sock_accept(listener))[0] for _ in range(streams)]
    for one in sockets:
        await loop.sock_recv(one, 65536)
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        one.send(HEAD)
    data, last = chunk(Answer(chunk_bytes=CHUNK_BYTES)), chunk(Answer(chunk_bytes=CHUNK_BYTES), "length")
    spent_s = []
    for number in range(CHUNKS):
        for one in sockets:
            one.send(data if number + 1 < CHUNKS else last)
        before_s = time.process_time()
        for _ in range(4):
            await asyncio.sleep(0)
        spent_s.append((time.process_time() - before_s) / streams)
    for one in sockets:
        one.send(END)
    replies = [exchange.reply for exchange in await asyncio.gather(*requests)]
    reads = sum(len({chunk.time_ns for chunk in reply.chunks}) for reply in replies)
    spent_s.sort()
    sys.stdout.write(
        f"{streams} streams: {streams * CHUNKS} chunks in {reads} reads, us CPU a chunk: "
        f"least {spent_s[0] * 1e6:.1f}, median {spent_s[CHUNKS // 2] * 1e6:.1f}, "
        f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB, "
        f"{sorted({reply.outcome(CHUNKS) for reply in replies})}\n"
    )


def main():
    open_many_files()
    gc.disable()  # as in a process of the client
    for streams in map(int, sys.argv[1:] or ["1000"]):
        asyncio.run(measure(streams))


if __name__ == "__main__":
    main()
