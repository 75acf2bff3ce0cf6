"""A device whose whole setting is a file, and the lever that sets it; what is sent to it is counted in another file."""

# ruff: noqa: ARG002 (the arguments are those of the protocol)

import json

from bench.levers.judging import judge
from bench.levers.protocol import Answer, Observation, Reply
from sites.control.model import OFF, Level, UnitState


class FileLever:
    """The lever.

    Parameters
    ----------
    path
        The file; it holds `{"level": ..., "target": ...}`.
    identity
        What the device shows of itself.
    reply
        What it answers to every command.
    obeys
        Whether a command has an effect.
    """

    writes_flash = False
    levels = (Level(OFF, 30.0), Level("eco", 1800.0), Level("on", 3300.0))

    def __init__(self, path, identity="mac-1", *, reply=Reply.ACCEPTED, obeys=True):
        self.path, self.identity, self.reply, self.obeys = path, identity, reply, obeys

    async def observe(self, now_s):
        level = self.setting()["level"]
        return Observation(now_s, UnitState.OFF if level == OFF else UnitState.RUNNING, level, self.identity)

    async def as_found(self):
        return self.setting()

    def can(self, level):
        return None

    async def to(self, level, deadline_s):
        return self._write({**self.setting(), "level": level})

    def confirm(self, level, seen, now_s):
        return judge(level, seen, now_s)

    async def restore(self, setting, deadline_s):
        return self._write(dict(setting))

    async def close(self):
        pass

    def setting(self):
        return json.loads(self.path.read_text())

    def _write(self, setting):
        if self.obeys:
            new = self.path.with_suffix(".new")
            new.write_text(json.dumps(setting))
            new.replace(self.path)
        return Answer(self.reply)
