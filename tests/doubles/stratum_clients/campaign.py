"""A campaign of hostile clients of every kind against a work server in a process of its own, beside one honest miner.

`PYTHONPATH=.:tests python -m doubles.stratum_clients.campaign 10000` runs so many sessions and writes a table: sessions
of each kind, those that the server has noted, and the largest memory of its process.
"""

import asyncio
import random
import sys
import time
from dataclasses import dataclass, field

from doubles.stratum_clients.hostile import KINDS, Peer, attack, connects_and_leaves
from doubles.stratum_clients.server import ServerProcess

CONCURRENT = 200
PATIENT = {"subscribe_s": 600.0, "half_line_s": 600.0}  # [s] no client that is quick by itself meets a limit of time
IMPATIENT = {  # [s] by the reason of a client that outlasts a limit: short, so that it waits little
    "not authorized in time": {"subscribe_s": 1.0},
    "line not ended in time": {"half_line_s": 1.0},
}


@dataclass
class Outcome:
    """The result of one kind of client."""

    kind: str
    sessions: int
    noted: int  # sessions that the server has noted with the reason of this kind
    seconds: float


@dataclass
class Campaign:
    """The result of all kinds."""

    outcomes: list = field(default_factory=list)
    memory_mb: float = 0.0  # largest resident memory of the server's process
    start_mb: float = 0.0  # before the first client
    open_after: int = 0  # connections that are left, without the honest miner's
    honest: int = 0  # shares of the honest miner that were accepted
    honest_refused: int = 0
    faults: int = 0  # exceptions in the server
    notices: int = 0  # length of the server's list


async def mine_honestly(address, campaign, stop):
    """Submit shares of one miner, ten a second, until the campaign is over."""
    reader, writer = await asyncio.open_connection(*address)
    peer = Peer(reader, writer, random.Random())
    peer.job = await peer.log_in("honest")
    number = 0
    while not stop.is_set():
        number += 1
        share = ["honest", peer.job[0], f"{number:016x}", peer.job[7], "00000000"]
        answer = await peer.call("mining.submit", share)
        if answer["result"]:
            campaign.honest += 1
        elif answer["error"][0] != 23:  # half of the hashes are above the target
            campaign.honest_refused += 1
        await asyncio.sleep(0.1)
    writer.close()


async def run_campaign(server, sessions, concurrent=CONCURRENT):
    """Run about so many sessions, the same number of every kind, and return what came of them."""
    campaign, stop = Campaign(start_mb=server.report()["memory_mb"]), asyncio.Event()
    honest = asyncio.create_task(mine_honestly(server.address, campaign, stop))
    each = -(-sessions // len(KINDS))
    gate = asyncio.Semaphore(concurrent)

    async def gated(kind, number, seed):
        source = (
            f"127.{number + 1}.{seed >> 8}.{(seed & 255) or 255}" if kind is not connects_and_leaves else "127.0.0.9"
        )
        async with gate:
            await asyncio.wait_for(attack(kind, server.address, seed, source), 600.0)

    for number, (kind, reasons) in enumerate(KINDS.items()):
        limits = next((IMPATIENT[reason] for reason in reasons if reason in IMPATIENT), {})
        before, start = await settled(server, 1 + number * each, **{**PATIENT, **limits}), time.monotonic()
        await asyncio.gather(*(gated(kind, number, seed) for seed in range(each)))
        after = await settled(server, 1 + (number + 1) * each)
        noted = sum(after["reasons"].get(reason, 0) - before["reasons"].get(reason, 0) for reason in reasons)
        campaign.outcomes.append(Outcome(kind.__name__, each, noted, time.monotonic() - start))
    stop.set()
    await honest
    last = await settled(server, 1 + len(KINDS) * each, connections=0)
    campaign.memory_mb, campaign.open_after = last["memory_mb"], last["connected"]
    campaign.faults = last["reasons"].get("fault of the server", 0)
    campaign.notices = last["notices"]
    return campaign


async def settled(server, accepted, connections=1, **limits):
    """Return the server's report once it has accepted so many connections and only so many are left."""
    for _ in range(2400):
        report = await asyncio.to_thread(server.report, **limits)
        if report["accepted"] >= accepted and report["connected"] <= connections:
            break
        await asyncio.sleep(0.05)
    return report


def main():
    """Run the campaign and write its table."""
    server = ServerProcess(limits=PATIENT)
    campaign = asyncio.run(run_campaign(server, int(sys.argv[1])))
    status = server.close()
    write = sys.stdout.write
    for outcome in campaign.outcomes:
        write(f"| {outcome.kind.replace('_', ' ')} | {outcome.sessions} | {outcome.noted} | {outcome.seconds:.1f} |\n")
    write(f"sessions {sum(o.sessions for o in campaign.outcomes)}, noted {sum(o.noted for o in campaign.outcomes)}\n")
    write(f"{campaign}\nexit status of the server {status}\n".replace(repr(campaign.outcomes), "..."))


if __name__ == "__main__":
    main()
