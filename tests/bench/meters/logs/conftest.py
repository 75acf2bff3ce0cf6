"""A log that is written and read in one step."""

import pytest

from bench.meters.logs import read_log
from hardware_profiles.errors import InputError


@pytest.fixture
def read(tmp_path):
    """Return the log of a text or of bytes."""

    def read_text(text, **settings):
        path = tmp_path / "power.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_log(path, settings)

    return read_text


@pytest.fixture
def refusal(read):
    """Return the one line with which a log is refused."""

    def read_text(text, **settings):
        with pytest.raises(InputError) as error:
            read(text, **settings)
        message = str(error.value)
        assert "\n" not in message
        assert "power.csv" in message
        return message

    return read_text
