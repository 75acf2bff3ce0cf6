"""The errors of a server that cannot be measured."""

from bench.errors import RunFailedError
from bench.workloads.protocol import VerificationError


class ServerFailedError(RunFailedError):
    """The server ended no request well, or went away during the run."""

    code = "server_failed"


class TokensNotCountedError(VerificationError):
    """The server states no number of output tokens."""

    code = "tokens_not_counted"
