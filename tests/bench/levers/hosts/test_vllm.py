"""Sleep and wake-up of a vLLM server."""

import pytest
from doubles.miners.web import FakeWebMiner

from bench.levers.protocol import Evidence, Reply
from bench.levers.registry import open_lever
from hardware_profiles.errors import InputError
from sites.control.model import UnitState


class FakeVllm(FakeWebMiner):
    """`lies`: `gibberish` after a wake-up, or it `drifts`, `no_effect`, `no_sleep_mode`, `hangs_up` at `/sleep`."""

    def __init__(self, lies=()):
        self.lies, self.asleep, self.prompts, self.woke = set(lies), False, [], False
        routes = {
            "GET /v1/models": {"data": [{"id": "m"}]},
            "POST /v1/completions": self.complete,
            "POST /sleep": lambda _: self.switch(True),
            "POST /wake_up": lambda _: self.switch(False),
        }
        if "no_sleep_mode" not in self.lies:
            routes["GET /is_sleeping"] = lambda _: {"is_sleeping": self.asleep}
        super().__init__(routes)

    def switch(self, asleep):
        if "no_effect" not in self.lies:
            self.asleep, self.woke = asleep, not asleep
        return {}

    def complete(self, body):
        self.prompts.append(body)
        if self.asleep:
            return 503, {}
        lie = {"gibberish": "!!!!", "drifts": " 4!4!"}.get(next(iter(self.lies), ""), "") if self.woke else ""
        return {"choices": [{"text": lie or " 4."}]}


@pytest.fixture
def server(held):
    """Return a function that starts a server and holds its lever."""
    made = []

    def start(*lies, **options):
        made.append(FakeVllm(lies))
        one = held(open_lever("vllm", f"127.0.0.1:{made[-1].port}", options))
        one.fake = made[-1]
        return one

    yield start
    for one in made:
        one.close()


def test_it_sleeps_wakes_and_comes_back(server):
    vllm = server()
    before = vllm.as_found()
    assert before == {"works": True}
    assert vllm.to("off").reply is Reply.ACCEPTED
    assert vllm.shows("off") is Evidence.CONFIRMED
    assert vllm.restore(before).reply is Reply.ACCEPTED
    assert vllm.shows("on") is Evidence.CONFIRMED
    assert vllm.as_found() == before
    assert vllm.restore(before).says.startswith("nothing to send")


def test_a_server_that_wakes_with_gibberish_does_not_count_as_running(server):
    vllm = server("gibberish")
    vllm.to("off")
    vllm.to("on")
    seen = vllm.look()
    assert (seen.state, seen.reasons) == (UnitState.FAULT, ("wrong_answer",))
    assert vllm.shows("on") is Evidence.CONTRARY


def test_the_prompt_is_asked_once_after_each_wake_up(server):
    vllm = server(prompt="two and two", answer="4")
    for _ in range(3):
        assert vllm.look().state is UnitState.RUNNING
    assert [body["prompt"] for body in vllm.fake.prompts] == ["two and two"]
    assert vllm.fake.prompts[0]["model"] == "m"
    vllm.to("off")
    vllm.to("on")
    vllm.look()
    assert len(vllm.fake.prompts) == 2


def test_a_server_that_slept_stays_asleep(server):
    vllm = server()
    vllm.fake.asleep = True
    before = vllm.as_found()
    vllm.to("on")
    vllm.restore(before)
    assert vllm.fake.asleep


def test_a_command_without_effect_is_contrary(server):
    vllm = server("no_effect")
    assert vllm.to("off").reply is Reply.ACCEPTED
    assert vllm.shows("off") is Evidence.CONTRARY


def test_a_server_without_the_sleep_mode_is_said_with_the_cure(server):
    vllm = server("no_sleep_mode")
    assert vllm.look().reasons == ("write_off",)
    assert vllm.as_found() is None
    assert "VLLM_SERVER_DEV_MODE=1" in vllm.to("off").says


@pytest.mark.parametrize("options", [{"prompt": "x"}, {"public": "maybe"}, {"nonsense": "1"}])
def test_options_that_make_no_sense_are_refused(options):
    with pytest.raises(InputError):
        open_lever("vllm", "127.0.0.1:8000", options)


def test_a_server_that_wakes_with_another_answer_than_before_its_sleep_does_not_count_as_running(server):
    vllm = server("drifts")
    assert vllm.shows("on") is Evidence.CONFIRMED
    vllm.to("off")
    vllm.to("on")
    assert (vllm.look().state, vllm.look().reasons) == (UnitState.FAULT, ("wrong_answer",))
