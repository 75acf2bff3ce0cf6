"""What Python runs first on a host that is a namespace: the load of the machine that all hosts share is no reason."""

import contextlib

with contextlib.suppress(ImportError):  # perwatt may not be on the path of this Python
    from bench import limits

    limits.FOREIGN_LOAD_FRAC = float("inf")
