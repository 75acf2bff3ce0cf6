"""The error of one reading of a device."""


class ReadFailedError(Exception):
    """One reading failed; a meter stores a missing reading with this code and goes on."""

    def __init__(self, text: str, code: str = "read_failed") -> None:
        super().__init__(text)
        self.code = code  # its reason code
