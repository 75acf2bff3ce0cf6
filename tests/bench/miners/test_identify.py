"""The family of an unknown host: at most four connections, no password, no redirect, and one line if it is no miner."""

import http.server
import threading

import pytest
from doubles.miners import antminer, avalon, descendants, whatsminer
from doubles.miners.server import FakeMiner
from doubles.miners.unit import Unit

from bench.miners.identify import identify
from bench.miners.link import Address
from bench.miners.reader import MinerError

CLOSED = 1  # a port of the loopback that nobody listens to


class Page:
    """A web server with one page at `/`, one answer elsewhere, and a count of connections."""

    def __init__(self, body="<html></html>", status=200, headers=(), elsewhere=404):
        self.paths, self.logins = [], []
        page = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                page.paths.append(self.path)
                page.logins.append(self.headers.get("Authorization"))
                self.send_response(status if self.path == "/" else elsewhere)
                for name, value in headers:
                    self.send_header(name, value)
                content = body.encode()
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def host():
    """Start a host with some of the ports of a miner, and return its servers and the ports to reach them."""
    made = []

    def make(**servers):
        made.extend(servers.values())
        named = {"frames": 4433, "page": 80, "commands": 4028, "other": 8080}
        return {port: servers[name].port if name in servers else CLOSED for name, port in named.items()}

    yield make
    for server in made:
        server.close()


def found(ports):
    return identify(Address("127.0.0.1"), ports)


@pytest.mark.parametrize(
    ("family", "replies"),
    [
        ("antminer", antminer.s19_pro()),
        ("antminer", antminer.s9()),
        ("avalon", avalon.a1246()),
        ("avalon", avalon.a1346()),
        ("avalon", avalon.q_idle()),
        ("whatsminer", whatsminer.v1()),
        ("whatsminer", whatsminer.v2()),
        *((name, descendants.commands(Unit(), name)) for name in ("luxos", "braiins", "sealminer", "auradine")),
    ],
)
def test_the_reply_to_version_shows_the_family(host, family, replies):
    fake = FakeMiner(replies)
    assert found(host(commands=fake)) == family
    assert len(fake.requests) <= 2


def test_frames_show_a_whatsminer_of_api_3(host):
    frames, page = FakeMiner(whatsminer.v3(), framed=True), Page()
    assert found(host(frames=frames, page=page)) == "whatsminer-v3"
    assert page.paths == []


@pytest.mark.parametrize(
    ("page", "family"),
    [
        ({"body": "<title>AxeOS</title>"}, "axeos"),
        ({"body": "<title>AnthillOS</title>"}, "vnish"),
        (
            {"status": 401, "headers": [("WWW-Authenticate", 'Digest realm="antMiner Configuration", nonce="x"')]},
            "antminer",
        ),
    ],
)
def test_a_web_page_shows_the_family_and_is_asked_without_a_password(host, page, family):
    made = Page(**page)
    assert found(host(page=made)) == family
    assert (made.paths, made.logins) == (["/"], [None])


def test_the_information_of_an_axeos_without_a_name_on_its_page_shows_it(host):
    page = Page('{"ASICModel":"BM1370","hashRate":1200}', status=404, elsewhere=200)
    assert found(host(page=page)) == "axeos"


def test_http_on_the_port_of_commands_is_an_epic(host):
    assert found(host(commands=Page())) == "epic"


def test_a_redirect_is_not_followed(host):
    elsewhere = Page("<title>AxeOS</title>")
    page = Page(status=302, headers=[("Location", f"http://127.0.0.1:{elsewhere.port}/")])
    with pytest.raises(MinerError, match="port 80 answers HTTP status 302"):
        found(host(page=page, other=Page()))
    elsewhere.close()
    assert elsewhere.paths == []


def test_a_router_is_one_line_with_what_it_answered_and_what_to_do(host):
    page = Page("<html><title>Router login</title></html>")
    with pytest.raises(MinerError) as error:
        found(host(page=page))
    text = str(error.value)
    assert text.startswith("miner 127.0.0.1: no family recognised: port 4433 Connection refused; port 80 answers HTTP")
    assert "with the page 'Router login'" in text
    assert text.endswith(", antminer)")
    assert "name the family with --family" in text
    assert "\n" not in text


def test_a_host_without_any_answer_is_one_line(host):
    with pytest.raises(MinerError, match="port 8080 Connection refused; check the address, and that the miner is on"):
        found(host())


@pytest.mark.parametrize("header", [("Via", "1.1 farm"), ("Proxy-Authenticate", "Basic")])
def test_a_proxy_stands_for_several_machines(host, header):
    with pytest.raises(MinerError, match=r"as a proxy does.*: read each machine at its own address"):
        found(host(page=Page(headers=[header])))


def test_never_more_than_four_connections_are_opened(host):
    servers = {"frames": FakeMiner({}, quirk="hang_up"), "page": Page(), "commands": FakeMiner({}), "other": Page()}
    with pytest.raises(MinerError, match="no family recognised"):
        found(host(**servers))
    opened = [len(getattr(server, "requests", [])) + len(getattr(server, "paths", [])) for server in servers.values()]
    assert sum(opened) == 4


@pytest.mark.parametrize(
    ("make", "family"),
    [
        (lambda: FakeMiner(avalon.a1246()), "avalon"),
        (lambda: FakeMiner(whatsminer.v2()), "whatsminer"),
        (lambda: FakeMiner(whatsminer.v3(), framed=True), "whatsminer-v3"),
        (lambda: Page("<title>AxeOS</title>"), "axeos"),
    ],
)
def test_behind_a_port_of_a_router_each_protocol_is_tried(make, family):
    server = make()
    try:
        assert identify(Address("127.0.0.1", server.port)) == family
    finally:
        server.close()
