"""A device on loopback that answers JSON by path, with or without a login."""

import base64
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.request import parse_http_list, parse_keqv_list


class FakeDevice:
    """Answers `GET` from `routes`: a path, with its query or without, gives JSON or a function that returns it."""

    def __init__(self, routes, login=None):
        self.routes, self.login = routes, login
        self.requests = []
        device = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                device.requests.append((self.path, self.headers.get("Authorization")))
                challenge = device.login.challenge(self) if device.login else None
                answer = device.answer(self.path)
                self.send_response(401 if challenge else 404 if answer is None else 200)
                if challenge:
                    self.send_header("WWW-Authenticate", challenge)
                text = json.dumps(answer)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def answer(self, path):
        found = self.routes.get(path, self.routes.get(path.partition("?")[0]))
        return found() if callable(found) else found

    def spec(self, kind="shelly", **settings):
        return ",".join([f"{kind}:127.0.0.1:{self.port}", *(f"{key}={value}" for key, value in settings.items())])

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class BasicLogin:
    """Basic authentication."""

    def __init__(self, user="admin", password="correct horse"):
        self.expected = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    def challenge(self, request):
        return None if request.headers.get("Authorization") == self.expected else 'Basic realm="plug"'


class DigestLogin:
    """Digest authentication with SHA-256 that counts each nonce from 1 and takes a nonce only so often."""

    def __init__(self, user="admin", password="correct horse", uses=3):
        self.user, self.password, self.uses = user, password, uses
        self.issued, self.count = 0, 0

    @property
    def nonce(self):
        return f"bm9u,Y2U{self.issued}=="  # a comma and padding, as base64 of firmware has it

    def challenge(self, request):
        header = request.headers.get("Authorization") or ""
        stated = parse_keqv_list(parse_http_list(header.removeprefix("Digest "))) if header else {}
        fresh = self.issued and self.count < self.uses and stated.get("nonce") == self.nonce
        if fresh and stated == {**stated, **self.expected(request.path, stated)}:
            self.count += 1
            return None
        self.issued, self.count = self.issued + 1, 0
        return f'Digest qop="auth", realm="shelly, plug", nonce="{self.nonce}", algorithm=SHA-256, opaque=""'

    def expected(self, uri, stated):
        def sha(text):
            return hashlib.sha256(text.encode()).hexdigest()

        count = f"{self.count + 1:08x}"
        secret, request = sha(f"{self.user}:shelly, plug:{self.password}"), sha(f"GET:{uri}")
        response = sha(f"{secret}:{self.nonce}:{count}:{stated.get('cnonce')}:auth:{request}")
        return {"username": self.user, "uri": uri, "nc": count, "qop": "auth", "response": response, "opaque": ""}
