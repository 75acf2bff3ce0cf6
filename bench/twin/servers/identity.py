"""Identities of simulated units: made from their names, in the range of addresses that no maker owns."""

from hashlib import sha256


def mac_address(name: str) -> str:
    """Return a locally administered MAC address."""
    digest = sha256(name.encode()).digest()
    return ":".join(f"{byte:02x}" for byte in (0x02, *digest[:5]))
