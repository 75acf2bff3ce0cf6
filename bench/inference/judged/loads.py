"""The load of a published row: its setup and its steps."""

import math
from dataclasses import replace

from bench.inference.accelerator import accelerator
from bench.inference.batching import Limits, StepTrace
from bench.inference.columns.row import Row
from bench.inference.judged.settings import engine_of
from bench.inference.predict import Run, plan_run
from bench.inference.serving import Setup, served_precision
from bench.inference.traces.steady import steady_steps, steady_window
from bench.inference.traces.varied import uniform_lengths, varied_steps
from bench.inference.traces.window import FullRun, Window, full_window
from hardware_profiles.errors import InputError
from kernels.llm.counts import precision, weight_bytes
from kernels.llm.shapes import load


def planned(row: Row) -> Run | str:
    """Return the load of a row, or why it has none."""
    if row.refused is not None:
        return row.refused
    if not (row.model_name and row.dtype and row.device_slug and row.input_len and row.output_len):
        return "a figure of the row is unknown"
    try:
        setup = _setup(row)
        if row.clients is None or not (row.steady or row.spread == "uniform"):
            return plan_run(setup, row.input_len, row.output_len, clients=row.clients, requests=row.requests)
        setup.check_lengths(row.input_len, row.output_len)
        trace = _trace(row, setup, row.input_len, row.output_len, row.clients)
    except InputError as error:
        return str(error)
    batch = setup.online_limits().batch
    return Run(setup, row.input_len, row.output_len, row.clients, row.clients, max(batch, row.clients), False, trace)


def configuration(row: Row) -> str:
    """Return the name of a row's model, precision, device, GPUs and engine."""
    shards = f"{row.gpus}x{row.expert}x{row.data}"
    return f"{row.model_name} {row.dtype} {row.device_slug} {shards} {row.engine}"


def _setup(row: Row) -> Setup:
    serving = engine_of(row)
    kind = served_precision(row.dtype or "", serving)
    return Setup(
        load(row.model_name or ""),
        kind,
        accelerator(row.device_slug or ""),
        _shards(row),
        serving,
        row.expert,
        row.data,
    )


def _trace(row: Row, setup: Setup, input_len: int, output_len: int, clients: int) -> StepTrace:
    """Return the steps of a window with a full batch, or of a run of unlike lengths from its start to its end."""
    limits = setup.online_limits()
    if row.steady:
        limits = Limits(max(limits.batch, clients), max(limits.tokens, 2 * clients))
        return steady_steps(input_len, output_len, clients, limits, _window(row, setup, input_len, output_len, clients))
    return varied_steps(uniform_lengths(input_len, output_len, row.requests or 10 * clients), limits, clients)


def _window(row: Row, setup: Setup, input_len: int, output_len: int, clients: int) -> Window:
    """Return the mean step of a row's window; the contexts of a full batch fit in memory."""
    window = steady_window(input_len, output_len, clients, row.spread)
    if row.requests is not None and row.most_batch is not None and row.requests > row.most_batch + 1:
        run = FullRun(
            input_len, output_len, row.spread, row.requests, row.prompts or row.requests, clients, row.most_batch,
            setup.online_limits().tokens, setup.data,
        )  # fmt: skip
        held = setup.most_sequences(math.ceil(window.context)) * math.ceil(window.context)
        window = full_window(run, held)
    fitting = next((kept for kept in _contexts(window.context) if setup.most_sequences(kept) >= clients), input_len)
    return replace(window, context=min(window.context, float(fitting)))


def _contexts(most: float) -> list[int]:
    """Return contexts from the largest down, by steps of a hundredth."""
    return [math.ceil(most * (1.0 - place / 100.0)) for place in range(100)]


def _shards(row: Row) -> int:
    """Return the number of GPUs of one copy of the model: all, or in MLPerf as few as hold its weights twice.

    If no server holds them twice, a copy has a whole server that holds them once.

    That is one GPU for every bundled row of up to 70 thousand million weights, which agrees with the submissions'
    configurations as far as they are published.
    """
    if not row.separate:
        return row.gpus
    weights = weight_bytes(load(row.model_name or ""), precision(row.dtype or ""))
    memory = accelerator(row.device_slug or "").memory_bytes
    possible = [count for count in (1, 2, 4, 8) if row.gpus % count == 0 and count * memory > weights]
    return next((count for count in possible if count * memory > 2 * weights), possible[-1] if possible else row.gpus)
