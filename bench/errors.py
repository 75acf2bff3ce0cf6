"""The error of a run that could not end well."""


class RunFailedError(RuntimeError):
    """A run that had started could not end well; `str()` is the line that the user sees."""
