"""`perwatt run endpoint`: tokens per second, latencies and joules per token of a live inference server."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli.commands import examples
from bench.cli.options import NUMBER, PositiveRange, WholeRange, is_stated, prepare_out, remote_options
from bench.cli.output import emit_json, progress
from bench.endpoint.tiny.sizes import SIZES
from hardware_profiles.errors import InputError, near_names

if TYPE_CHECKING:
    from bench.endpoint.figures.summary import Limits
    from bench.endpoint.load.trace import Trace
    from bench.endpoint.sweep.run import Loads
    from bench.measure.runner import Progress

SWEEP = "sweep"
MOST_AT_A_TIME, MOST_PROCESSES = 20_000, 256
PRESETS_MS = {  # limits of the first and of each further token, as MLPerf inference states them for its scenarios
    "llama2-70b": (2000.0, 200.0),
    "llama2-70b-interactive": (450.0, 40.0),
    "llama3.1-405b": (6000.0, 175.0),
    "llama3.1-405b-interactive": (4500.0, 80.0),
    "llama3.1-8b": (2000.0, 100.0),
    "llama3.1-8b-interactive": (500.0, 30.0),
    "deepseek-r1": (2000.0, 80.0),
    "deepseek-r1-interactive": (1500.0, 15.0),
    "gpt-oss-120b": (3000.0, 80.0),
}


@click.command(
    epilog=examples(
        "perwatt run endpoint --url http://gpu1:8000 --meter shelly:10.0.0.9",
        "perwatt run endpoint --url http://gpu1:8000 --concurrency sweep",
        "perwatt run endpoint --url http://gpu1:8000 --rate 4 --input 1000",
        "perwatt run endpoint --url tiny",
    )
)
@click.option("--url", required=True, help="Server with the OpenAI interface: http://HOST:8000, or tiny or small.")
@click.option("--model", help="Model to ask for. [default: the only one]")
@click.option("--interface", type=click.Choice(["completions", "chat"]), help="[default: completions if there are any]")
@click.option("--input", "input_len", type=WholeRange(1, 10**6), default=512, show_default=True, help="Prompt [token].")
@click.option("--output", "output_len", type=WholeRange(2, 10**6), default=128, show_default=True,
              help="Answer [token]; single ones lie within ± 20 %.")  # fmt: skip
@click.option("--mixes", metavar="IN:OUT,...",
              help="Three or more mixes of lengths, to tell the energy of prompts from that of answers.")  # fmt: skip
@click.option("--concurrency", default="8", show_default=True,
              help="Requests at a time: a number, a list (1,8,64), or `sweep`.")  # fmt: skip
@click.option("--most", type=WholeRange(1, MOST_AT_A_TIME), default=64, show_default=True,
              help="Last point of a sweep.")  # fmt: skip
@click.option("--rate", "rate_per_s", type=PositiveRange(1e6),
              help="Requests a second, at random times, instead of --concurrency.")  # fmt: skip
@click.option("--burstiness", type=PositiveRange(1e3), default=1.0, show_default=True,
              help="Of --rate: 1 is a Poisson process, less is burstier.")  # fmt: skip
@click.option("--arrivals", type=click.Path(path_type=Path),
              help="Trace of arrival times, and of lengths, to replay instead of --rate.")  # fmt: skip
@click.option("--dataset", type=click.Path(path_type=Path), help="File of your own prompts, one a line.")
@click.option("--free-length", is_flag=True, help="Let the model end its answers by itself.")
@click.option("--ttft-ms", type=NUMBER, help="A good request has its first token within this time [ms].")
@click.option("--tpot-ms", type=NUMBER, help="And each further token within this time [ms].")
@click.option("--limits", "preset", metavar="NAME",
              help="Both limits, as MLPerf states them: llama3.1-8b, llama2-70b and others.")  # fmt: skip
@click.option("--api-key-file", help="File with the API key (mode 0600).")
@click.option("--api-key-env", help="Environment variable with the API key.")
@click.option("--ca-file", default="", help="Certificates to trust, for https. [default: those of the system]")
@click.option(
    "--processes",
    type=WholeRange(1, MOST_PROCESSES),
    help="Processes of the client. [default: one for 250 requests at a time]",
)
@click.option("--seed", help="Seed of prompts and schedule. [default: a new one, so that no cache knows the prompts]")
@remote_options
def endpoint(
    url: str,
    model: str | None,
    interface: str | None,
    input_len: int,
    output_len: int,
    mixes: str | None,
    concurrency: str,
    most: int,
    rate_per_s: float | None,
    burstiness: float,
    arrivals: Path | None,
    dataset: Path | None,
    free_length: bool,
    ttft_ms: float | None,
    tpot_ms: float | None,
    preset: str | None,
    api_key_file: str | None,
    api_key_env: str | None,
    ca_file: str,
    processes: int | None,
    seed: str | None,
    plan: str,
    meters: tuple[str, ...],
    meter_period_s: float | None,
    clock_offset_s: float,
    watts: float | None,
    store: Path,
    as_json: bool,
) -> int:
    """Measure a live inference server: tokens per second, latencies, joules per token.

    The load keeps its requests running from before the first window until after the last. Tokens are counted as they
    arrive, over the same seconds as the energy. Every prompt is new, so that no cache of the server answers.
    """
    from bench.cli.run.endpoint_tables import print_endpoint
    from bench.cli.run.measure import opened, remote_specs
    from bench.cli.run.tables import document, exit_status
    from bench.endpoint.client.dataset import read_dataset
    from bench.endpoint.client.target import read_target
    from bench.endpoint.device import describe, describe_random
    from bench.endpoint.setting import Setting, new_seed
    from bench.endpoint.sweep.run import measure_loads
    from bench.measure.plans import get_plan
    from bench.measure.runner import Job
    from bench.meters.protocol import MeterOptions

    loads = _loads(concurrency, most, rate_per_s, mixes, arrivals)
    _refuse_without_effect(url, loads, has_dataset=dataset is not None)
    if processes is not None and loads.concurrency and processes > max(loads.concurrency):
        raise InputError.at("--processes", expected="at most the requests at a time", got=processes)
    chosen_plan = get_plan(plan)
    limits, texts = _limits(preset, ttft_ms, tpot_ms), read_dataset(dataset) if dataset is not None else ()
    trace = _trace(arrivals) if arrivals is not None else None
    prepare_out(store)
    options = MeterOptions(period_s=meter_period_s, clock_offset_s=clock_offset_s, watts=watts)
    with _served(url) as address, opened(chosen_plan, remote_specs(meters), options) as reading:
        setting = Setting(
            target=read_target(address, api_key_file, api_key_env, ca_file),
            model=model,
            prompt_tokens=input_len,
            output_tokens=output_len,
            seed=seed or new_seed(),
            burstiness=burstiness,
            trace=trace,
            interface="chat" if interface == "chat" else "completions" if interface else None,
            texts=texts,
            free_length=free_length,
            limits=limits,
            processes=processes,
        )
        job = Job.start(chosen_plan, store, sys.argv[1:])
        device = describe_random(setting.target, SIZES[url]) if url in SIZES else describe(setting.target)
        with _showing(quiet=as_json) as begin:
            records = measure_loads(setting, loads, job, reading, device, begin)
    if as_json:
        emit_json(document(records, store, None))
    else:
        print_endpoint(records, store, limits)
    return exit_status(records)


@contextmanager
def _served(url: str) -> Iterator[str]:
    """Yield the address of the server; `tiny` and `small` start one on this machine."""
    from bench.endpoint.tiny.server import is_installed, running

    if url not in SIZES:
        yield url
        return
    if not is_installed():
        raise InputError.at("--url", expected=f"an address; {url} needs `pip install 'perwatt[serve]'`", got=url)
    with running(SIZES[url]) as address:
        yield address


@contextmanager
def _showing(*, quiet: bool) -> "Iterator[Callable[[str], tuple[Progress, Callable[[str], None]]]]":
    """Yield what begins the progress of a load on the screen."""
    with progress(quiet=quiet) as bars:

        def begin(name: str) -> "tuple[Progress, Callable[[str], None]]":
            task = bars.add_task(name, total=1.0)

            def show(stage: str, done: float) -> None:
                bars.update(task, completed=done, description=f"{name}: {stage}")

            def end(status: str) -> None:
                bars.update(task, completed=1.0, description=f"{name}: {status}")

            return show, end

        yield begin


def _trace(path: Path) -> "Trace":
    """Return the trace to replay.

    Raises
    ------
    InputError
        As `read_trace`, or the trace has lengths, and an option states others.
    """
    from bench.endpoint.load.trace import read_trace

    trace = read_trace(path)
    for name, option in (("input_len", "--input"), ("output_len", "--output"), ("dataset", "--dataset")):
        if is_stated(name) and trace.input_lengths is not None:
            raise InputError.at(option, expected="no other lengths than those of the trace", got=f"--arrivals {path}")
    return trace


def _loads(
    concurrency: str, most: int, rate_per_s: float | None, mixes: str | None, arrivals: Path | None = None
) -> "Loads":
    """Return the loads that `--concurrency` or `--rate` name; a trace of arrivals is a load by itself.

    Raises
    ------
    InputError
        Several are used, or a number is none or too large.
    """
    from bench.endpoint.mixes import parse_mixes
    from bench.endpoint.sweep.points import geometric
    from bench.endpoint.sweep.run import Loads

    if arrivals is not None:
        others = {"--rate": rate_per_s is not None, "--mixes": mixes is not None,
                  "--concurrency": is_stated("concurrency")}  # fmt: skip
        for name in (name for name, used in others.items() if used):
            raise InputError.at("--arrivals", expected=f"either --arrivals or {name}", got="both")
        return Loads()
    if rate_per_s is not None:
        if is_stated("concurrency"):
            raise InputError.at("--rate", expected="either --rate or --concurrency", got="both")
        return Loads(rate_per_s=rate_per_s, mixes=parse_mixes(mixes))
    if concurrency.strip().lower() == SWEEP:
        if mixes is not None:
            raise InputError.at("--mixes", expected="one number of requests at a time with it", got="a sweep")
        return Loads(tuple(geometric(most)), sweep=True)
    numbers = [part.strip() for part in concurrency.split(",")]
    if not all(part.isascii() and part.isdecimal() and 1 <= int(part) <= MOST_AT_A_TIME for part in numbers):
        raise InputError.at(
            "--concurrency", expected=f"numbers from 1 to {MOST_AT_A_TIME:,}, or sweep", got=concurrency
        )
    points = tuple(dict.fromkeys(int(part) for part in numbers))
    if mixes is not None and len(points) > 1:
        raise InputError.at("--mixes", expected="one number of requests at a time with it", got=concurrency)
    return Loads(points, mixes=parse_mixes(mixes))


def _refuse_without_effect(url: str, loads: "Loads", *, has_dataset: bool) -> None:
    """Refuse options that the others leave without an effect.

    Raises
    ------
    InputError
        There is one; the message says what it needs.
    """
    is_random = loads.sweep or loads.rate_per_s is not None
    for option, name, has_effect, needed in (
        ("--most", "most", loads.sweep, "--concurrency sweep with it"),
        ("--burstiness", "burstiness", loads.rate_per_s is not None, "--rate with it"),
        ("--dataset", "dataset", not loads.mixes, "no --mixes with it, which are lengths of made prompts"),
        ("--input", "input_len", not loads.mixes, "no --mixes with it, which have lengths of their own"),
        ("--output", "output_len", not loads.mixes, "no --mixes with it, which have lengths of their own"),
        ("--input", "input_len", not has_dataset, "no --dataset with it, whose prompts have lengths of their own"),
        ("--seed", "seed", not has_dataset or is_random, "no --dataset with it, whose prompts are not drawn"),
        ("--ca-file", "ca_file", url.lower().startswith("https:"), "an address that begins with https:"),
        ("--api-key-file", "api_key_file", url not in SIZES, "a server that asks for a key"),
        ("--api-key-env", "api_key_env", url not in SIZES, "a server that asks for a key"),
    ):
        if is_stated(name) and not has_effect:
            is_of_address = name in {"ca_file", "api_key_file", "api_key_env"}
            got = url if is_of_address else click.get_current_context().params[name]
            raise InputError.at(option, expected=needed, got=got)


def _limits(preset: str | None, ttft_ms: float | None, tpot_ms: float | None) -> "Limits":
    from bench.endpoint.figures.summary import Limits

    if preset is not None and (ttft_ms, tpot_ms) != (None, None):
        raise InputError.at("--limits", expected="either --limits or --ttft-ms and --tpot-ms", got="both")
    if preset is not None and preset not in PRESETS_MS:
        near = near_names(preset, PRESETS_MS)
        raise InputError.at("--limits", expected=f"one of {', '.join(PRESETS_MS)}", got=preset, near=near)
    first_ms, next_ms = PRESETS_MS[preset] if preset is not None else (ttft_ms, tpot_ms)
    for name, value in (("--ttft-ms", first_ms), ("--tpot-ms", next_ms)):
        if value is not None and not 0.0 < value < 1e9:
            raise InputError.at(name, expected="a time above 0 [ms]", got=value)
    return Limits(*(None if value is None else value / 1e3 for value in (first_ms, next_ms)))
