"""A work server in a process of its own: it prints its port, then one report for each line of limits that it reads."""

import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

from bench.stratum.limits import Limits
from bench.stratum.server import ServerOptions
from bench.stratum.thread import WorkServer
from doubles.crowded import LONG_S

HALF_MEET_IT = 2.0**-31  # difficulty that half of all hashes meet


class ServerProcess:
    """The process, as its parent sees it.

    Parameters
    ----------
    options
        Keys of ServerOptions; `limits` holds those of Limits.
    """

    def __init__(self, **options):
        root = Path(__file__).parents[3]
        environment = {**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{root / 'tests'}"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "doubles.stratum_clients.server", json.dumps(options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self.address = ("127.0.0.1", json.loads(self.process.stdout.readline())["port"])

    def report(self, **limits):
        """Return the present numbers of the server; limits are those of the connections that come from now on."""
        self.process.stdin.write(json.dumps(limits) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        """End the process and return its exit status."""
        self.process.stdin.close()
        self.process.stdout.close()
        return self.process.wait(LONG_S)


def report_of(server):
    """Return the numbers of a server."""
    population = server.population()  # first, so that the notices of all that have ended are there
    notices = server.notices()
    reasons = {}
    for notice in notices:
        reasons[notice.reason] = reasons.get(notice.reason, 0) + notice.count
    return {
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0,
        "cpu_s": time.process_time(),
        "accepted": population.accepted,
        "connected": population.connected,
        "working": population.working,
        "shares": server.shares.counts(0.0, 1e12),
        "reasons": reasons,
        "notices": len(notices),
    }


def main():
    """Serve until the input ends."""
    options = {"difficulty": HALF_MEET_IT, **json.loads(sys.argv[1])}
    options["limits"] = Limits(**options.get("limits", {}))
    with WorkServer(ServerOptions(**options)) as server:
        sys.stdout.write(json.dumps({"port": server.start("127.0.0.1", 0)[1]}) + "\n")
        sys.stdout.flush()
        for line in sys.stdin:
            changed = replace(server._server._options.limits, **json.loads(line))
            server._server._options = replace(server._server._options, limits=changed)
            sys.stdout.write(json.dumps(report_of(server)) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
