"""The meters and miners of a host, each asked once."""

from bench.credentials import scrub_message
from bench.lab.look.messages import MeterSeen, MinerAsked, MinerSeen
from bench.lab_miner import ask
from bench.measure.energy import as_used
from bench.meters.errors import MeterError
from bench.meters.protocol import MeterKind
from bench.meters.registry import metering
from hardware_profiles.errors import InputError


def meter_seen(spec: str) -> MeterSeen:
    """Return what a meter shows at its first reading on this host, or why it shows nothing."""
    try:
        with metering([spec]) as (meter,):
            meter.mark()
            values = [reading.value for reading in meter.readings() if reading.value is not None]
            info = meter.info
    except (InputError, MeterError) as fault:
        return MeterSeen(spec=spec, fault=_line(fault))
    if info.kind is MeterKind.DECLARED:
        return MeterSeen(spec=spec, fault="it declares a power and measures nothing")
    is_power = info.kind is MeterKind.POWER
    return MeterSeen(spec=spec, meter=as_used(info), power_w=values[-1] if values and is_power else None)


def miner_seen(asked: MinerAsked) -> MinerSeen:
    """Return what a miner says of itself to this host, or why it does not answer."""
    try:
        answer = ask(asked.address, place=f"miner {asked.name}")
    except InputError as fault:
        return MinerSeen(name=asked.name, fault=_line(fault))
    if answer.reading is None:
        return MinerSeen(name=asked.name, fault=_line(answer.fault))
    return MinerSeen(name=asked.name, title=answer.title[:200])


def _line(fault: object) -> str:
    return scrub_message(" ".join(str(fault).split()))[:2000]
