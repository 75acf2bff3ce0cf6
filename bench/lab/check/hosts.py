"""The check of one host: who answers, its clocks, its load, and the meters and miners that it must reach."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

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


class _Answers(NamedTuple):
    hello: Hello
    offset: ClockOffset | InputError
    look: LookAnswer


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
    host_key = ""
    try:
        if isinstance(reach, SshReach):
            host_key = reach.host_key()
        with reach.open() as channel:
            answers = _ask(channel, lab, host, limit_s)
    except HostError as error:
        return HostCheck(host.name, host_key=host_key, refusals=(Refusal(error.code, error.detail),))
    except InputError as fault:
        return HostCheck(host.name, host_key=host_key, refusals=(Refusal("wrong_answer", str(fault)[:500]),))
    refusals = (
        *_of_folder(answers.hello),
        *_of_clock(answers.offset, lab.clock_limit_s),
        *_of_load(answers.look),
        *_of_meters(answers.look, host),
    )
    offset = answers.offset if isinstance(answers.offset, ClockOffset) else None
    return HostCheck(host.name, answers.hello, host_key, offset, answers.look, refusals)


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


def _ask(channel: Channel, lab: Lab, host: Host, limit_s: float) -> _Answers:
    hello = validate(Hello, channel.ask("hello"), f"answer of {host.name}")
    offset: ClockOffset | InputError
    try:
        offset = look_at_clock(channel)
    except InputError as fault:
        offset = fault
    request = look_request(lab, host, limit_s).model_dump(mode="json")
    look = validate(LookAnswer, channel.ask("look", request, limit_s=limit_s), f"answer of {host.name}")
    return _Answers(hello, offset, look)


def _of_folder(hello: Hello) -> Iterator[Refusal]:
    if hello.folder_fault:
        yield Refusal("not_writable", hello.folder_fault)
    elif hello.room_bytes is not None and hello.room_bytes < LEAST_ROOM_BYTES:
        detail = f"expected {LEAST_ROOM_BYTES // MIB} MiB in {hello.folder}, got {hello.room_bytes // MIB} MiB"
        yield Refusal("disk_full", detail)


def _of_clock(offset: ClockOffset | InputError, limit_s: float) -> Iterator[Refusal]:
    if isinstance(offset, InputError):
        yield Refusal("clock_off", str(offset))
    elif abs(offset.utc_s) + offset.utc_bound_s > limit_s:
        detail = f"expected at most {limit_s:g} s, got {offset.utc_s:+.3f} s ± {offset.utc_bound_s:.3f} s"
        yield Refusal("clock_off", detail)


def _of_load(look: LookAnswer) -> Iterator[Refusal]:
    if not look.quiet.is_quiet:
        yield Refusal("not_quiet", look.quiet.detail)


def _of_meters(look: LookAnswer, host: Host) -> Iterator[Refusal]:
    for seen in look.meters:
        if seen.fault and seen.spec in host.meters:
            yield Refusal("meter_missing", seen.fault)
