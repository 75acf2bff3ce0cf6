"""The refusal of a reply that another family sent, with what was seen."""

from collections.abc import Callable, Mapping
from typing import Any

from bench.miners import values
from bench.miners.reply import Reply, section
from bench.network.errors import ReadFailedError
from hardware_profiles.errors import shown


class OtherFamilyError(ReadFailedError):
    """The reply is not one of this family."""


def accept(reply: Reply, recognise: Callable[[Any], bool], family: str, expected: str) -> Reply:
    """Return a reply if its family recognises it.

    Parameters
    ----------
    reply
        The reply.
    recognise
        Whether a document is one of this family.
    family
        The name of the firmware, for the message.
    expected
        What makes a reply one of this family, for the message.

    Raises
    ------
    OtherFamilyError
        The reply is another family's.
    """
    if not recognise(reply.document):
        raise OtherFamilyError(f"{reply.name}: expected {expected} of {family}, got {seen(reply)}")
    return reply


def version_has(document: Any, *keys: str) -> bool:
    """Return whether a document is a reply to `version` of cgminer's descendants, with one of certain names in it."""
    return bool(section({"version": Reply("version", document=document)}, "version", "VERSION", 0).text(*keys))


def seen(reply: Reply) -> str:
    """Return in a few words what a reply is: the program that sent it, its keys, or its text."""
    document = reply.document
    if not isinstance(document, Mapping):
        return shown(document)
    description = section({reply.name: reply}, reply.name, "STATUS", 0).text("Description")
    version = section({reply.name: reply}, reply.name, "VERSION", 0).values
    words = [description] if description else []
    keys = ", ".join(list(map(values.text, version or document))[:6])
    return f"{shown(', '.join(words))} with the keys {keys}" if words else f"the keys {shown(keys)}"
