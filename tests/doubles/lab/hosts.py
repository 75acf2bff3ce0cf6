"""Hosts of a lab in this process: each answers `hello`, `clock`, `look` and `load` as a test says."""

import time
from contextlib import contextmanager
from dataclasses import dataclass, field

from bench.lab.errors import HostError
from bench.lab.inventory.read import parse_lab
from bench.lab.look.messages import Load, LookAnswer, MeterSeen, MinerSeen, Quiet
from bench.lab.messages import DeviceSeen, Hello
from bench.measure.energy import as_used
from bench.meters.protocol import MeterInfo, MeterKind, Tier
from bench.results.labs.ending import Stamp

VERSION = "1.0+abc"


class VirtualTime:
    """A clock that moves when a test says so, and a little with each reading."""

    def __init__(self):
        self.now_s = 1000.0

    def monotonic(self):
        self.now_s += 1e-4
        return self.now_s

    def time(self):
        return 1_780_000_000.0 + self.monotonic()

    def advance(self, seconds):
        self.now_s += seconds


PDU = as_used(
    MeterInfo("shelly:192.0.2.9", MeterKind.POWER, "wall", Tier.B, 0.01, "its sheet", 1.0, 1.0, domains=("pdu",))
)


@dataclass
class FakeHost:
    """One host; what it answers can be changed at any time."""

    name: str
    host_id: str = "00000001"
    version: str = VERSION
    utc_off_s: float = 0.0
    monotonic_off_s: float = 0.0
    boot_id: str = "boot-1"
    is_quiet: bool = True
    room_bytes: int = 2**40
    folder_fault: str = ""
    gone: str = ""  # the code of the error of every request
    meter_faults: dict[str, str] = field(default_factory=dict)
    miner_faults: dict[str, str] = field(default_factory=dict)
    busy_s: float = 0.0
    time: object = time
    jobs: dict[str, dict] = field(default_factory=dict)  # that were started, by id
    stopped: list[str] = field(default_factory=list)
    busy_times: int = 0  # how often a start is refused because another job runs
    asked: list[str] = field(default_factory=list)

    @property
    def host(self):
        return self.name

    @contextmanager
    def open(self, **_limit):
        if self.gone:
            raise HostError(self.name, self.gone, "a test says so")
        yield self

    def ask(self, verb, request=None, **_limit):
        if self.gone:
            raise HostError(self.name, self.gone, "a test says so")
        self.asked.append(verb)
        if verb == "start" and self.busy_times:
            self.busy_times -= 1
            raise HostError(self.name, "busy")
        if verb == "start":
            self.jobs[request["job"]["id"]] = request["job"]
            return {"state": "running"}
        if verb == "stop":
            self.stopped.append(request["job"])
            return {"stopped": True}
        return getattr(self, f"_{verb}")(request or {}).model_dump(mode="json")

    def _stamp(self):
        return Stamp(
            utc_s=self.time.time() + self.utc_off_s,
            monotonic_s=self.time.monotonic() + self.monotonic_off_s,
            boot_id=self.boot_id,
        )

    def _hello(self, _request):
        return Hello(
            host_id=self.host_id, hostname=self.name, user="lab", perwatt_version=self.version,
            devices=(DeviceSeen(device="cpu", name="a CPU"), DeviceSeen(device="gpu:GPU-1", name="a GPU", index=0)),
            now=self._stamp(), folder="/lab", folder_fault=self.folder_fault, room_bytes=self.room_bytes,
        )  # fmt: skip

    def _clock(self, _request):
        return self._stamp()

    def _look(self, request):
        meters = [
            MeterSeen(spec=spec, fault=self.meter_faults[spec])
            if spec in self.meter_faults
            else MeterSeen(spec=spec, meter=PDU, power_w=412.5)
            for spec in request["meters"]
        ]
        miners = [
            MinerSeen(name=one["name"], title="Maker S21", fault=self.miner_faults.get(one["name"], ""))
            for one in request["miners"]
        ]
        quiet = Quiet(is_quiet=self.is_quiet, detail="" if self.is_quiet else "foreign_load: 40% of 8 cores")
        return LookAnswer(quiet=quiet, meters=tuple(meters), miners=tuple(miners))

    def _load(self, _request):
        now = self._stamp()
        return Load(busy_s=self.busy_s, cores=8, monotonic_s=now.monotonic_s, boot_id=self.boot_id)


def fake_hosts(*names):
    return {name: FakeHost(name, host_id=f"{index:08x}") for index, name in enumerate(names, 1)}


def lab_of(text, path):
    path.write_text(text)
    return parse_lab(text.encode(), path)
