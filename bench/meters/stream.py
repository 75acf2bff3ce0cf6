"""The common part of polled meters: a thread, a list of readings, and a limited wait at the end of a window."""

import math
import random
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace

from bench import limits
from bench.meters import plausible
from bench.meters.integrate import energy_of, max_gap_s, slower_words
from bench.meters.protocol import EnergyReading, MeterInfo, MeterKind, Reading
from bench.network.errors import ReadFailedError
from hardware_profiles.errors import InputError

LOST_AFTER_S = 3.0  # [s] longest wait for a reading after the end of a window
JITTER_FRAC = 0.2  # [-] random part of the time between two readings


class PolledMeter(ABC):
    """A meter that is read every `info.poll_s` seconds in a thread of its own.

    A subclass defines how to connect, read once and disconnect. The time between readings varies by ±20 %, so that they
    do not keep step with a sensor of the same period.
    """

    cheap_reads = True  # whether the runner may take a reading at each edge of a window

    def __init__(self, info: MeterInfo, clock: Callable[[], float] = time.monotonic) -> None:
        self._info = info
        self._clock = clock
        self._readings: list[Reading] = []
        self._own_counter: list[tuple[float, float]] = []  # the source's own energy counter: [s, monotonic], [J]
        self._products: list[tuple[float, float, plausible.Product]] = []  # [s, monotonic], power [W], V·A·PF of it
        self._reading_now = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.last_error = ""
        self.polling_s = 0.0  # [s] CPU time of the thread so far

    @abstractmethod
    def connect(self) -> MeterInfo:
        """Open the source and return the final description.

        Raises
        ------
        MeterError
            The source cannot be opened on this machine.
        """

    @abstractmethod
    def read_once(self) -> tuple[float, tuple[object, ...] | None, tuple[str, ...]]:
        """Return the value [J or W], the token and the codes of one reading.

        Raises
        ------
        ReadFailedError
            There is no usable answer.
        """

    def evidence(self) -> plausible.Evidence:
        """Return what the answer of the last `read_once` says beside its value; nothing by default."""
        return plausible.NOTHING

    def disconnect(self) -> None:  # noqa: B027 (most sources need nothing)
        """Release the source; does nothing by default."""

    @property
    def info(self) -> MeterInfo:
        """The description of the meter; final after `open`."""
        return self._info

    def open(self) -> None:
        """Connect, take the first readings until one is plausible, and start the thread.

        Raises
        ------
        InputError
            No first reading is plausible (method rule 22).
        """
        self._stop.clear()
        self._info = self.connect()
        try:
            self._take_first()
            thread = threading.Thread(target=self._poll, name=f"meter {self._info.name}", daemon=True)
            thread.start()
        except BaseException:
            self.disconnect()
            raise
        self._thread = thread

    def close(self) -> None:
        """Stop the thread, then release the source."""
        self._stop.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(timeout=5.0)
            self.disconnect()

    def take_period(self, period_s: float) -> None:
        """Take an update period [s] that is longer than the stated one."""
        averaging_s = max(self._info.averaging_s, period_s)
        self._info = replace(self._info, period_s=period_s, averaging_s=averaging_s)

    def readings(self) -> Sequence[Reading]:
        """Return every reading so far, in order of time."""
        return tuple(self._readings)

    def mark(self) -> None:
        """Take one reading now if that is cheap."""
        if self.cheap_reads:
            self.take()

    def take(self) -> None:
        """Take one reading now, in the calling thread."""
        with self._reading_now:
            before = self._clock()
            value: float | None = None
            token: tuple[object, ...] | None = None
            try:
                value, token, codes = self.read_once()
                codes = (*codes, *self._codes_of(value))
            except ReadFailedError as error:
                value = None
                codes = (error.code,)
                self.last_error = str(error)
            except Exception as error:  # noqa: BLE001 (a third party's meter must not end the run)
                value, codes = None, ("read_failed",)
                self.last_error = f"{type(error).__name__}: {error}"
            after = self._clock()
            # The source took its value at some moment between request and answer.
            t_s = (before + after) / 2.0
            if value is not None:
                self._keep_evidence(t_s, value)
            self._readings.append(Reading(t_s, time.time() - (after - t_s), value, token, codes))

    def energy(self, t0: float, t1: float) -> EnergyReading:
        """Return the energy from t0 to t1 [s, monotonic]; wait a limited time for the first reading after t1."""
        self._wait_past(t1)
        readings = self.readings()
        energy = energy_of(self._info, readings, t0, t1)
        last_good_s = max((reading.t_s for reading in readings if reading.value is not None), default=-math.inf)
        if last_good_s < t1:
            return replace(energy.judged(("meter_lost",)), detail=self.last_error)
        checked = self._checked_by_counter(self._checked_by_product(energy, t0, t1), t0, t1)
        if self._info.kind is not MeterKind.POWER or not {"too_few_samples", "sample_gap"} & set(checked.reasons):
            return checked
        inside = [reading for reading in readings if t0 <= reading.t_s <= t1]
        return replace(checked, detail=slower_words(self._info, inside) or checked.detail)

    def _keep_evidence(self, t_s: float, value: float) -> None:
        evidence = self.evidence()
        if evidence.counter_j is not None:
            self._own_counter.append((t_s, evidence.counter_j))
        product = plausible.product_of(evidence.phases)
        if product is not None:
            self._products.append((t_s, value, product))

    def _take_first(self) -> None:
        doubt = ""
        for position in range(limits.FIRST_READINGS):
            if position:
                self._stop.wait(self._info.poll_s or self._info.period_s)
            self.take()
            last = self._readings[-1]
            if last.value is None:
                doubt = self.last_error if "bad_sample" in last.codes else ""
                continue
            is_power = self._info.kind is MeterKind.POWER
            doubt = plausible.doubt_of_first(last.value, self.evidence()) if is_power else ""
            if not doubt:
                return
        if doubt:
            raise InputError(f"--meter {self._info.name}: first readings: {doubt}")

    def _codes_of(self, value: float) -> tuple[str, ...]:
        """Return the codes of a value.

        Raises
        ------
        ReadFailedError
            It is no reading.
        """
        if self._info.kind is not MeterKind.POWER:
            if not math.isfinite(value):
                raise ReadFailedError(f"expected a finite energy, got {value}", "bad_sample")
            return ()
        evidence = self.evidence()
        fault = plausible.fault_of_power(value, evidence)
        if fault:
            raise ReadFailedError(fault, "bad_sample")
        return plausible.codes_of_power(value, evidence)

    def _checked_by_product(self, energy: EnergyReading, t0: float, t1: float) -> EnergyReading:
        """Return the energy, without joules if volts, amps and power factor give another power."""
        inside = [(power_w, product) for t_s, power_w, product in self._products if t0 <= t_s <= t1]
        if not inside:
            return energy
        power_w = math.fsum(power_w for power_w, _ in inside) / len(inside)
        product = plausible.mean_product([product for _, product in inside])
        if not product.differs_from(power_w):
            return energy
        words = plausible.factor_words(power_w, product.power_w)
        detail = f"{product.name} of the meter gives {product.power_w:.4g} W, its watts {power_w:.4g} W{words}"
        return replace(energy.judged(("meter_disagreement",)), detail=detail)

    def _checked_by_counter(self, energy: EnergyReading, t0: float, t1: float) -> EnergyReading:
        """Return the energy, without joules if the source's own counter gives another power over the same time."""
        period_s = max(self._info.period_s, self._info.poll_s)
        first_s, last_s = t0 - 2.0 * period_s, t1 + 2.0 * period_s  # with a reading on both sides of each edge
        counter = [sample for sample in self._own_counter if first_s <= sample[0] <= last_s]
        power = [(r.t_s, r.value) for r in self.readings() if r.value is not None and first_s <= r.t_s <= last_s]
        slope = plausible.slope_of(counter, power, period_s)
        if slope is None:
            return energy
        detail = f"the meter's own counter gives {slope.counter_w:.4g} W, its watts {slope.power_w:.4g} W"
        if not slope.differs:
            return replace(energy, detail=detail)
        words = plausible.factor_words(slope.power_w, slope.counter_w)
        return replace(energy.judged(("meter_disagreement",)), detail=detail + words)

    def _wait_past(self, t1: float) -> None:
        deadline = t1 + max(LOST_AFTER_S, max_gap_s(self._info))
        while self._thread is not None and self._clock() < deadline:
            last_good = next((r for r in reversed(self._readings) if r.value is not None), None)
            if last_good is not None and last_good.t_s >= t1:
                return
            self._stop.wait(min(0.05, max(self._info.poll_s / 4.0, 0.001)))

    def _poll(self) -> None:
        poll_s = self._info.poll_s or self._info.period_s or 1.0
        spread = random.Random()  # noqa: S311 (spreads polls; guards nothing)
        due = self._clock()
        while True:
            due = max(due + poll_s * (1.0 + JITTER_FRAC * (2.0 * spread.random() - 1.0)), self._clock())
            if self._stop.wait(max(due - self._clock(), 0.0)):
                return
            self.take()
            self.polling_s = time.thread_time()
