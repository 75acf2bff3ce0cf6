"""The harness: runs workloads, reads meters, stores results, and the `perwatt` command."""

import os
from importlib.util import find_spec

__version__ = "0.1.0"


def _refuse_foreign_packages() -> None:
    """Raise when another distribution's package stands where one of ours should (docs/adr/0001-root-packages.md).

    Raises
    ------
    ImportError
        With the cure. The names of our root packages are common; PyPI's `kernels` is one of them.
    """
    # os.path, for pathlib takes longer to import than all that runs before Ctrl-C is looked after (bench/__main__.py).
    root = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))  # noqa: PTH120
    for name in ("kernels", "hardware_profiles", "sites"):
        spec, ours = find_spec(name), os.path.join(root, name)  # noqa: PTH118
        found = os.path.dirname(os.path.realpath(spec.origin)) if spec and spec.origin else None  # noqa: PTH120
        if found != ours:
            raise ImportError(
                f"perwatt needs its own package {name!r} at {ours}, but Python finds {found or 'none'}; "
                "install perwatt into a virtual environment of its own (`make run` does) "
                f"and uninstall the other {name!r} there"
            )


_refuse_foreign_packages()
