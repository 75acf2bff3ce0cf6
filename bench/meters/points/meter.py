"""A meter of a table: one request for each reading, its figures in SI, and everything that they say of each other."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bench import limits
from bench.meters.counters import Unwrapper
from bench.meters.errors import MeterError
from bench.meters.plausible import NOTHING, SENTINELS, Evidence, Phase
from bench.meters.points.table import Point, Table
from bench.meters.points.transport import Raw, Transport
from bench.meters.points.words import explained
from bench.meters.protocol import EnergyReading, MeterInfo
from bench.meters.stream import PolledMeter
from bench.network.errors import ReadFailedError
from bench.network.http import CertificateUntrustedError, LoginNeededError, LoginRefusedError
from bench.network.login import password_missing
from hardware_profiles.errors import InputError, shown
from hardware_profiles.provenance import BOUNDARIES

_PHASE_FIELDS = {"volts": "volts", "amps": "amps", "power_factor": "power_factor", "apparent_power": "apparent_va"}


class PointMeter(PolledMeter):
    """A device whose points a table describes and a transport reads."""

    cheap_reads = False

    def __init__(  # noqa: PLR0913, PLR0917 (the parts of one meter)
        self,
        info: MeterInfo,
        table: Table,
        transport: Transport,
        places: Sequence[tuple[Point, Any]],
        digits: Mapping[int, Any],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(info, clock)
        self._table, self._transport = table, transport
        self._points = [point for point, _ in places]
        self._places = [place for _, place in places]
        self._digit_places = digits  # by the position of the point
        self._factors = [point.factor for point in self._points]
        self._unwrap: Unwrapper | None = None
        self._evidence = NOTHING
        self._raws: Sequence[Raw] = ()  # of the last answer
        self._refused = ""

    def connect(self) -> MeterInfo:
        """Connect, ask the device for its scales, and read every point once."""
        place = f"--meter {self._info.name}"
        try:
            self._transport.open()
            self._check_shared(place)
            self._read_digits()
            self._unwrap = self._unwrapper()
            self._read()
            self._info = self._averaged()
            self._unwrap = self._unwrapper()
        except LoginNeededError:
            self._transport.close()
            raise password_missing(place) from None
        except LoginRefusedError as error:
            self._transport.close()
            raise InputError(f"{place}: key password_file: expected the login of the device, got {error}") from None
        except CertificateUntrustedError as error:
            self._transport.close()
            expected = "the SHA-256 of the device's certificate, or ca_file= with its authority"
            raise InputError(f"{place}: key fingerprint: expected {expected}, got {error}") from None
        except ReadFailedError as error:
            self._transport.close()
            if error.code == "bad_sample":
                raise InputError(f"{place}: first readings: {error}") from None
            raise MeterError(f"meter {self._info.name}: {error}") from None
        except BaseException:
            self._transport.close()
            raise
        return self._info

    def read_once(self) -> tuple[float, tuple[object, ...] | None, tuple[str, ...]]:
        """Return the power [W] or the energy since the first reading [J], the other figures as the token, the codes."""
        if self._refused:
            raise ReadFailedError(self._refused)
        try:
            return self._read()
        except (LoginNeededError, LoginRefusedError) as error:
            self._refused = f"{error}; it is not asked again, because a BMC locks an account after a few refusals"
            raise ReadFailedError(self._refused) from None

    def energy(self, t0: float, t1: float) -> EnergyReading:
        """Return the energy from t0 to t1 [s, monotonic]; an attribution is never energy."""
        energy = super().energy(t0, t1)
        if not self._table.attribution:
            return energy
        estimate = "" if energy.mean_power_w is None else f"its estimate is {energy.mean_power_w:.4g} W"
        return replace(energy.judged(("power_attributed",)), detail=estimate or energy.detail)

    def evidence(self) -> Evidence:
        """Return volts, amps, phases and counter of the last answer."""
        return self._evidence

    def explain(self) -> Sequence[str]:
        """Return one line for each figure of the last answer, and one more if no device has confirmed the scales."""
        figures = zip(self._points, self._raws, self._factors, strict=False)
        lines = [
            explained(point, raw, factor, is_stated=position in self._digit_places)
            for position, (point, raw, factor) in enumerate(figures)
        ]
        return (*lines, f"unverified scale: {self._table.unverified}") if self._table.unverified else tuple(lines)

    def disconnect(self) -> None:
        """Release the connection."""
        self._transport.close()

    def _read(self) -> tuple[float, tuple[object, ...] | None, tuple[str, ...]]:
        """Return what `read_once` returns; a refused login goes through."""
        raws = self._raws = self._transport.read(self._places)
        asked_s = self._clock()
        figures = [
            (point, _figure(point, raw, factor, needed=point.quantity == self._table.reads))
            for point, raw, factor in zip(self._points, raws, self._factors, strict=True)
        ]
        self._check_state(raws)
        self._evidence = _evidence(figures, checks_counter=self._table.reads == "power")
        pairs = zip(self._points, raws, strict=True)
        token = tuple(raw for point, raw in pairs if point.quantity != self._table.reads) or None
        if self._table.reads == "power":
            return math.fsum(_all(figures, "power")), token, ()
        (energy_j,) = _all(figures, "energy")
        assert self._unwrap is not None  # set by connect
        joules, codes = self._unwrap.add(asked_s, energy_j)
        return joules, token, codes

    def _check_shared(self, place: str) -> None:
        """Refuse the power of a chassis as that of one of the servers that share it."""
        servers = self._transport.servers(self._places)
        if servers > 1 and BOUNDARIES.index(self._info.boundary) < BOUNDARIES.index("rack"):
            got = f"{self._info.boundary}, but {servers} servers share this chassis"
            raise InputError.at(place, "boundary", expected="boundary=rack", got=got)

    def _read_digits(self) -> None:
        """Ask the device how many decimal digits its raw values have."""
        for position, place in self._digit_places.items():
            (raw,) = self._transport.read([place])
            if raw is None and self._points[position].quantity != self._table.reads:
                continue  # the device lacks the point too
            if raw is None:
                point = self._points[position].quantity
                raise ReadFailedError(
                    f"the point {point}: the device states no digits for it; check the table and its settings",
                    "bad_sample",
                )
            if not isinstance(raw, int) or isinstance(raw, bool) or not 0 <= raw <= 9:
                raise ReadFailedError(
                    f"expected the number of decimal digits, 0 to 9, from the device, got {raw!r}", "bad_sample"
                )
            self._factors[position] = self._points[position].factor / 10.0**raw

    def _averaged(self) -> MeterInfo:
        """Return the description with the averaging time that the device prints, unless it is one of its statistics."""
        printed = [
            float(raw) * factor
            for point, raw, factor in zip(self._points, self._raws, self._factors, strict=True)
            if point.quantity == "averaging" and isinstance(raw, int | float)
        ]
        known = [self._info.averaging_s, *(time_s for time_s in printed if time_s <= limits.LONGEST_AVERAGING_S)]
        return replace(self._info, averaging_s=max(known))

    def _unwrapper(self) -> Unwrapper | None:
        if self._table.reads != "energy" or self._table.most_power_w is None:
            return None
        position = next(i for i, point in enumerate(self._points) if point.quantity == "energy")
        wraps_at = self._points[position].wraps_at
        moduli = () if wraps_at is None else (wraps_at * self._factors[position],)
        return Unwrapper(moduli, self._table.most_power_w)

    def _check_state(self, raws: Sequence[Raw]) -> None:
        """Refuse a reading that the device itself calls inactive."""
        for point, raw in zip(self._points, raws, strict=True):
            if point.quantity == "active" and str(raw) not in point.active:
                got = "no value" if raw is None else shown(str(raw))
                raise ReadFailedError(
                    f"expected {' or '.join(point.active)}, got {got}: no power is measured there",
                    "bad_sample",
                )


def _figure(point: Point, raw: Raw, factor: float, *, needed: bool) -> float | None:
    """Return the figure of a raw value in SI, or None where the point has none; what is only a check may be missing."""
    if point.quantity in {"time", "active"}:
        return None
    where = f"the point {point.quantity}{f' of {point.phase}' if point.phase else ''}"
    if raw is None or raw in point.absent:
        if needed:
            raise ReadFailedError(
                f"{where}: expected a number, got no value; check the table and its settings", "bad_sample"
            )
        return None
    try:
        number = float(raw)
    except (ValueError, OverflowError):  # an integer of hundreds of digits is no figure either
        number = math.nan
    if not math.isfinite(number):
        if needed:
            raise ReadFailedError(f"{where}: expected a number, got {shown(str(raw))}", "bad_sample")
        return None
    if needed and factor > 1.0 and number in SENTINELS:  # a smaller factor leaves the pattern to be seen in watts
        raise ReadFailedError(
            f"{where}: expected a number, got {number:.12g}, the pattern of a register without a value", "bad_sample"
        )
    return number * factor


def _all(figures: Sequence[tuple[Point, float | None]], quantity: str) -> list[float]:
    return [value for point, value in figures if point.quantity == quantity and value is not None]


def _evidence(figures: Sequence[tuple[Point, float | None]], *, checks_counter: bool) -> Evidence:
    """Return the figures beside the power, phase by phase, and the counter where it is not what is read."""
    phases: dict[str, dict[str, float]] = {}
    for point, value in figures:
        if value is not None and point.quantity in {"power", *_PHASE_FIELDS}:
            phases.setdefault(point.phase, {})[_PHASE_FIELDS.get(point.quantity, "power_w")] = value
    energies = _all(figures, "energy")
    described = tuple(Phase(name=name, **fields) for name, fields in phases.items() if "power_w" in fields)
    counter_j = math.fsum(energies) if energies and checks_counter else None
    return Evidence(phases=described, counter_j=counter_j)
