"""The common part of plugs: the channel, the login, and one request for each reading."""

import time
from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from bench.meters.errors import MeterError
from bench.meters.kinds.plugs.channels import ALL, Channel, Channels, added, choose
from bench.meters.plausible import NOTHING, Evidence
from bench.meters.protocol import Found, Meter, MeterInfo, MeterKind, MeterKindEntry, MeterOptions, Tier
from bench.meters.settings import Stated, read_stated
from bench.meters.stream import PolledMeter
from bench.network.errors import ReadFailedError
from bench.network.http import Device, LoginNeededError, LoginRefusedError, NoPowerError, parse_host
from bench.network.login import SETTINGS, Login, password_missing, read_login
from bench.network.reach import SETTING as PUBLIC
from bench.network.reach import check_private
from hardware_profiles.errors import InputError

TIMEOUT_S = 2.0  # [s] over one whole request


class Plug(PolledMeter):
    """A wall meter that reports its present power [W] over HTTP."""

    kind_name = "plug"
    cheap_reads = False

    def __init__(  # noqa: PLR0913, PLR0917 (the parts of one spec)
        self,
        host: str,
        port: int,
        stated: Stated,
        channel: str | None = None,
        login: Login | None = None,
        reach: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.address = f"{self.kind_name}:{host}" + (f":{port}" if port != 80 else "")
        name = self.address + (f",channel={channel}" if channel else "")
        info = stated.power_meter(name, domain=self.address, scope="all that is plugged in")
        super().__init__(replace(info, channel=channel or ""), clock)
        self.device = Device(host, port, login)
        self._requested = channel
        self._reach = dict(reach or {})
        self._refused = ""
        self._read: tuple[Channel, ...] = ()
        self._evidence = NOTHING

    @abstractmethod
    def find_channels(self) -> Channels:
        """Ask the device which channels it measures.

        Raises
        ------
        ReadFailedError
            It does not answer as such a device does.
        """

    def ask(self, path: str) -> Any:
        """Return the JSON answer to one request."""
        return self.device.get_json(path, TIMEOUT_S)

    def connect(self) -> MeterInfo:
        """Ask for the channels, choose one and read it once, so that a wrong address is noticed before the run."""
        place = f"--meter {self._info.name}"
        try:
            check_private(self.device.remote, self._reach, place, TIMEOUT_S)
            channels = self.find_channels()
            self._read = choose(place, channels, self._requested)
            self.read_once()
        except LoginNeededError:
            raise password_missing(place) from None
        except LoginRefusedError as error:
            raise InputError(
                f"{place}: key password_file: expected the user and password of the device, got {error}"
            ) from None
        except NoPowerError as error:
            raise MeterError(f"meter {self._info.name}: {error}") from None
        except ReadFailedError as error:
            if error.code == "bad_sample":
                raise InputError(f"{place}: first readings: {error}") from None
            raise MeterError(
                f"meter {self._info.name}: {error}; check the address in a browser and that local HTTP access is on"
            ) from None
        return self._described(channels)

    def read_once(self) -> tuple[float, tuple[object, ...] | None, tuple[str, ...]]:
        """Return power [W], the other electrical figures of the answer as the token, no codes."""
        if self._refused:
            raise ReadFailedError(self._refused)
        try:
            answers = {path: self.ask(path) for path in dict.fromkeys(channel.path for channel in self._read)}
        except LoginRefusedError as error:
            self._refused = f"{error}; it is not asked again, because a device may lock an account after a few refusals"
            raise
        sample = added([channel.read(answers[channel.path]) for channel in self._read])
        self._evidence = sample.evidence
        return sample.power_w, sample.token, ()

    def evidence(self) -> Evidence:
        """Return volts, amps, phases and counter of the last answer."""
        return self._evidence

    def _described(self, channels: Channels) -> MeterInfo:
        """Return the description with the channel that is read; a plug of one channel is its own domain."""
        if len(channels.each) == 1:
            return replace(self._info, channel="")
        is_whole = self._read == channels.whole
        covered = channels.each if is_whole else self._read
        labels = ", ".join(channel.label or channel.name for channel in self._read)
        if is_whole:
            scope = f"the sum of {len(covered)} {'phases' if channels.phases else 'channels'} ({labels})"
        else:
            scope = f"all behind channel {labels}"
        return replace(
            self._info,
            channel=ALL if is_whole else self._read[0].name,
            scope=scope,
            domains=tuple(f"{self.address}/{channel.label or channel.name}" for channel in covered),
        )


def entry(kind: type[Plug], summary: str) -> MeterKindEntry:
    """Return the entry of one kind of plug."""

    def make(target: str, settings: dict[str, str], options: MeterOptions) -> Meter:
        place = f"--meter {kind.kind_name}"
        if not target:
            raise InputError.at(place, expected=f"an address, as in {kind.kind_name}:192.168.1.20")
        host, port = parse_host(target, place)
        spec = f"{kind.kind_name}:{target}"
        login = read_login(f"--meter {spec}", settings)
        stated = read_stated(spec, settings, options, boundary="wall", more=("channel", PUBLIC, *SETTINGS))
        return kind(host, port, stated, settings.get("channel"), login, settings)

    def find() -> list[Found]:
        return [
            Found(
                kind.kind_name,
                MeterKind.POWER,
                "wall",
                Tier.C,
                usable=False,
                reason="no address was stated; plugs are not searched for",
                cure=f"perwatt run --meter {kind.kind_name}:HOST (add ,accuracy=1% if the maker states it)",
                spec=f"{kind.kind_name}:HOST",
            )
        ]

    return MeterKindEntry(kind.kind_name, summary, make, find)
