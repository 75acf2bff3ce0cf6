"""The CPU time that the client takes for a chunk, against a server in a process of its own that computes nothing.

PYTHONPATH=.:tests python -m doubles.endpoint.client_speed 10 200 1000
"""

import asyncio
import multiprocessing
import resource
import sys
import time

from bench.endpoint.client.connection import BUFFER_BYTES, Address, Connection
from doubles.endpoint.null_server import NullServer, Pace

TOKENS, TOKEN_S, REQUESTS = 200, 0.02, 3  # 50 tokens a second in each stream
MESSAGE = b"POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"


def serve(ports, stop):
    async def main():
        server = NullServer(Pace(TOKENS, TOKEN_S, 0.05))
        ports.put(await server.start())
        await asyncio.to_thread(stop.wait)
        server.stop()

    asyncio.run(main())


async def measure(port, streams):
    buffer = bytearray(BUFFER_BYTES)

    async def slot(number):
        await asyncio.sleep(number * TOKEN_S / streams)
        connection = Connection(Address("127.0.0.1", port, "127.0.0.1"), buffer)
        replies = [(await connection.request(MESSAGE, 120.0)).reply for _ in range(REQUESTS)]
        connection.close()
        return [(reply.outcome(TOKENS), len(reply.chunks), len({c.time_ns for c in reply.chunks})) for reply in replies]

    cpu_s, wall_s = time.process_time(), time.monotonic()
    done = [one for slot_done in await asyncio.gather(*map(slot, range(streams))) for one in slot_done]
    cpu_s, wall_s = time.process_time() - cpu_s, time.monotonic() - wall_s
    chunks, reads = sum(one[1] for one in done), sum(one[2] for one in done)
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(
        f"{streams} streams: {chunks} chunks in {reads} reads, {chunks / wall_s:,.0f} chunks/s, "
        f"{cpu_s / chunks * 1e6:.1f} us CPU a chunk, {memory_mb:.0f} MB, {sorted({one[0] for one in done})}\n"
    )


def main():
    context = multiprocessing.get_context("spawn")
    ports, stop = context.Queue(), context.Event()
    process = context.Process(target=serve, args=(ports, stop))
    process.start()
    port = ports.get()
    for streams in map(int, sys.argv[1:] or ["1000"]):
        asyncio.run(measure(port, streams))
    stop.set()
    process.join()


if __name__ == "__main__":
    main()
