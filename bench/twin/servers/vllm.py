"""A simulated vLLM server: sleep, wake-up and completions, gibberish after some wakes included.

References
----------
vllm-project/vllm: `/sleep`, `/wake_up` and `/is_sleeping` of the development mode; the OpenAI routes of the server.
"""

from urllib.parse import parse_qs

from bench.twin.phases import Phase
from bench.twin.servers.speaker import (
    MARK,
    SILENCE,
    HttpRequest,
    Said,
    UnitSpeaker,
    http,
    parse_http,
    whole_http,
)
from bench.twin.unit import Shown

PORT = 8000
MODEL = "simulated-model"
KNOWN_ANSWER = "4"
_GIBBERISH = "!!!!!!!!"
_SERVING = (Phase.MINING, Phase.TUNING, Phase.RAMP_UP)


class Vllm(UnitSpeaker):
    """The endpoint of one server."""

    def request(self, received: bytearray) -> int:
        """Return the length of a whole request."""
        return whole_http(received)

    def answer(self, request: bytes) -> Said:
        """Answer one request."""
        read = parse_http(request)
        shown = self.shown()
        changes = read.method == "POST" and read.path in {"/sleep", "/wake_up"}
        if shown is None:
            return SILENCE._replace(changes=changes)
        if changes:
            return self._switch(read)
        if read.method == "GET":
            return Said(self._page(read.path, shown))
        if read.method == "POST" and read.path in {"/v1/completions", "/v1/chat/completions"}:
            return Said(self._completion(read, shown))
        return Said(http(404, {"simulated": True}), changes=read.method != "POST")

    def _switch(self, request: HttpRequest) -> Said:
        """Sleep or wake; a level other than 1 and 2 is refused."""
        if request.path == "/wake_up":
            return self.obey(self.unit.awake_level_w, http(200))
        level = parse_qs(request.query).get("level", ["1"])[0]
        if level not in {"1", "2"}:
            return Said(http(422, {"detail": "level must be 1 or 2"}), changes=True)
        return self.obey(0.0, http(200))

    def _page(self, path: str, shown: Shown) -> bytes:
        asleep = shown.level_w == 0.0
        pages: dict[str, object] = {
            "/is_sleeping": {"is_sleeping": asleep},
            "/health": b"",
            "/version": {"version": f"0.99 ({MARK})"},
            "/v1/models": {"object": "list", "data": [{"id": MODEL, "object": "model", "owned_by": MARK}]},
            "/metrics": (
                f"# {MARK}\nvllm:num_requests_running {0 if asleep else 4}\n"
                f"vllm:generation_tokens_total {int(max(shown.rate_per_s, 0.0) * 1000)}\n"
            ).encode(),
        }
        return http(200, pages[path]) if path in pages else http(404, {"simulated": True})

    def _completion(self, request: HttpRequest, shown: Shown) -> bytes:
        if shown.phase not in _SERVING:
            return http(503, {"error": {"message": "the engine sleeps"}})
        text = _GIBBERISH if self.unit.gibberish else KNOWN_ANSWER
        chat = request.path.endswith("chat/completions")
        choice = {"index": 0, "finish_reason": "stop"} | (
            {"message": {"role": "assistant", "content": text}} if chat else {"text": text}
        )
        usage = {"prompt_tokens": 8, "completion_tokens": 1, "total_tokens": 9}
        return http(200, {"id": "simulated", "model": MODEL, "choices": [choice], "usage": usage})
