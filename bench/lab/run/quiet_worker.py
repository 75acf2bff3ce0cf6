"""The Dask worker of a host under test: it wakes about once a second, instead of a hundred times."""

from typing import Any

from distributed import Worker

HEARTBEAT_S = 20.0
QUIET: dict[str, object] = {
    "distributed.worker.profile.enabled": False,
    "distributed.worker.memory.monitor-interval": "60s",
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": False,
    "distributed.admin.tick.interval": "10s",
    "distributed.admin.tick.limit": "60s",
    "distributed.admin.system-monitor.interval": "10s",
    "distributed.admin.system-monitor.gil.enabled": False,
}
"""Settings of Dask for the worker, which takes them from the process that starts it."""


NO_DASHBOARD: dict[str, Any] = {"dashboard": False, "dashboard_address": "127.0.0.1:0"}
"""Options without the dashboard; Dask's HTTP server then still runs, by default on port 8787 of all interfaces."""


class QuietWorker(Worker):  # type: ignore[misc]  # distributed has no types
    """A worker whose heartbeat stays slow: the scheduler asks for two a second, which is load on the host."""

    async def heartbeat(self) -> None:
        """Send one heartbeat, and wait long before the next."""
        await super().heartbeat()
        self.periodic_callbacks["heartbeat"].callback_time = 1000.0 * HEARTBEAT_S


def worker_options(name: str) -> dict[str, Any]:
    """Return the options of the worker of a host: one thread, no memory limit, no dashboard."""
    return {"name": name, "nthreads": 1, "memory_limit": 0, **NO_DASHBOARD}
