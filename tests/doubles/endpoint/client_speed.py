"""The CPU time that the client takes for a chunk, against the null server in a process of its own.

PYTHONPATH=.:tests python -m doubles.endpoint.client_speed 10 200 1000
"""

import asyncio
import gc
import json
import resource
import sys
import time
from dataclasses import asdict

from bench.endpoint.ceiling.null_server import Answer
from bench.endpoint.client.connection import Address, Connection, Intake
from bench.machine.processes import start_python

TOKENS, TOKEN_S, REQUESTS = 200, 0.02, 3  # 50 tokens a second in each stream
ANSWER = Answer(TOKENS, token_s=TOKEN_S, first_token_s=0.05)
MESSAGE = b"POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
SERVER = "from bench.endpoint.ceiling.null_server import main\nmain()\n"


async def measure(port, streams):
    intake = Intake()

    async def slot(number):
        await asyncio.sleep(number * TOKEN_S / streams)
        connection = Connection(Address("127.0.0.1", port, "127.0.0.1"), intake)
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
    gc.disable()  # as in a process of the client
    process = start_python(SERVER, json.dumps(asdict(ANSWER)))
    port = int(process.stdout.readline())
    for streams in map(int, sys.argv[1:] or ["1000"]):
        asyncio.run(measure(port, streams))
    process.stdin.close()
    process.wait()


if __name__ == "__main__":
    main()
