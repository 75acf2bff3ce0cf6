"""Logins of plugs: basic, digest and Tasmota's query; a password comes from a file or a variable and shows nowhere."""

import os

import pytest
from doubles.device import BasicLogin, DigestLogin

from bench.meters.protocol import MeterOptions
from bench.meters.registry import close_meters, make_meter, open_meters
from bench.network.login import Digest, Login, read_challenge, read_login
from hardware_profiles.errors import InputError

pytestmark = pytest.mark.usefixtures("clock")

FAST = MeterOptions(period_s=0.02)
PASSWORD = "correct horse"
GEN1 = {"/shelly": {"type": "SHPLG-S", "auth": True}, "/status": {"meters": [{"power": 61.0, "is_valid": True}]}}
SWITCH = {"id": 0, "apower": 61.0, "voltage": 230.0}
GEN2 = {
    "/shelly": {"gen": 2, "auth_en": True},
    "/rpc/Shelly.GetStatus": {"switch:0": SWITCH},
    "/rpc/Switch.GetStatus": SWITCH,
}
NEED = {"WARNING": "Need user=<username>&password=<password>"}
ENERGY = {"StatusSNS": {"ENERGY": {"Power": 61}}}
TASMOTA = {"/cm": NEED, "/cm?cmnd=Status%208&user=admin&password=correct+horse": ENERGY}


@pytest.fixture
def password_file(tmp_path):
    path = tmp_path / "plug-password"
    path.write_text(PASSWORD + "\n")
    path.chmod(0o600)
    return path


@pytest.mark.parametrize(
    ("kind", "fake"),
    [
        ("shelly", (GEN1, BasicLogin())),
        ("shelly", (GEN2, DigestLogin())),
        ("shelly", (GEN2, BasicLogin())),
        ("tasmota", (TASMOTA,)),
    ],
)
def test_a_plug_with_a_password_is_read(clock, device, password_file, kind, fake):
    fake = device(*fake)
    (meter,) = open_meters([fake.spec(kind, password_file=password_file)], FAST)
    clock.sleep(0.4)  # many readings, more than a nonce of the digest is good for
    close_meters([meter])
    assert {reading.value for reading in meter.readings()} == {61.0}
    assert len(meter.readings()) > 10
    assert PASSWORD not in repr(vars(meter)) + repr(meter.info)


def test_the_user_and_the_variable_can_be_named(device, monkeypatch):
    monkeypatch.setenv("PLUG_SECRET", "x y")
    fake = device(GEN1, BasicLogin("lab", "x y"))
    (meter,) = open_meters([fake.spec(user="lab", password_env="PLUG_SECRET")], FAST)
    close_meters([meter])
    assert meter.readings()[0].value == 61.0


@pytest.mark.parametrize(("kind", "routes", "login"), [("shelly", GEN2, DigestLogin), ("tasmota", TASMOTA, None)])
def test_a_missing_password_is_asked_for_and_a_wrong_one_is_called_wrong(device, tmp_path, kind, routes, login):
    fake = device(routes, login() if login else None)
    with pytest.raises(InputError, match=r"password_file=PATH .*the device wants a password, got none"):
        open_meters([fake.spec(kind)], FAST)
    wrong = tmp_path / "wrong"
    wrong.write_text("sesame street")
    wrong.chmod(0o600)
    with pytest.raises(InputError, match="expected the user and password of the device") as error:
        open_meters([fake.spec(kind, password_file=wrong)], FAST)
    assert "sesame" not in str(error.value)


@pytest.mark.parametrize(("routes", "login"), [(GEN1, BasicLogin), (GEN2, DigestLogin)])
def test_a_plug_that_refuses_in_the_middle_of_a_run_is_not_asked_again(clock, device, password_file, routes, login):
    fake = device(routes, login())
    (meter,) = open_meters([fake.spec(password_file=password_file)], FAST)
    clock.sleep(0.4)
    fake.login = login(password="another")
    clock.sleep(0.4)
    asked = len(fake.requests)
    clock.sleep(2.0)
    close_meters([meter])
    assert len(fake.requests) == asked
    assert "not asked again" in meter.last_error
    assert meter.readings()[-1].value is None


