"""One process of a load: it carries its slots or its schedule until its standard input ends, and reports in between."""

import asyncio
import contextlib
import gc
import os
import ssl
import sys
import time
from collections import defaultdict
from pathlib import Path

from pydantic import TypeAdapter

from bench.endpoint.client.connection import Address, Connection, Exchange, Intake
from bench.endpoint.client.requests import message
from bench.endpoint.figures.tokens import characters
from bench.endpoint.load.messages import Report, Request, Tokens, request_of
from bench.endpoint.load.plan import LoadPlan
from bench.machine.processes import open_many_files

REPORT_S = 0.1  # [s] between two reports
FAILED_PAUSE_S = 0.5  # [s] before a slot tries again after a failure that may come at once
_AT_ONCE = ("refused", "error_http", "empty", "malformed")
_TICK_S = 0.01  # [s]
_REPORT = TypeAdapter(Report)


class Worker:
    """The load of one process."""

    def __init__(self, plan: LoadPlan) -> None:
        tls = ssl.create_default_context(cafile=plan.ca_file or None) if plan.tls else None
        self._plan = plan
        self._address = Address(plan.service.host, plan.service.port, plan.ip, tls)
        self._intake = Intake()
        self._index = plan.first_index
        self._requests: list[Request] = []
        self._tokens: defaultdict[int, float] = defaultdict(float)
        self._connections: list[Connection] = []
        self._idle: list[Connection] = []  # those of an open loop without a request
        self._last_text_ns = 0
        self._in_flight = 0
        self._largest_lag_s = 0.0
        self._is_stopping = False
        self._counted_tokens, self._counted_characters = 0.0, 0  # of the replies that the server counts at their end

    async def run(self, stop: asyncio.Event) -> None:
        """Carry the load until `stop`, then report what is unfinished."""
        start_s = time.monotonic()
        tasks: set[asyncio.Future[None]] = set()
        if self._plan.slots:
            tasks |= {asyncio.ensure_future(self._slot(start_s + self._plan.stagger_s * n)) for n in self._plan.slots}
        else:
            tasks.add(asyncio.ensure_future(self._send_on_schedule(start_s, tasks)))
        reporter = asyncio.ensure_future(self._report_often())
        await stop.wait()
        self._is_stopping = True  # Python 3.11 drops a cancellation that comes together with the end of a reply
        reporter.cancel()
        for task in tasks:
            task.cancel()
        await asyncio.gather(reporter, *tasks, return_exceptions=True)
        self._report()

    async def _slot(self, start_s: float) -> None:
        """Send one request after the other."""
        await _sleep_until(start_s)
        connection = self._connection()
        while not self._is_stopping:
            outcome = await self._send(connection, time.monotonic_ns())
            if outcome in _AT_ONCE:
                await asyncio.sleep(FAILED_PAUSE_S)

    async def _send_on_schedule(self, start_s: float, tasks: set[asyncio.Future[None]]) -> None:
        """Begin each request at its time; `tasks` holds those under way."""
        for at_s in self._plan.arrivals_s:
            await _sleep_until(start_s + at_s)
            task = asyncio.ensure_future(self._send_at(start_s + at_s))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    async def _send_at(self, at_s: float) -> None:
        """Send one request of the schedule; its latency counts from the scheduled time, however late it is sent."""
        connection = self._idle.pop() if self._idle else self._connection()
        await self._send(connection, round(at_s * 1e9))
        self._idle.append(connection)

    def _connection(self) -> Connection:
        connection = Connection(self._address, self._intake)
        self._connections.append(connection)
        return connection

    async def _send(self, connection: Connection, start_ns: int) -> str:
        plan, index = self._plan, self._index
        self._index += plan.index_step
        length = plan.output_lengths[index % len(plan.output_lengths)]
        request = message(plan.service, plan.prompts.prompt(index), length)
        self._in_flight += 1
        try:
            exchange = await connection.request(request, plan.timeout_s)
        except asyncio.CancelledError:
            if connection.cut is not None:
                self._note(index, start_ns, connection.cut, length, unfinished=True)
            raise
        finally:
            self._in_flight -= 1
        self._note(index, start_ns, exchange, length, unfinished=False)
        return exchange.reply.outcome(length)

    def _note(self, index: int, start_ns: int, exchange: Exchange, length: int, *, unfinished: bool) -> None:
        request, tokens = request_of(
            index,
            start_ns,
            exchange.sent_ns,
            exchange.connect_ns,
            exchange.reply,
            length,
            unfinished=unfinished,
            tokens_per_character=self._counted_tokens / max(self._counted_characters, 1),
        )
        if request.source == "final_usage" and not unfinished:
            self._counted_tokens += request.output_tokens
            self._counted_characters += characters(exchange.reply)
        self._requests.append(request)
        if exchange.reply.chunks:
            self._last_text_ns = max(self._last_text_ns, exchange.reply.chunks[-1].time_ns)
        for token in tokens:
            self._tokens[token.bin] += token.tokens

    async def _report_often(self) -> None:
        """Report every REPORT_S, and watch in between how late the event loop is."""
        while not self._is_stopping:
            report_s = time.monotonic() + REPORT_S
            while time.monotonic() < report_s:  # a busy loop reports after fewer ticks, not later
                due_s = time.monotonic() + _TICK_S
                await asyncio.sleep(_TICK_S)
                self._largest_lag_s = max(self._largest_lag_s, time.monotonic() - due_s)
            self._report()

    def _report(self) -> None:
        under_way_ns = max((connection.last_text_ns for connection in self._connections), default=0)
        self._last_text_ns = max(self._last_text_ns, under_way_ns)
        report = Report(
            tuple(self._requests),
            tuple(Tokens(bin_, tokens) for bin_, tokens in sorted(self._tokens.items())),
            self._in_flight,
            time.process_time(),
            _waited_s(),
            self._largest_lag_s,
            self._last_text_ns,
        )
        self._requests.clear()
        self._tokens.clear()
        self._largest_lag_s = 0.0
        sys.stdout.buffer.write(_REPORT.dump_json(report) + b"\n")
        sys.stdout.buffer.flush()


def _waited_s() -> float:
    """Return for how long this process was ready and waited for a core [s]; 0 where the kernel does not say."""
    try:
        return int(Path("/proc/self/schedstat").read_text(encoding="ascii").split()[1]) * 1e-9
    except (OSError, ValueError, IndexError):
        return 0.0


async def _sleep_until(at_s: float) -> None:
    while (left_s := at_s - time.monotonic()) > 0.0:  # noqa: ASYNC110 (a time, no event)
        await asyncio.sleep(left_s)


async def _run(plan: LoadPlan) -> None:
    stop = asyncio.Event()

    def watch() -> None:
        if not os.read(sys.stdin.fileno(), 4096):
            stop.set()

    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), watch)
    await Worker(plan).run(stop)


def main() -> None:
    """Read the plan from the first line of standard input and carry it until the input ends."""
    open_many_files()
    gc.disable()  # a collection would stop the loop; the objects of a reply hold no circles
    plan = TypeAdapter(LoadPlan).validate_json(sys.stdin.buffer.readline())
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
        asyncio.run(_run(plan))
