"""The sending of one write to a fake miner, and the reading of its pools, as a run does both."""

import json

from bench.miners.link import CGMINER, WEB, Address, Link
from bench.miners.wire import exchange
from bench.network.http import Device
from bench.network.tcp import HostPort

LIMIT_S = 120.0  # [s] for one write: a restart may compile the kernel of the simulated miner


def read_snapshot(pools, port):
    """Return the pools that a miner on loopback shows."""
    link = Link(Address("127.0.0.1"), {WEB: port, CGMINER: port})
    return pools.snapshot(
        {
            name: link.web(name, place) if pools.web else link.ask(name, {"command": place})
            for name, place in pools.replies
        }
    )


def carry_out(write, port):
    """Send one write once, and return what the miner answers."""
    if write.method == "4028":
        request = json.dumps({"command": write.place, "parameter": write.body}).encode()
        return exchange(HostPort("127.0.0.1", port), request, LIMIT_S)
    body = None if write.body is None else json.dumps(write.body).encode()
    return Device("127.0.0.1", port).ask(write.place, LIMIT_S, method=write.method, body=body).status
