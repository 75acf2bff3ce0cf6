"""Errors of the harness that a user can act on."""


class RunFailedError(RuntimeError):
    """A run had begun and could not end well; `str()` is the one line that the user sees."""
