"""The error of one host of a lab, which ends nothing but the work with that host."""

from bench.errors import RunFailedError
from bench.results.labs.reasons import sentence


class HostError(RunFailedError):
    """A host could not do what was asked of it; `str()` is one line.

    Parameters
    ----------
    host
        Name of the host.
    code
        Reason, from bench/results/labs/reasons.py.
    detail
        What the system or the host said.
    """

    def __init__(self, host: str, code: str, detail: str = "") -> None:
        self.host = host
        self.code = code
        self.detail = " ".join(detail.split())[:500]
        super().__init__(f"{host}: {sentence(code, self.detail)}")
