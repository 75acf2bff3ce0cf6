"""The cipher of Whatsminer 2."""

import pytest

from bench.levers.miners.whatsminer_cipher import md5crypt, opened, sealed, token


@pytest.mark.parametrize(
    ("password", "salt", "hashed"),
    [  # of `openssl passwd -1`
        ("password", "saltsalt", "qjXMvbEw8oaL.CzflDtaK/"),
        ("a much longer password than sixteen", "ab", "BXdgTeubcXY.G0KJweZuF/"),
    ],
)
def test_md5crypt_is_that_of_openssl(password, salt, hashed):
    assert md5crypt(password, salt) == hashed


def test_a_sealed_command_is_opened_by_the_same_password_alone():
    key, _ = token("correct horse", "5626", "BQ5hoXV9", "jbzkfQls")
    other, _ = token("wrong horse", "5626", "BQ5hoXV9", "jbzkfQls")
    data = sealed({"cmd": "power_off"}, key)["data"]
    assert opened(data, key) == b'{"cmd":"power_off"}'
    assert opened(data, other) != b'{"cmd":"power_off"}'


@pytest.mark.parametrize("text", ["no base64!", "AAAA"])
def test_what_is_not_sealed_is_not_opened(text):
    with pytest.raises(ValueError):  # noqa: PT011 (its text is the library's)
        opened(text, bytes(32))
