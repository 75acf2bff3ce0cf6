"""AMD graphics cards through AMD SMI: the energy accumulator, in steps whose size the card itself states.

References
----------
AMD SMI library, amdsmi_get_energy_count: the energy is the accumulator times the resolution of the same answer [µJ].
"""

import contextlib
import io
import time
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from bench.meters.counters import Unwrapper
from bench.meters.errors import MeterError
from bench.meters.protocol import Found, Meter, MeterInfo, MeterKind, MeterKindEntry, MeterOptions, Tier
from bench.meters.settings import read_stated
from bench.meters.stream import PolledMeter
from bench.meters.system_files import system_path
from bench.network.errors import ReadFailedError

PLAUSIBLE_W = 5000.0  # [W] more than a card draws
PERIOD_S = 0.1  # [s] taken for the update period, which AMD does not state
_NO_COUNT = (0, 2**32 - 1, 2**64 - 1)  # values of cards that do not count
_INSTALL = "install ROCm's amdsmi of the installed driver, or use --meter hwmon:amdgpu (power)"
_POWER = "use --meter hwmon:amdgpu (power), or meter the machine at the wall: --meter shelly:HOST"


class AmdSmi(PolledMeter):
    """The energy accumulator of one card."""

    def __init__(
        self,
        target: str = "0",
        *,
        period_s: float = PERIOD_S,
        smi: Any = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(
            MeterInfo(
                name=f"amdsmi:{target}",
                kind=MeterKind.COUNTER,
                boundary="board",
                tier=Tier.C,
                accuracy_frac=None,
                accuracy_source="none stated by the maker",
                period_s=period_s,
                poll_s=period_s,
                domains=(f"amdsmi:{target}",),
                scope="energy accumulator of the card",
                covers=("gpu:other",),
            ),
            clock,
        )
        self._target = target
        self._smi = smi
        self._handle: Any = None
        self._step_uj = 0.0
        self._unwrapper = Unwrapper((), PLAUSIBLE_W)

    def connect(self) -> MeterInfo:
        """Find the card, and the size of its accumulator's steps."""
        try:
            self._smi = self._smi or load()
            self._smi.amdsmi_init()
            self._handle = self._find()
            address = str(self._smi.amdsmi_get_gpu_device_bdf(self._handle))
            count, self._step_uj = self._count()
        except MeterError:
            raise
        except Exception as error:  # noqa: BLE001 (AmdSmiException is a class of the optional package)
            raise MeterError(f"meter {self._info.name}: {_words(error)}; {_POWER}") from None
        if count in _NO_COUNT or not self._step_uj > 0.0:
            raise MeterError(f"meter {self._info.name}: this card has no energy accumulator; {_POWER}")
        return replace(
            self._info,
            domains=(f"amdsmi:{address}",),
            scope=f"energy accumulator of the card {address}, in steps of {self._step_uj:.6g} µJ as it states",
        )

    def disconnect(self) -> None:
        """Shut down AMD SMI."""
        with contextlib.suppress(Exception):
            self._smi.amdsmi_shut_down()

    def read_once(self) -> tuple[float, None, tuple[str, ...]]:
        """Return the joules since the first reading."""
        try:
            count, step_uj = self._count()
        except Exception as error:  # noqa: BLE001 (as above)
            raise ReadFailedError(f"{self._info.name}: {_words(error)}") from None
        if step_uj != self._step_uj:
            raise ReadFailedError(f"{self._info.name}: its step is {step_uj:.6g} µJ and was {self._step_uj:.6g} µJ")
        joules, codes = self._unwrapper.add(self._clock(), count * step_uj * 1e-6)
        return joules, None, codes

    def _find(self) -> Any:
        handles = self._smi.amdsmi_get_processor_handles()
        if self._target.isdigit() and int(self._target) < len(handles):
            return handles[int(self._target)]
        addresses = [str(self._smi.amdsmi_get_gpu_device_bdf(handle)) for handle in handles]
        if self._target in addresses:
            return handles[addresses.index(self._target)]
        cards = ", ".join(f"{index} ({address})" for index, address in enumerate(addresses)) or "none"
        raise MeterError(f"meter {self._info.name}: there is no such AMD card; name one that AMD SMI lists: {cards}")

    def _count(self) -> tuple[int, float]:
        """Return the accumulator and the size of its step [µJ]."""
        answer = self._smi.amdsmi_get_energy_count(self._handle)
        return int(answer["energy_accumulator"]), float(answer["counter_resolution"])


def load() -> Any:
    """Return AMD SMI's binding, an optional package, which prints a line and raises KeyError if its library is missing.

    Raises
    ------
    ImportError
        The binding or its library is missing.
    """
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            return import_module("amdsmi")
    except (KeyError, OSError):
        raise ImportError("its library libamd_smi.so is missing") from None


def _words(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _make(target: str, settings: dict[str, str], options: MeterOptions) -> Meter:
    stated = read_stated("amdsmi", settings, options, boundary="board", period_s=PERIOD_S)
    return AmdSmi(target or "0", period_s=stated.period_s if "period" in settings else PERIOD_S)


def _find() -> list[Found]:
    """Return the cards of AMD, or nothing on a machine without one."""
    if find_spec("amdsmi") is None:
        if not system_path("/sys/module/amdgpu").exists():
            return []
        return [_refused("amdsmi:0", "the energy accumulators of AMD cards are not read: amdsmi is not installed")]
    try:
        smi = load()
        smi.amdsmi_init()
        count = len(smi.amdsmi_get_processor_handles())
        smi.amdsmi_shut_down()
    except Exception as error:  # noqa: BLE001 (AmdSmiException is a class of the optional package)
        return [_refused("amdsmi:0", f"AMD SMI cannot be used: {_words(error)}")]
    return [_listed(smi, index) for index in range(count)]


def _listed(smi: Any, index: int) -> Found:
    meter = AmdSmi(str(index), smi=smi)
    try:
        info = meter.connect()
    except MeterError as error:
        reason, _, cure = str(error).removeprefix(f"meter {meter.info.name}: ").partition("; ")
        return _refused(meter.info.name, reason, cure)
    finally:
        meter.disconnect()
    return Found(info.name, info.kind, info.boundary, info.tier, usable=True, spec=info.name, reads=info.scope)


def _refused(spec: str, reason: str, cure: str = _INSTALL) -> Found:
    return Found(spec, MeterKind.COUNTER, "board", Tier.C, usable=False, reason=reason, cure=cure, spec=spec)


ENTRY = MeterKindEntry("amdsmi", "AMD graphics cards: energy accumulator", _make, _find)
