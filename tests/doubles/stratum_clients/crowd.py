"""A crowd of plain miners: many connections that are held while jobs go out and shares come in.

`PYTHONPATH=.:tests python -m doubles.stratum_clients.crowd 1000 60` holds 1,000 connections for 60 s, then sends shares
over 10 of them as fast as the server takes them, and writes the server's numbers.
"""

import asyncio
import json
import os
import resource
import sys
import time

from doubles.crowded import LONG_S
from doubles.stratum_clients.server import ServerProcess

NOTIFY_S = 5.0
FREE = {"connections": 4_000, "messages_s": 1e9, "burst_messages": 1e9}
BATCH = 200  # shares that are on their way at once, of one connection


class Member:
    """One connection of the crowd."""

    def __init__(self, number):
        self.number, self.jobs, self.answers, self.job = number, 0, 0, None
        self.pushed, self.answered = asyncio.Event(), asyncio.Event()

    async def join(self, address):
        self.reader, self.writer = await asyncio.open_connection(*address, limit=1 << 20)
        for method, params in (
            ("mining.configure", [["version-rolling"], {"version-rolling.mask": "1fffe000"}]),
            ("mining.subscribe", ["crowd/1.0"]),
            ("mining.authorize", [f"w{self.number}", "x"]),
        ):
            self.writer.write(json.dumps({"id": 1, "method": method, "params": params}).encode() + b"\n")
        self.listening = asyncio.create_task(self.listen())
        await asyncio.wait_for(self.pushed.wait(), LONG_S)

    async def listen(self):
        while line := await self.reader.readline():
            if b'"method":"mining.notify"' in line:
                self.job = json.loads(line)["params"]
                self.jobs += 1
                self.pushed.set()
            else:
                self.answers += 1
                self.answered.set()

    def lines(self, count):
        """Return shares whose hashes nobody has looked at: half of them meet the difficulty."""
        texts = (
            f'{{"id":7,"method":"mining.submit","params":["w{self.number}","{self.job[0]}","{os.urandom(8).hex()}",'
            f'"{self.job[7]}","{os.urandom(4).hex()}","00002000"]}}\n'
            for _ in range(count)
        )
        return "".join(texts).encode()

    async def submit(self, until_s):
        while time.monotonic() < until_s:
            due = self.answers + BATCH
            self.writer.write(self.lines(BATCH))
            while self.answers < due:
                self.answered.clear()
                await self.answered.wait()

    async def leave(self):
        self.listening.cancel()
        self.writer.close()


async def hold(server, size, seconds):
    """Hold so many connections for a time, each with one share a notify; return what came of it."""
    crowd = [Member(number) for number in range(size)]
    for start in range(0, size, 100):
        await asyncio.gather(*(member.join(server.address) for member in crowd[start : start + 100]))
    joined, begin = await asyncio.to_thread(server.report), time.monotonic()
    answers = sum(member.answers for member in crowd)
    sent = 0
    while time.monotonic() < begin + seconds:
        for member in crowd:
            member.writer.write(member.lines(1))
        sent += size
        await asyncio.sleep(min(NOTIFY_S, seconds / 2.0))
    end_s = time.monotonic() + LONG_S
    while sum(member.answers for member in crowd) - answers < sent or min(member.jobs for member in crowd) < 2:
        if time.monotonic() > end_s:
            break
        await asyncio.sleep(0.05)
    report = await asyncio.to_thread(server.report)
    held = {
        "connected": report["connected"],
        "working": report["working"],
        "fewest_jobs": min(member.jobs for member in crowd),
        "sent": sent,
        "answered": sum(member.answers for member in crowd) - answers,
        "memory_mb": report["memory_mb"],
        "cpu_frac": (report["cpu_s"] - joined["cpu_s"]) / (time.monotonic() - begin),
        "reasons": report["reasons"],
    }
    return crowd, held


async def rush(server, members, seconds):
    """Send shares over some connections as fast as they are answered; return shares for each second of server CPU."""
    before = await asyncio.to_thread(server.report)
    await asyncio.gather(*(member.submit(time.monotonic() + seconds) for member in members))
    after = await asyncio.to_thread(server.report)
    counts = {name: count - before["shares"][name] for name, count in after["shares"].items()}
    return {
        "shares_per_cpu_s": sum(counts.values()) / (after["cpu_s"] - before["cpu_s"]),
        "shares_s": sum(counts.values()) / seconds,
        "counts": {name: count for name, count in counts.items() if count},
        "memory_mb": after["memory_mb"],
    }


async def main():
    """Hold a crowd, let some of it rush, and write the numbers."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, hard), hard))
    server = ServerProcess(limits=FREE, notify_s=NOTIFY_S)
    crowd, held = await hold(server, int(sys.argv[1]), float(sys.argv[2]))
    sys.stdout.write(f"held: {held}\n")
    sys.stdout.write(f"rush: {await rush(server, crowd[:10], 15.0)}\n")
    for member in crowd:
        await member.leave()
    server.close()


if __name__ == "__main__":
    asyncio.run(main())
