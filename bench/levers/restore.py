"""The way back: a level or the former setting is sent, and the device itself shows that the setting is there again."""

import asyncio
import json
import time

from bench.levers.journal import Entry
from bench.levers.protocol import Answer, Lever, Reply, Setting

LOOK_S = 1.0  # [s] pause between two looks at a device that is changing
LEAST_TRIES = 2


async def send(lever: Lever, entry: Entry, level: str, deadline_s: float) -> Answer:
    """Send a level; the level that the device was found in is sent as its former setting, exactly.

    Parameters
    ----------
    lever
        The device.
    entry
        What stands in its journal.
    level
        The level to set.
    deadline_s
        Time that the command may take [s].
    """
    if level == entry.level:
        return await lever.restore(entry.setting, deadline_s)
    return await lever.to(level, deadline_s)


async def bring_back(lever: Lever, entry: Entry, deadline_s: float, look_s: float = LOOK_S) -> str:
    """Bring the former setting back, see that it is there, and return why it is not, or an empty text.

    Parameters
    ----------
    lever
        The device.
    entry
        What stands in its journal, which the caller removes only after an empty text.
    deadline_s
        Time that the command may take, and then the device until it shows the setting [s].
    look_s
        Pause between two looks [s].
    """
    seen = await lever.observe(time.time())
    known = entry.device.identity
    if known is not None and seen.identity is not None and seen.identity.casefold() != known.casefold():
        return f"other_device: {entry.device} is now {seen.identity}, and {known} was set"
    answer = await lever.restore(entry.setting, deadline_s)
    if answer.reply is Reply.REFUSED:
        return f"refused: {answer.says}"
    end_s, tries = time.monotonic() + deadline_s, 0
    while tries < LEAST_TRIES or time.monotonic() < end_s:
        if tries:
            await asyncio.sleep(look_s)
        if is_same(await lever.as_found(), entry.setting):
            return ""
        tries += 1
    words = f": {answer.says}" if answer.says else ""
    return f"not_shown: the device does not show its former setting ({answer.reply}{words})"


def is_same(setting: Setting | None, other: Setting) -> bool:
    """Return whether two settings are the same as JSON, which the journal stores."""
    return setting is not None and _canonical(setting) == _canonical(other)


def _canonical(setting: Setting) -> str:
    return json.dumps(setting, sort_keys=True)
