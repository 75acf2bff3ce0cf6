"""The check of one host: who answers, its clocks, its load, and the meters and miners that it must reach."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from bench.lab.check.result import HostCheck, Refusal
from bench.lab.clocks.exchange import exchanges_with
from bench.lab.clocks.offset import ClockOffset, offset_of
from bench.lab.errors import HostError
from bench.lab.host.jobs import LEAST_ROOM_BYTES
from bench.lab.inventory.lab import Host, Lab
from bench.lab.look.messages import LookAnswer, LookRequest, MinerAsked
from bench.lab.messages import Hello
from bench.lab.reach.protocol import Channel, Reach
from bench.lab.reach.ssh import SshReach
from hardware_profiles.errors import InputError
from hardware_profiles.opening import MIB
from hardware_profiles.reading import validate

CLOCK_LIMIT_S = 10.0  # [s] of one answer
SHARE_OF_QUIET = 0.25  # [-] of the time limit that may pass until a host has a quiet second


_ANSWER = "answer of the host"


def check_host(lab: Lab, host: Host, reach: Reach, limit_s: float) -> HostCheck:
    """Return the check of one host; what goes wrong is a reason, not an error.

    Parameters
    ----------
    lab
        The lab.
    host
        The host.
    reach
        The way to it.
    limit_s
        Time that its look at itself may take [s].
    """
    check = HostCheck(host.name)
    try:
        if isinstance(reach, SshReach):
            check = replace(check, host_key=reach.host_key())
        with reach.open() as channel:
            for step in (_hello, _clock, _look):
                check = step(check, channel, lab, limit_s)
    except HostError as error:
        return _refused(check, Refusal(error.code, error.detail))
    except InputError as fault:
        return _refused(check, Refusal("wrong_answer", str(fault)[:500]))
    return check


def look_request(lab: Lab, host: Host, limit_s: float) -> LookRequest:
    """Return what a host must look at: its own meters, those that it reads for others, and its miners with theirs."""
    miners = [miner for miner in lab.miners.values() if miner.measured_from == host.name]
    shared = [meter.spec for meter in lab.meters.values() if meter.read_by == host.name]
    specs = [*host.meters, *shared, *(spec for miner in miners for spec in miner.meters)]
    return LookRequest(
        meters=tuple(dict.fromkeys(specs)),
        miners=tuple(MinerAsked(name=miner.name, address=miner.address) for miner in miners),
        quiet_limit_s=SHARE_OF_QUIET * limit_s,
    )


def look_at_clock(channel: Channel) -> ClockOffset:
    """Return the offset of a host's clocks, from several round trips over one connection.

    Raises
    ------
    HostError
        The host does not answer.
    InputError
        Its answers agree with no offset: a clock was set in between.
    """

    def ask() -> Mapping[str, Any]:
        return channel.ask("clock", limit_s=CLOCK_LIMIT_S)

    return offset_of(exchanges_with(ask))


def _hello(check: HostCheck, channel: Channel, _lab: Lab, limit_s: float) -> HostCheck:
    hello = validate(Hello, channel.ask("hello", limit_s=limit_s), _ANSWER)
    return _refused(replace(check, hello=hello), *_of_folder(hello))


def _clock(check: HostCheck, channel: Channel, lab: Lab, _limit_s: float) -> HostCheck:
    try:
        offset = look_at_clock(channel)
    except InputError as fault:
        return _refused(check, Refusal("clock_off", str(fault)))
    return _refused(replace(check, offset=offset), *_of_clock(offset, lab.clock_limit_s))


def _look(check: HostCheck, channel: Channel, lab: Lab, limit_s: float) -> HostCheck:
    host = lab.hosts[check.name]
    request = look_request(lab, host, limit_s).model_dump(mode="json")
    look = validate(LookAnswer, channel.ask("look", request, limit_s=limit_s), _ANSWER)
    return _refused(replace(check, look=look), *_of_load(look), *_of_meters(look, host))


def _refused(check: HostCheck, *refusals: Refusal) -> HostCheck:
    return replace(check, refusals=(*check.refusals, *refusals))


def _of_folder(hello: Hello) -> Iterator[Refusal]:
    if hello.folder_fault:
        yield Refusal("not_writable", hello.folder_fault)
    elif hello.room_bytes is not None and hello.room_bytes < LEAST_ROOM_BYTES:
        detail = f"expected {LEAST_ROOM_BYTES // MIB} MiB in {hello.folder}, got {hello.room_bytes // MIB} MiB"
        yield Refusal("disk_full", detail)


def _of_clock(offset: ClockOffset, limit_s: float) -> Iterator[Refusal]:
    if abs(offset.utc_s) + offset.utc_bound_s > limit_s:
        detail = f"expected at most {limit_s:g} s, got {offset.utc_s:+.3f} s ± {offset.utc_bound_s:.3f} s"
        yield Refusal("clock_off", detail)


def _of_load(look: LookAnswer) -> Iterator[Refusal]:
    if not look.quiet.is_quiet:
        yield Refusal("not_quiet", look.quiet.detail)


def _of_meters(look: LookAnswer, host: Host) -> Iterator[Refusal]:
    for seen in look.meters:
        if seen.fault and seen.spec in host.meters:
            yield Refusal("meter_missing", seen.fault)
