"""Passwords, tokens and keys leave no trace in records, pages, messages and errors."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.credentials import is_secret_name, scrub_arguments, scrub_message, scrub_text

ROOT = Path(__file__).resolve().parents[2]
SECRET = "hunter2-Zx9"


@pytest.mark.parametrize(
    "arguments",
    [
        ("--token", SECRET), (f"--token={SECRET}",), ("--api-key", SECRET), (f"--db-password={SECRET}",),
        ("--url", f"https://bob:{SECRET}@host/v1"), ("--url", f"https://{SECRET}@host"), (f"http://a:x@{SECRET}@host",),
        ("--meter", f"lab:bob:{SECRET}@10.0.0.5"), ("--meter", f"shelly:h,password={SECRET}"), (f"bob:{SECRET}@host",),
        ("--meter", f"lab:h,user=bob,auth_token={SECRET},accuracy=1%"), (f"lab:h,passphrase=two {SECRET}, {SECRET}",),
        ("--url", f"https://host/x?api_key={SECRET}&n=5"), ("--url", f"https://host/x?n=5&X-Amz-Signature={SECRET}"),
        ("-H", f"Authorization: Bearer {SECRET}"), ("-H", f"X-Api-Key: {SECRET}"), ("-H", f"Cookie: sid={SECRET}"),
        ("-u", f"bob:{SECRET}"), (f"accessKey={SECRET}",), (f'{{"client_secret": "{SECRET}"}}',),
        (f"-----BEGIN OPENSSH PRIVATE KEY-----\n{SECRET}\n-----END OPENSSH PRIVATE KEY-----",),
        (f"ghp_{SECRET.replace('-', '')}aaaaaaaaaaaaaa",), (f"eyJhbGciOi.{SECRET}.sig",), (f"sk-{SECRET}-0123456789",),
    ],
)  # fmt: skip
def test_arguments_keep_no_credential(arguments):
    clean = scrub_arguments(arguments)
    assert len(clean) == len(arguments)
    assert SECRET not in " ".join(clean)
    assert SECRET.replace("-", "") not in " ".join(clean)
    assert "***" in " ".join(clean)


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "llm", "--input", "256", "--output", "128", "--batch", "8"),
        ("run", "--meter", "shelly:192.168.1.20:8080,accuracy=1%,password_file=/home/me/plug", "--plan", "quick"),
        ("run", "--meter", "trace:power@rack3.csv,column=Active Power, W", "--meter-period-s", "0.5"),
        ("run", "--meter", "shelly:[fe80::1]:80,password_env=PLUG,name=token counter"),
        ("yield", "site.toml", "--out", "a:b/c", "--url", "http://host:8000/v1?model=x&max_tokens=5"),
        ("--keyboard", "us", "--tokens", "5", "--monkey=x"),
    ],
)
def test_other_arguments_are_stored_as_they_are(arguments):
    assert scrub_arguments(arguments) == arguments


@pytest.mark.parametrize(
    "line",
    [
        "energy per token: measured, 0.41 J/token: one window",
        "site.toml: [site]: key token: expected a number, got nothing",
        "--meter shelly:h: key password_file: expected mode 0600, got mode 0644: chmod 600 /home/me/plug",
        "--api-key: key password_file: key.txt: expected a readable password file, got no such file",
        "trace:a.csv: 12:30:05 to 12:31: no reading",
    ],
)
def test_other_messages_are_printed_as_they_are(line):
    assert scrub_message(line) == line


def test_the_refused_value_of_a_secrets_key_is_not_printed():
    assert scrub_message(f"f.toml: key feed.api_token: expected a number, got '{SECRET} x'") == (
        "f.toml: key feed.api_token: expected a number, got ***"
    )
    assert SECRET not in scrub_message(f"f.toml: key password: expected a number, got '{SECRET} {'x' * 60}…")


def test_the_masked_text_keeps_what_is_around_it():
    assert scrub_text("GET http://a:b@h/x?token=1x&n=2 failed") == "GET http://***@h/x?token=***&n=2 failed"
    assert scrub_arguments(["lab:h,token=a b,n=2"]) == ("lab:h,token=***,n=2",)
    assert scrub_message("h/api_key=x1: expected a file, got 'h/?a=1&sig=2'") == (
        "h/api_key=***: expected a file, got 'h/?a=1&sig=***'"
    )


@pytest.mark.parametrize(("name", "secret"), [
    ("password", True), ("--api-key", True), ("apiKey", True), ("PLUG_PASSWORD", True), ("private_key", True),
    ("key", True), ("client_secret", True), ("tokens", False), ("max_tokens", False), ("password_file", False),
    ("password_env", False), ("keyboard", False), ("", False), ("author", False), ("passed", False),
])  # fmt: skip
def test_names_of_secrets(name, secret):
    assert is_secret_name(name) is secret


@pytest.mark.slow
@pytest.mark.parametrize("piece", [
    "a:", "a-", "a.", "a=", "x-", "eyJ-", "key a: ", "token=", "bearer ", "'a': ", "-----BEGIN PRIVATE KEY-----",
])  # fmt: skip
def test_a_long_hostile_text_ends(piece):
    text = piece * (200_000 // len(piece))
    assert scrub_message(text)
    assert len(scrub_arguments([text])) == 1


VARIABLES = (
    "PERWATT_TOKEN", "PERWATT_LAB_PASSWORD", "PERWATT_NOTE", "NUMBA_SECRET", "OMP_PASSWORD", "CUDA_API_KEY", "MKL_KEY",
    "OPENBLAS_AUTH", "AWS_SECRET_ACCESS_KEY", "HF_TOKEN", "PLUG_PASSWORD",
)  # fmt: skip

PLUG = """
import json, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps(json.loads(sys.argv[1])).encode()
        self.send_response(200)
        self.send_header("Set-Cookie", "sid=" + sys.argv[2])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

