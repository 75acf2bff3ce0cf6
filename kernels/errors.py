"""The one error that kernels raise for a caller's mistake."""


class KernelInputError(ValueError):
    """A header, target, window or variant that cannot be used; `str()` is one line: what, expected, got."""
