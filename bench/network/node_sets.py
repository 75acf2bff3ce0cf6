"""Node sets as admins write them: `gpu[01-40]` is gpu01 to gpu40."""

import re
from collections.abc import Sequence

from hardware_profiles.errors import InputError

MOST_NODES = 10_000
_TEXT = re.compile(r"[A-Za-z0-9._:@%\[\],-]*")
_RANGE = re.compile(r"(\d+)-(\d+)")


def expand(text: str, place: str) -> list[str]:
    """Return the names of a node set in its order, or the one name of a text without brackets.

    Parameters
    ----------
    text
        A name, or a node set in the grammar of ClusterShell without groups and set operators.
    place
        File and key, for error messages.

    Raises
    ------
    InputError
        The text is no node set, names nothing or too many nodes, or ClusterShell is not installed.
    """
    if not _TEXT.fullmatch(text) or not text:
        raise InputError(f"{place}: expected a name or a node set such as gpu[01-40], got {text!r}")
    if "[" not in text and "]" not in text:
        if "," in text:
            raise InputError(f"{place}: expected one name or one node set such as gpu[01-40], got {text!r}")
        return [text]
    user, at, nodes = text.rpartition("@")  # ClusterShell takes @ for a group
    for low, high in _RANGE.findall(nodes):
        if len(high) > 9 or int(high) - int(low) >= MOST_NODES:
            raise InputError(f"{place}: expected at most {MOST_NODES} names, got {text!r}")
    try:
        from ClusterShell.NodeSet import RESOLVER_NOGROUP, NodeSet, NodeSetException
    except ImportError:
        raise InputError(f"{place}: a node set needs ClusterShell: pip install 'perwatt[lab]'") from None
    try:
        names = NodeSet(nodes, resolver=RESOLVER_NOGROUP)
    except NodeSetException:
        raise InputError(f"{place}: expected a node set such as gpu[01-40], got {text!r}") from None
    if not 0 < len(names) <= MOST_NODES:
        raise InputError(f"{place}: expected 1 to {MOST_NODES} names, got {len(names):,} ({text!r})")
    return [f"{user}{at}{name}" for name in names]


def expand_beside(text: str, names: Sequence[str], place: str) -> list[str]:
    """Return one value for each of some names: those of a node set in their order, or the same text for all.

    Raises
    ------
    InputError
        As `expand`, or the node set has another number of values.
    """
    values = expand(text, place)
    if "[" not in text:
        return values * len(names)
    if len(values) != len(names):
        raise InputError(f"{place}: expected {len(names)} values, one a name, got {len(values)} ({text!r})")
    return values
