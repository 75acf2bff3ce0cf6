"""Hostile clients are noted and cost an honest miner nothing; a crowd of plain ones is held."""

import asyncio

from doubles.stratum_clients.campaign import PATIENT, run_campaign
from doubles.stratum_clients.crowd import hold
from doubles.stratum_clients.hostile import KINDS
from doubles.stratum_clients.server import ServerProcess


def test_hundreds_of_hostile_sessions_are_all_noted_and_cost_an_honest_miner_nothing():
    server = ServerProcess(limits=PATIENT)
    try:
        campaign = asyncio.run(run_campaign(server, 8 * len(KINDS), concurrent=64))
    finally:
        status = server.close()
    assert [(o.kind, o.noted) for o in campaign.outcomes if o.noted != o.sessions] == []
    assert (campaign.faults, campaign.open_after, campaign.honest_refused, status) == (0, 0, 0, 0)
    assert campaign.honest > 10
    assert campaign.memory_mb - campaign.start_mb < 100.0  # a worker of the tests has memory of its own
    assert campaign.notices <= 512 + len(KINDS)


def test_a_crowd_is_held_served_and_answered():
    async def run():
        crowd, held = await hold(server, 150, 2.0)
        for member in crowd:
            await member.leave()
        return held

    server = ServerProcess(notify_s=0.5)
    try:
        held = asyncio.run(run())
    finally:
        server.close()
    assert (held["connected"], held["working"]) == (150, 150)
    assert held["answered"] == held["sent"] > 0
    assert held["fewest_jobs"] > 1