def test_no_password_is_sent_to_a_plug_that_wants_none(device, password_file):
    fake = device(GEN2)
    (meter,) = open_meters([fake.spec(password_file=password_file)], FAST)
    close_meters([meter])
    assert {header for _, header in fake.requests} == {None}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o777])
def test_a_password_file_that_others_can_read_is_refused_with_the_cure(password_file, mode):
    password_file.chmod(mode)
    with pytest.raises(InputError, match=rf"expected mode 0600.*got mode {mode:04o}: chmod 600 .*plug-password"):
        make_meter(f"shelly:h,password_file={password_file}")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("password=hush", "got a password in the command"),
        ("user=admin", "got 'a user without a password"),
        ("password_file=/no/such/file", "got no such file"),
        ("password_file=.", "got a folder"),
        (
            "password_env=NO_SUCH_VARIABLE_HERE",
            r"an environment variable that holds the password \(this one is not set\)",
        ),
        ("password_env=OMP_NUM_THREADS", "a variable that no record keeps"),
        ("password_file=x,password_env=Y", "either password_file or password_env"),
    ],
)
def test_a_wrong_way_to_state_a_password_is_refused(settings, words):
    with pytest.raises(InputError, match=words) as error:
        make_meter(f"shelly:h,{settings}")
    assert "hush" not in str(error.value)


def test_a_password_in_the_address_is_refused_and_not_repeated():
    with pytest.raises(InputError, match="without a user and a password") as error:
        make_meter("shelly:http://admin:hush@10.0.0.5")
    assert "hush" not in str(error.value)


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe", b"two\nlines"])
def test_a_file_without_one_line_of_text_is_refused(password_file, content):
    password_file.write_bytes(content)
    with pytest.raises(InputError, match="one line of UTF-8 text"):
        read_login("--meter shelly:h", {"password_file": str(password_file)})


def test_a_long_password_file_is_refused(password_file):
    password_file.write_bytes(b"x" * 5000)
    with pytest.raises(InputError, match=r"--meter shelly:h: key password_file: .*at most 4096 bytes"):
        read_login("--meter shelly:h", {"password_file": str(password_file)})


def test_a_pipe_as_password_file_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(InputError, match="a regular file"):
        read_login("--meter shelly:h", {"password_file": str(tmp_path / "pipe")})


def test_the_digest_is_that_of_the_example_of_rfc_7616():
    challenge = read_challenge(
        [
            'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=MD5, nonce="x", opaque="y"',
            (
                'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, '
                'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", '
                'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
            ),
        ]
    )
    assert isinstance(challenge, Digest)
    header = challenge.authorize(
        Login("Mufasa", "Circle of Life"), "/dir/index.html", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
    )
    assert 'response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"' in header
    assert "nc=00000001" in header
    assert "nc=00000002" in challenge.authorize(Login("Mufasa", "Circle of Life"), "/dir/index.html")


def test_a_device_that_offers_only_md5_gets_the_digest_of_the_example_of_rfc_7616():
    challenge = read_challenge(
        [
            (
                'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=MD5, '
                'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", '
                'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
            )
        ]
    )
    assert isinstance(challenge, Digest)
    header = challenge.authorize(
        Login("Mufasa", "Circle of Life"), "/dir/index.html", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
    )
    assert 'response="8ca523f5e9506fed4657c9700eebdbec"' in header


def test_schemes_that_perwatt_does_not_speak_are_named():
    other = 'Digest realm="x", nonce="y", algorithm=SHA-512-256'
    assert read_challenge([other, "Negotiate"]) == "digest with SHA-512-256, negotiate"
    assert read_challenge(["Digest broken", 'Basic realm="x"']) == "basic"
    assert not read_challenge([])
