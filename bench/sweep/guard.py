"""The limit of temperature of a sweep: how hot a device may be, and the error that ends the sweep above it."""

from collections.abc import Callable

from bench.errors import RunFailedError
from bench.levers.held import Clock

LOOK_S = 10.0  # [s] time from one look at the temperature to the next
MARGIN_C = 5.0  # [°C] above the hottest reading as found


class TooHotError(RunFailedError):
    """The device is hotter than its limit."""

    code = "too_hot"


class Guard:
    """A limit of temperature that is looked at again and again, at most every LOOK_S.

    Parameters
    ----------
    hottest_c
        Returns the hottest reading of chips or boards [°C], or None where there is none.
    limit_c
        The limit [°C]; None takes the first reading and MARGIN_C: a sweep downwards only makes a device cooler.
    clock
        Of the looks.
    first_c
        The reading as found [°C].

    Raises
    ------
    TooHotError
        It is above the limit.
    """

    def __init__(
        self, hottest_c: Callable[[], float | None], limit_c: float | None, clock: Clock, first_c: float | None
    ) -> None:
        self._hottest_c, self._clock = hottest_c, clock
        self._looked_s = clock.now_s()
        self.limit_c = limit_c if limit_c is not None or first_c is None else first_c + MARGIN_C
        self._judge(first_c)

    def check(self) -> None:
        """Look if it is time to.

        Raises
        ------
        TooHotError
            The device is hotter than its limit.
        """
        now_s = self._clock.now_s()
        if self.limit_c is not None and now_s - self._looked_s >= LOOK_S:
            self._looked_s = now_s
            self._judge(self._hottest_c())

    def wait(self, seconds: float) -> None:
        """Let time pass, with looks at the temperature."""
        end_s = self._clock.now_s() + seconds
        while (left_s := end_s - self._clock.now_s()) > 0.0:
            self._clock.sleep(min(left_s, LOOK_S / 2.0))
            self.check()

    def _judge(self, hottest_c: float | None) -> None:
        if hottest_c is not None and self.limit_c is not None and hottest_c > self.limit_c:
            raise TooHotError(f"{hottest_c:.0f} °C, above the limit of {self.limit_c:.0f} °C")
