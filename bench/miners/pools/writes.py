"""The pool that is set for a measurement, and one write to a miner."""

import re
from dataclasses import dataclass, field
from typing import Any, Literal

from hardware_profiles.errors import InputError

_HOST = re.compile(r"[A-Za-z0-9._-]{1,200}")
_USER = re.compile(r"[A-Za-z0-9._@+-]{1,100}")
ANY_PASSWORD = "x"  # noqa: S105 (what miners send where a pool asks for no password)


class PoolConflictError(InputError):
    """The pools of the miner are neither the former ones nor those that were set; nothing is changed."""


@dataclass(frozen=True, slots=True)
class Target:
    """The pool that is set for a measurement: our work server."""

    host: str
    port: int
    user: str

    def __post_init__(self) -> None:
        """Refuse what a firmware could misread.

        Raises
        ------
        InputError
            Host, port or user has other characters than those that every firmware takes.
        """
        if not _HOST.fullmatch(self.host):
            raise InputError.at("--set-pool", "host", expected="a host name or IPv4 address", got=self.host)
        if not 0 < self.port < 65536:
            raise InputError.at("--set-pool", "port", expected="a port from 1 to 65535", got=self.port)
        if not _USER.fullmatch(self.user):
            raise InputError.at("--set-pool", "user", expected="letters, digits and . _ @ + - only", got=self.user)

    @property
    def url(self) -> str:
        """The address with its scheme."""
        return f"stratum+tcp://{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Write:
    """One write: an HTTP request with JSON, or a command on port 4028 with its parameter."""

    says: str  # what it does, in words, without secrets
    method: Literal["PATCH", "POST", "DELETE", "4028"]
    place: str  # path or command
    body: Any = field(default=None, repr=False)  # JSON, or the parameter as text; it may hold passwords
    restarts: bool = False  # whether the miner then restarts: it does not answer for a while, and its counters restart
