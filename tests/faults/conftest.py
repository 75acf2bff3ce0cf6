import pytest

from faults.command import COUNTS, WHOLE, Commands
from faults.writers import Workshop


@pytest.fixture(scope="module")
def commands(tmp_path_factory):
    zygote = Commands(tmp_path_factory.mktemp("zygote"))
    yield zygote
    zygote.close()


@pytest.fixture(scope="module")
def workshop(commands, tmp_path_factory):
    return Workshop(commands, tmp_path_factory.mktemp("workshop"))


def pytest_terminal_summary(terminalreporter):
    """Print the counts of the whole suite, which docs/evidence/faults.md holds."""
    if WHOLE:
        for what, count in sorted(COUNTS.items()):
            terminalreporter.write_line(f"faults: {count:,} {what}")
