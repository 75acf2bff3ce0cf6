"""A twin that listens on loopback in a thread of the test's own process, with a clock that the test steps."""

import asyncio
import json
import threading
from contextlib import closing, contextmanager
from dataclasses import replace
from http.client import HTTPConnection

from bench.twin.fleet import TwinOptions, build
from bench.twin.servers.serving import serve


class RunningTwin:
    def __init__(self, options):
        self.twin = build(options)
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        self.served = self.run(serve(self.twin, network=None))

    def run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(30.0)

    def address(self, index=0):
        return self.served.addresses[self.twin.units[index].name]

    def step(self, seconds):
        return self.twin.clock.step(seconds)

    def page(self, path, method="GET"):
        """Return a page, or the number of the status if it is not 200."""
        host, _, port = self.served.pages.partition(":")
        with closing(HTTPConnection(host, int(port), timeout=10.0)) as connection:
            connection.request(method, path)
            answer = connection.getresponse()
            body = answer.read()
            return json.loads(body) if answer.status == 200 else answer.status

    def close(self):
        self.run(self.served.sockets.close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


@contextmanager
def running_twin(**options):
    """Yield a twin of stepped time; the options are those of `TwinOptions`."""
    running = RunningTwin(replace(TwinOptions(units=1, speed=0.0), **options))
    try:
        yield running
    finally:
        running.close()
