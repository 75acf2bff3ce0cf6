"""The error that kernels raise for a caller's mistake."""


class KernelInputError(ValueError):
    """A header, target, window, variant or model cannot be used; `str()` is one line: name, expected, got."""