server = HTTPServer(("127.0.0.1", 0), Answer)
print(server.server_address[1], flush=True)
server.serve_forever()
"""


@pytest.mark.slow
def test_thirty_planted_secrets_are_found_nowhere(tmp_path):
    secrets = []

    def plant():
        secrets.append(f"s3cret{len(secrets):02d}Qz")
        return secrets[-1]

    environment = {name: plant() for name in VARIABLES}
    environment |= {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PERWATT_LOCKS": str(tmp_path / plant()),
                    "PYTHONPATH": str(ROOT)}  # fmt: skip
    written = []

    def perwatt(*arguments):
        done = subprocess.run([sys.executable, "-m", "bench", *arguments], cwd=tmp_path, env=environment,
                              capture_output=True, text=True, timeout=600, check=False)  # fmt: skip
        assert "Traceback" not in done.stderr
        written.append(done.stdout + done.stderr)
        return done

    site = tmp_path / "site.toml"
    site.write_text(f'[site]\nname = "x"\npassword = "{plant()}"\n[feed]\napi_key = "{plant()}"\n'
                    f'url = "https://bob:{plant()}@feed.example/x"\n')  # fmt: skip
    password = tmp_path / "plug-password"
    password.write_text(f"{plant()}\n")
    password.chmod(0o600)
    answer = {"wifi_sta": {"ssid": "lab", "pass": plant()}, "mqtt": {"password": plant()}, "token": plant(),
              "meters": [{"power": plant(), "is_valid": True}]}  # fmt: skip
    plug = subprocess.Popen(
        [sys.executable, "-c", PLUG, json.dumps(answer), plant()], stdout=subprocess.PIPE, text=True
    )
    try:
        port = plug.stdout.readline().strip()
        run = ("run", "memory_copy_cpu", "--plan", "smoke", "--threads", "1", "--out", "r", "--meter")
        done = perwatt(*run, "none")
        assert done.returncode == 0, done.stderr
        perwatt("doctor", "--json")
        assert perwatt("report", "r", "-o", "page.html").returncode == 0
        perwatt("show", "r", "--json")
        assert perwatt("yield", str(site)).returncode == 2
        for meter in (
            f"shelly:127.0.0.1:{port},password_file={password}", f"shelly:bob:{plant()}@127.0.0.1:{port}",
            f"shelly:127.0.0.1:{port},password={plant()}", f"shelly:127.0.0.1:{port},token={plant()}",
            f"tasmota:127.0.0.1:{port},user=bob,password_env=PLUG_PASSWORD", f"http://bob:{plant()}@127.0.0.1:{port}",
        ):  # fmt: skip
            assert perwatt(*run, meter).returncode
        for wrong in (
            ("--token", plant()), (f"--password={plant()}",), ("--url", f"https://u:{plant()}@h"),
            (f"https://h/?api_key={plant()}",), (f"bob:{plant()}@h",), ("-H", f"Authorization: Bearer {plant()}"),
        ):  # fmt: skip
            assert perwatt("yield", *wrong).returncode == 2
    finally:
        plug.kill()
        plug.communicate()
    assert len(secrets) >= 30
    files = [path for path in tmp_path.rglob("*") if path.is_file() and path not in {site, password}]
    written += [path.read_bytes().decode("latin-1") for path in files]
    assert any("memory_copy_cpu" in text for text in written)
    assert [secret for secret in secrets if any(secret in text for text in written)] == []
