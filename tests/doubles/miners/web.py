"""A miner on loopback that answers HTTP: GET, POST, PUT and PATCH by path, with or without the token of a session."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class FakeWebMiner:
    """Answers from `routes`: `"GET /path"` gives a JSON value, or a function of the body that returns one.

    A function may return `(status, value)`. With a login, all but the open paths want the token that the login gives.
    """

    challenge = ""  # of a login by HTTP itself

    def __init__(self, routes, *, login=None, open_paths=(), page="<html></html>"):
        self.routes, self.login, self.open_paths, self.page = routes, login, open_paths, page
        self.requests, self.bodies = [], []
        self.offline = False
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                fake.requests.append(f"{self.command} {self.path}")
                fake.bodies.append(body)
                if fake.offline:  # restarting: the connection closes without an answer
                    self.close_connection = True
                    return
                status, content, kind = fake.reply(self.command, self.path, body, self.headers)
                self.send_response(status)
                if status == 401 and fake.challenge:
                    self.send_header("WWW-Authenticate", fake.challenge)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815 (names of http.server)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def reply(self, method, path, body, headers):
        """Return status, content and type of one answer."""
        path = path.partition("?")[0]
        if path == "/":
            return 200, self.page.encode(), "text/html"
        token = "token-of-the-session"
        if self.login and (method, path) == ("POST", self.login["path"]):
            stated = json.loads(body or b"{}")
            if all(stated.get(key) == value for key, value in self.login["body"].items()):
                return 200, json.dumps({"token": token, "timeout_s": 3600}).encode(), "application/json"
            return 401, b'"invalid credentials"', "application/json"
        sent = (headers.get("Authorization") or "").removeprefix("Bearer ")
        if self.login and path not in self.open_paths and sent != token:
            return 401, b'"unauthorized"', "application/json"
        route = self.routes.get(f"{method} {path}")
        if route is None:
            return 404, b'{"error":"unknown route"}', "application/json"
        answer = route(json.loads(body) if body else None) if callable(route) else route
        status, value = answer if isinstance(answer, tuple) else (200, answer)
        return status, value if isinstance(value, bytes) else json.dumps(value).encode(), "application/json"

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
