"""The errors of a server that cannot be measured."""

from bench.errors import RunFailedError
from bench.workloads.protocol import VerificationError


class ServerFailedError(RunFailedError):
    """The server ended no request well, or went away during the run."""

    code = "server_failed"


class ServerOverloadedError(RunFailedError):
    """The server ends too few requests, or sends no token for a whole window, at this load."""

    code = "server_overloaded"


class ServerSilentError(RunFailedError):
    """The server keeps its connections open and sends nothing more."""

    code = "server_silent"


class TokensNotCountedError(VerificationError):
    """The server states no number of output tokens."""

    code = "tokens_not_counted"
