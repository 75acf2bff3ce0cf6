"""The harness: runs workloads, reads meters, stores results, and the `perwatt` command."""

from importlib.util import find_spec
from pathlib import Path

__version__ = "0.1.0"


def _refuse_foreign_packages() -> None:
    """Raise when another distribution's package stands where one of ours should (docs/adr/0001-root-packages.md).

    Raises
    ------
    ImportError
        With the cure. The names of our root packages are common; PyPI's `kernels` is one of them.
    """
    root = Path(__file__).resolve().parent.parent
    for name in ("kernels", "hardware_profiles", "sites"):
        spec = find_spec(name)
        found = Path(spec.origin).resolve().parent if spec and spec.origin else None
        if found != root / name:
            raise ImportError(
                f"perwatt needs its own package {name!r} at {root / name}, but Python finds {found or 'none'}; "
                "install perwatt into a virtual environment of its own (`make run` does) "
                f"and uninstall the other {name!r} there"
            )


_refuse_foreign_packages()
