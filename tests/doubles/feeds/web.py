"""A server on loopback that answers every request by a function of the test."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class WebSource:
    """Answers by `answer(method, path, headers, body)`, which returns (status, headers, content); with TLS if asked."""

    def __init__(self, answer, tls=None):
        self.requests = []
        source = self

        class Handler(BaseHTTPRequestHandler):
            def respond(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                source.requests.append((self.command, self.path, dict(self.headers), body))
                status, headers, content = answer(self.command, self.path, self.headers, body)
                self.send_response(status)
                for name, value in {"Content-Length": str(len(content)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = respond  # noqa: N815 (names of http.server)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    @property
    def paths(self):
        return [path for _, path, _, _ in self.requests]

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
