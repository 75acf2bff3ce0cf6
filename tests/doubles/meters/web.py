"""A BMC and an exporter over HTTP or HTTPS, on a real socket, for any table of Redfish or Prometheus."""

import base64
import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from doubles.meters.device import choices_of

USER, PASSWORD = "reader", "correct horse"


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):  # a client that does not trust the certificate closes the connection
        pass


class WebPeer:
    """Answers requests with a page that a subclass writes; wants a login where `login` is set."""

    content = "application/json"

    def __init__(self, device, table, *, certificate=None, login=False):
        self.device, self.table, self.points = device, table, list(table.points.values())
        self.choices = {name: "Only.1" if value == "*" else value for name, value in choices_of(table).items()}
        self.login, self.tls, self.asked, self.refused = login, certificate is not None, 0, 0
        self.methods = set()  # of all requests: a session would begin with POST
        self.given_up = threading.Event()
        peer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                peer.methods.add(self.command)
                peer.answer(self)

            do_POST = do_DELETE = do_PATCH = do_GET  # noqa: N815 (names of the base class)

            def log_message(self, *_):
                pass

        self._server = _Server(("127.0.0.1", 0), Handler)
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def target(self):
        return f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}{self.path}"

    path = ""

    def close(self):
        if self.given_up.is_set():
            return
        self.given_up.set()
        self._server.shutdown()
        self._server.server_close()

    def answer(self, request):
        self.asked += 1
        if self.device.mode == "silent":
            self.given_up.wait()
            return
        expected = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        sent = request.headers.get("Authorization")
        if (self.login and sent != expected) or self.device.mode == "unauthorised":
            self.refused += sent is not None
            self._send(request, 401, b"", [("WWW-Authenticate", 'Basic realm="bmc"')])
            return
        if self.device.mode == "refusing":
            self._send(request, 503, b"busy")
            return
        body = self.body(request.path)
        self._send(request, 404 if body is None else 200, b"" if body is None else body.encode())

    def _send(self, request, status, body, headers=()):
        request.send_response(status)
        for name, value in [("Content-Type", self.content), ("Content-Length", str(len(body))), *headers]:
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body)


class ExporterPeer(WebPeer):
    """An exporter of Prometheus text."""

    content, path = "text/plain", "/metrics"
    repeats = ({},)  # further labels, one row of each point for each

    def body(self, path):
        if path != "/metrics":
            return None
        lines = ["# HELP up whether it is up", "# TYPE up gauge", "up 1"]
        for point in self.points:
            labels = {key: value.format(**self.choices) for key, value in point.at.get("labels", {}).items()}
            value = (
                "NaN" if self.device.mode == "sentinel" else repr(self.device.share(point, self.points) / point.factor)
            )
            for more in self.repeats:
                named = {**labels, **more}.items()
                inside = ",".join([r'host="a\"b\\c"', *(f'{key}="{value}"' for key, value in named if value)])
                lines.append(f"{point.at['metric']}{{{inside}}} {value}")
        return "\n".join(lines) + "\n"


class RedfishPeer(WebPeer):
    """A BMC with one chassis, whose resources hold what a table reads; `servers` share it, if it shows its links."""

    servers = 0

    def body(self, path):
        if path == "/redfish/v1/Chassis/Only.1" and self.servers:
            return json.dumps({"Links": {"ComputerSystems": [{"@odata.id": f"/{i}"} for i in range(self.servers)]}})
        if path.rstrip("/") in {point.at["path"].partition("/{")[0] for point in self.points}:
            return json.dumps({"Members": [{"@odata.id": f"{path.rstrip('/')}/Only.1"}]})
        document = {}
        for point in self.points:
            if point.at["path"].format(**self.choices) == path:
                put(document, point.at["key"].split("/"), self._value(point))
        return json.dumps(document) if document else None

    def _value(self, point):
        if self.device.mode == "sentinel" and point.quantity in {"power", "energy"}:
            return None
        if point.quantity == "time":
            return f"2019-01-01T00:00:{self.device.figures()['time']:.3f}Z"
        if point.quantity == "active":
            return point.active[0]
        return self.device.share(point, self.points) / point.factor


def put(document, keys, value):
    """Write a value at a path of keys into a JSON document."""
    for key, following in zip(keys, [*keys[1:], None], strict=True):
        inner = value if following is None else [] if following.isdigit() else {}
        if key.isdigit():
            if not document:
                document.append(inner)
            document = document[0]
        else:
            document = document.setdefault(key, inner)
