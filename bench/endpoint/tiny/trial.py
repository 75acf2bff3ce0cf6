"""A few seconds of load on the tiny server: they show that the whole chain works, from the socket to the record."""

from dataclasses import replace
from typing import TYPE_CHECKING

from bench.endpoint.client.target import read_target
from bench.endpoint.device import describe_random
from bench.endpoint.setting import Setting, new_seed
from bench.endpoint.tiny.server import running
from bench.endpoint.workload import LlmServeEndpoint
from bench.measure.plans import get_plan
from bench.measure.runner import Progress, measure

if TYPE_CHECKING:
    from bench.measure.runner import Job
    from bench.results.record import Record

CONCURRENCY, PROMPT_TOKENS, OUTPUT_TOKENS = 2, 32, 32
WARM_UP_S = 6.0  # [s] longest warm-up
PLAN = "smoke"  # its results are neither compared nor carried to a site


def measure_tiny(job: "Job", on_progress: Progress) -> "Record":
    """Measure the tiny server with the plan `smoke`, whatever the plan of the job.

    Raises
    ------
    RunFailedError
        The server does not start or answer, or the record could not be written.
    """
    with running() as address:
        target = read_target(address)
        setting = Setting(
            target=target,
            model=None,
            prompt_tokens=PROMPT_TOKENS,
            output_tokens=OUTPUT_TOKENS,
            seed=new_seed(),
            concurrency=CONCURRENCY,
            processes=1,
            warm_up_s=WARM_UP_S,
        )
        workload = LlmServeEndpoint(setting, setting.ask())
        return measure(
            workload, replace(job, plan=get_plan(PLAN)), device=describe_random(target), on_progress=on_progress
        )
