"""The error of a meter that cannot be opened on this machine."""

from bench.errors import RunFailedError


class MeterError(RunFailedError):
    """A meter's source cannot be opened; `str()` is one line with the cure."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))
