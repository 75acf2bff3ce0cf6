"""The lever of a vLLM server: its sleep mode, and a prompt whose answer is known after each wake-up.

A server that woke may answer HTTP and speak gibberish, so it counts as running only after a right answer. Sleep needs
`--enable-sleep-mode` and `VLLM_SERVER_DEV_MODE=1`. Level 1 keeps the weights in the memory of the host. A router must
not send requests to a server that sleeps.

References
----------
vllm-project/vllm: `/sleep`, `/wake_up`, `/is_sleeping`; issues 29341 (gibberish after level 2) and
16663 (wake-up times).
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from bench.credentials import scrub_text
from bench.levers.judging import judge
from bench.levers.protocol import Answer, Evidence, Observation, Reply, Setting
from bench.levers.registry import LOGIN, LeverKind
from bench.levers.web import Web
from bench.levers.wire import NotSentError, Remote
from bench.miners.reply import Section
from bench.network.errors import ReadFailedError
from bench.network.http import parse_host
from bench.network.login import read_login
from bench.network.reach import SETTING as PUBLIC
from hardware_profiles.errors import InputError
from sites.control.model import OFF, ON, Level, UnitState

PORT = 8000
LOOK_S = 5.0  # [s] for one request of a look
PROOF_S = 20.0  # [s] for the prompt
_TOKENS = 16
_PROMPT, _ANSWER = "What is 2 + 2? Answer with the digit alone:", "4"
_OPTIONS = (*LOGIN, "prompt", "answer", "model", PUBLIC)


class Vllm:
    """A vLLM server.

    Parameters
    ----------
    remote
        Where it is.
    prompt, answer
        A prompt, and the text that its answer has in it.
    model
        Name of the model; empty for the first that the server lists.
    key
        Key of the interface that the user states; empty if it wants none.
    """

    writes_flash = False
    levels = (Level(OFF), Level(ON))

    def __init__(self, remote: Remote, *, prompt: str, answer: str, model: str = "", key: str = "") -> None:
        self._web, self._prompt, self._answer, self._model = Web(remote), prompt, answer, model
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._proved = False  # whether the answer was right since the last sleep
        self._before = ""  # the whole answer before the last sleep, as far as this process saw it
        self._turn = asyncio.Lock()

    async def observe(self, now_s: float) -> Observation:
        """Ask whether the server sleeps, and the prompt if it has to prove itself."""
        async with self._turn:
            try:
                if await self._sleeps():
                    self._proved = False
                    return Observation(now_s, UnitState.OFF, level=OFF)
                if not self._proved:
                    status, text = await self._ask_prompt()
                    if status != 200:
                        return Observation(now_s, UnitState.CHANGING, reasons=("starting",))
                    if self._answer not in text or (self._before and text != self._before):
                        return Observation(now_s, UnitState.FAULT, reasons=("wrong_answer",))
                    self._proved, self._before = True, text
            except ReadFailedError as error:
                return Observation(now_s, UnitState.UNKNOWN, reasons=(error.code,))
        return Observation(now_s, UnitState.RUNNING, level=ON)

    async def as_found(self) -> Setting | None:
        """Return whether the server works."""
        async with self._turn:
            try:
                return {"works": not await self._sleeps()}
            except ReadFailedError:
                return None

    def can(self, level: str) -> str | None:
        """Return why a level cannot be set."""
        return None if level in {OFF, ON} else "unknown_level: expected off or on"

    async def to(self, level: str, deadline_s: float) -> Answer:
        """Let the server sleep, or wake it."""
        if why := self.can(level):
            return Answer(Reply.REFUSED, why)
        return await self._switched(deadline_s, on=level == ON)

    def confirm(self, level: str, seen: Observation, now_s: float) -> Evidence:
        """Judge whether an observation shows the level."""
        return judge(level, seen, now_s)

    async def restore(self, setting: Setting, deadline_s: float) -> Answer:
        """Let the server sleep or wake as it was found."""
        if not isinstance(setting.get("works"), bool):
            return Answer(Reply.REFUSED, "config_incomplete: the stored setting does not say whether it worked")
        return await self._switched(deadline_s, on=setting["works"])

    async def close(self) -> None:
        """Do nothing: no connection is kept."""

    async def _switched(self, deadline_s: float, *, on: bool) -> Answer:
        async with self._turn:
            try:
                if await self._sleeps() != on:
                    return Answer(Reply.ACCEPTED, "nothing to send: the server is so")
            except ReadFailedError as error:
                return Answer(Reply.REFUSED, scrub_text(f"{error.code}: {error}"))
            self._proved = False
            path = "/wake_up" if on else "/sleep?level=1"
            try:
                answer = await self._web.ask(path, deadline_s, method="POST", headers=self._headers)
            except NotSentError as error:
                return Answer(Reply.REFUSED, scrub_text(f"{error.code}: {error}"))
            except ReadFailedError as error:
                return Answer(Reply.SILENT, scrub_text(f"{error.code}: {error}"))
        if answer.status != 200:
            return Answer(Reply.REFUSED, f"refused: HTTP status {answer.status}")
        return Answer(Reply.ACCEPTED, "wakes" if on else "sleeps")

    async def _sleeps(self) -> bool:
        answer = await self._web.ask("/is_sleeping", LOOK_S, headers=self._headers)
        if answer.status == 404:
            raise ReadFailedError("start it with --enable-sleep-mode and VLLM_SERVER_DEV_MODE=1", "write_off")
        if answer.status in {401, 403}:
            raise ReadFailedError(f"HTTP status {answer.status}", "login_refused" if self._headers else "login_needed")
        asleep = Section("", _document(answer.body)).truth("is_sleeping") if answer.status == 200 else None
        if asleep is None:
            raise ReadFailedError("the server does not say whether it sleeps", "malformed")
        return asleep

    async def _ask_prompt(self) -> tuple[int, str]:
        """Return the HTTP status and the text that the server answers to the prompt."""
        if not self._model:
            models = await self._web.ask("/v1/models", LOOK_S, headers=self._headers)
            listed = Section("", _document(models.body)).get("data")
            first = listed[0] if isinstance(listed, list) and listed else None
            self._model = Section("", first).text("id")
        body = {"model": self._model, "prompt": self._prompt, "max_tokens": _TOKENS, "temperature": 0}
        answer = await self._web.ask("/v1/completions", PROOF_S, body=json.dumps(body).encode(), headers=self._headers)
        choices = Section("", _document(answer.body)).get("choices")
        text = choices[0].get("text") if isinstance(choices, list) and choices and isinstance(choices[0], dict) else ""
        return answer.status, text if isinstance(text, str) else ""


def _document(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def make(address: str, options: Mapping[str, str]) -> Vllm:
    """Return the lever of a vLLM server.

    Raises
    ------
    InputError
        The address or an option is wrong.
    """
    host, port = parse_host(address, "address", PORT)
    public = options.get(PUBLIC, "no")
    if public not in {"yes", "no"}:
        raise InputError.at("address", PUBLIC, expected="yes or no", got=public)
    if ("prompt" in options) != ("answer" in options):
        raise InputError.at("address", "prompt", expected="a prompt with its answer, or neither", got="one of them")
    login = read_login("address", options)
    return Vllm(
        Remote(host, port, public=public == "yes"),
        prompt=options.get("prompt", _PROMPT),
        answer=options.get("answer", _ANSWER),
        model=options.get("model", ""),
        key="" if login is None else login.password,
    )


ENTRY = LeverKind(
    "vllm",
    "vLLM server: sleep and wake-up, with a prompt of known answer",
    "HOST or HOST:PORT (port 8000)",
    make,
    _OPTIONS,
)
