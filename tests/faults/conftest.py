import pytest

from faults.command import Commands
from faults.writers import Workshop


@pytest.fixture(scope="module")
def commands(tmp_path_factory):
    zygote = Commands(tmp_path_factory.mktemp("zygote"))
    yield zygote
    zygote.close()


@pytest.fixture(scope="module")
def workshop(commands, tmp_path_factory):
    return Workshop(commands, tmp_path_factory.mktemp("workshop"))
