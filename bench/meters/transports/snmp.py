"""SNMP version 2c and version 3: metered PDUs.

References
----------
RFC 3416 (get), RFC 3414 (users), RFC 7860 (SHA-2). pysnmp 7.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.meters.errors import MeterError
from bench.meters.points.entry import entry
from bench.meters.points.transport import Raw, Transport, TransportKind, check_keys
from bench.network.errors import ReadFailedError
from bench.network.http import LoginRefusedError
from bench.network.login import SETTINGS as LOGIN
from bench.network.login import read_login
from bench.network.reach import SETTING as PUBLIC
from bench.network.reach import check_private, remote_of
from bench.network.tcp import HostPort
from hardware_profiles.errors import InputError

PORT = 161
TIMEOUT_S = 2.0  # [s] of one request; UDP loses some, so that each is sent once more
RETRIES = 1
_NOTHING = {-1, 2**31 - 1, -(2**31), 2**32 - 1, 2**64 - 1}  # what agents send where they measure nothing
_OID = re.compile(r"\.?([0-9]+(?:\.[0-9]+)+)")
_AUTH = {"sha256": "usmHMAC192SHA256AuthProtocol", "sha512": "usmHMAC384SHA512AuthProtocol",
         "sha": "usmHMACSHAAuthProtocol", "md5": "usmHMACMD5AuthProtocol"}  # fmt: skip
_PRIVACY = {"aes": "usmAesCfb128Protocol", "aes256": "usmAesCfb256Protocol", "des": "usmDESPrivProtocol",
            "none": "usmNoPrivProtocol"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Access:
    """How an agent lets a reader in."""

    community: str = ""  # of version 2c
    user: str = ""  # of version 3
    password: str = ""
    auth: str = "sha256"
    privacy: str = "aes"


class Snmp(Transport):
    """One agent."""

    def __init__(self, remote: HostPort, access: Access, settings: Mapping[str, str], place: str) -> None:
        self.name = remote.host if remote.port == PORT else f"{remote.host}:{remote.port}"
        self._remote, self._access, self._settings, self._place = remote, access, settings, place
        self._loop: asyncio.AbstractEventLoop | None = None
        self._agent: Any = None

    def place_of(self, at: Mapping[str, Any]) -> str:
        """Return the object identifier of `{ oid = "1.3.6.1.4.1.318.1.1.26.4.3.1.5.1" }`."""
        check_keys(at, {"oid": str})
        match = _OID.fullmatch(at["oid"])
        if match is None:
            raise ValueError(f"expected an object identifier in numbers, got {at['oid']!r}")
        return match[1]

    def open(self) -> None:
        """Prepare the requests; SNMP has no connection."""
        try:
            from pysnmp.hlapi.v3arch import asyncio as snmp
        except ImportError:
            raise MeterError(f"{self._place}: needs pysnmp: pip install 'perwatt[meters]'") from None
        check_private(self._remote, self._settings, self._place, TIMEOUT_S)
        access = self._access
        if access.user:
            login = snmp.UsmUserData(
                access.user, access.password, None if access.privacy == "none" else access.password,
                authProtocol=getattr(snmp, _AUTH[access.auth]), privProtocol=getattr(snmp, _PRIVACY[access.privacy]),
            )  # fmt: skip
        else:
            login = snmp.CommunityData(access.community, mpModel=1)  # noqa: S508 (many PDUs know nothing better)
        self._loop = asyncio.new_event_loop()
        target = self._loop.run_until_complete(
            snmp.UdpTransportTarget.create((self._remote.host, self._remote.port), TIMEOUT_S, RETRIES)
        )
        self._agent = (snmp.SnmpEngine(), login, target, snmp.ContextData())

    def read(self, places: Sequence[str]) -> list[Raw]:
        """Return the values of one request."""
        from pysnmp.hlapi.v3arch import asyncio as snmp
        from pysnmp.smi.error import SmiError

        assert self._loop is not None  # set by open
        objects = [snmp.ObjectType(snmp.ObjectIdentity(place)) for place in places]
        try:
            error, status, index, answer = self._loop.run_until_complete(
                snmp.get_cmd(*self._agent, *objects, lookupMib=False)
            )
        except (OSError, SmiError, snmp.error.PySnmpError) as fault:
            raise ReadFailedError(f"{self.name}: {fault}") from None
        if error is not None:
            raise self._fault(str(error))
        if status:
            raise ReadFailedError(f"{self.name}: {places[int(index) - 1] if index else ''}: {status.prettyPrint()}")
        return [self._value(bound[1]) for bound in answer]

    def close(self) -> None:
        """Close the socket."""
        if self._loop is not None and not self._loop.is_closed():
            self._agent[0].close_dispatcher()
            self._loop.run_until_complete(asyncio.sleep(0))
            self._loop.close()

    def _fault(self, text: str) -> ReadFailedError:
        if "No SNMP response" in text:
            hint = "the community" if not self._access.user else "the address"
            return ReadFailedError(f"{self.name}: no answer in {TIMEOUT_S * (RETRIES + 1):g} s; check {hint}")
        if any(word in text.lower() for word in ("digest", "user", "decrypt", "security level", "authentication")):
            return LoginRefusedError(f"{self.name}: {text}")
        return ReadFailedError(f"{self.name}: {text}")

    @staticmethod
    def _value(value: Any) -> Raw:
        from pyasn1.type.univ import Integer, OctetString
        from pysnmp.proto.rfc1905 import EndOfMibView, NoSuchInstance, NoSuchObject

        if isinstance(value, NoSuchInstance | NoSuchObject | EndOfMibView):
            return None  # a smaller model of a family measures less
        if isinstance(value, Integer):
            return None if int(value) in _NOTHING else int(value)
        if isinstance(value, OctetString):
            return bytes(value).decode("utf-8", "replace").strip("\x00 ")
        return str(value.prettyPrint())


def _make(target: str, settings: Mapping[str, str], _table_settings: Mapping[str, Any], place: str) -> Snmp:
    remote = remote_of(target, place, PORT)
    for key, known in (("auth", _AUTH), ("privacy", _PRIVACY)):
        if key in settings and "user" not in settings:
            raise InputError.at(
                place, key, expected="user= with it, because only version 3 has users", got=settings[key]
            )
        if settings.get(key, next(iter(known))) not in known:
            raise InputError.at(place, key, expected=f"one of {', '.join(known)}", got=settings[key])
    login = read_login(place, settings, user="")
    if login is None:
        access = Access(community="public")
    elif login.user:
        access = Access(
            user=login.user, password=login.password,
            auth=settings.get("auth", "sha256"), privacy=settings.get("privacy", "aes"),
        )  # fmt: skip
        if len(login.password) < 8:
            raise InputError(
                f"{place}: key password_file: expected a password of at least 8 characters, as SNMP 3 wants, got fewer"
            )
    else:
        access = Access(community=login.password)
    return Snmp(remote, access, settings, place)


ENTRY = entry(
    TransportKind(
        "snmp", "a metered PDU over SNMP 2c or 3", "10.0.0.6", (*LOGIN, "auth", "privacy", PUBLIC), 1.0, _make
    )
)
