"""The signals that end a program, for code that has to put something back before it ends."""

import contextlib
import signal
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

_ENDINGS = (signal.SIGTERM, signal.SIGHUP)
_Handler = Callable[[int, FrameType | None], None] | signal.Handlers


@contextlib.contextmanager
def endings_raise() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the body as Ctrl-C does; one that `nohup` or the parent ignores stays ignored."""

    def end(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    with _handlers({number: end for number in _ENDINGS if signal.getsignal(number) is not signal.SIG_IGN}):
        yield


@contextlib.contextmanager
def endings_wait() -> Iterator[None]:
    """Ignore Ctrl-C, SIGTERM and SIGHUP within the body."""
    with _handlers(dict.fromkeys((signal.SIGINT, *_ENDINGS), signal.SIG_IGN)):
        yield


@contextlib.contextmanager
def _handlers(wanted: dict[signal.Signals, _Handler]) -> Iterator[None]:
    """Install handlers for the body; outside the main thread nothing can be installed."""
    former: dict[signal.Signals, Any] = {}
    try:
        for number, handler in wanted.items():
            with contextlib.suppress(ValueError):
                former[number] = signal.signal(number, handler)
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
