"""A loop in which a lever of a host runs."""

import asyncio
import time

import pytest


class Held:
    """A lever whose calls run to their end."""

    def __init__(self, lever):
        self.lever, self._runner = lever, asyncio.Runner()

    def look(self):
        return self._runner.run(self.lever.observe(time.time()))

    def shows(self, level):
        return self.lever.confirm(level, self.look(), time.time())

    def as_found(self):
        return self._runner.run(self.lever.as_found())

    def to(self, level, deadline_s=30.0):
        return self._runner.run(self.lever.to(level, deadline_s))

    def restore(self, setting, deadline_s=30.0):
        return self._runner.run(self.lever.restore(setting, deadline_s))

    def close(self):
        self._runner.run(self.lever.close())
        self._runner.close()


@pytest.fixture
def held():
    """Return a function that holds a lever until the test ends."""
    made = []

    def hold(lever):
        made.append(Held(lever))
        return made[-1]

    yield hold
    for one in made:
        one.close()
