"""The run of `perwatt run llm` for a GPU of the catalogue."""

from dataclasses import dataclass
from pathlib import Path

from bench.cli.options import is_stated
from bench.cli.output import emit_json
from bench.cli.run.llm_tables import document, print_modelled
from bench.cli.run.modelled.loads import Loads, closed_loops, open_loops, refuse_without_effect
from bench.cli.run.modelled.open_loop_tables import open_document, print_open
from hardware_profiles.errors import InputError

MEASURED_ONLY = {
    "threads": "--threads", "plan": "--plan", "meters": "--meter", "watts": "--watts", "store": "--out",
}  # fmt: skip
MODELLED_ONLY = {
    "offline": "--offline", "ttft_ms": "--ttft-ms", "tpot_ms": "--tpot-ms", "quantile": "--quantile", "rate": "--rate",
    "arrivals": "--arrivals", "burstiness": "--burstiness", "seed": "--seed", "engine": "--engine", "cap_w": "--cap",
    "server": "--measured", "plot": "--plot",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Setting:
    """The model and the device of the command line."""

    model: str
    dtype: str
    device: str
    gpus: int
    engine: str | None  # class of serving engines with its shards, or None for the default
    cap_w: float | None  # [W] power limit of each GPU
    server: str | None  # identifier of a measured result that scales the model
    store: Path  # folder of results


def model_llm(setting: Setting, loads: Loads, plot: Path | None, *, chosen: bool, as_json: bool) -> int:
    """Print the loads of a model on a device.

    Parameters
    ----------
    setting
        The model and the device.
    loads
        The loads.
    plot
        File of the plot, or None.
    chosen
        Whether the command line names the device.
    as_json
        Whether one JSON document is printed.
    """
    from bench.inference.plots import check_plot_path, plot_pareto
    from bench.inference.rates import make_setup
    from bench.inference.site.scale import scale_of

    _refuse_measured_only(setting.device)
    refuse_without_effect(loads)
    if plot is not None:
        check_plot_path(plot)
    setup = make_setup(setting.model, setting.dtype, setting.device, setting.gpus, setting.engine)
    if setup.device.power_w is None:
        raise InputError.at(
            f"profile {setting.device}", "tdp_w", expected="a power, which the tags of a token rate need"
        )
    scale = scale_of(setup, setting.store, setting.server)
    opened = open_loops(setup, loads, setting.cap_w, scale) if loads.is_open else []
    predictions = [one.prediction for one in opened] or closed_loops(setup, loads, setting.cap_w, scale)
    if plot is not None:
        plot_pareto(predictions, plot)
    if as_json:
        emit_json(open_document(setup, opened) if opened else document(setup, predictions))
    elif opened:
        print_open(setup, opened, chosen=chosen)
    else:
        print_modelled(setup, predictions, chosen=chosen)
    return 0


def _refuse_measured_only(device: str) -> None:
    """Refuse options that a modelled run ignores, and a number of GPUs in the name of the device."""
    from hardware_profiles.catalog import names

    for name, option in MEASURED_ONLY.items():
        if is_stated(name):
            raise InputError.at(option, expected="--device cpu or gpu:INDEX, which are measured", got=device)
    slug, cross, count = device.rpartition("x")
    if cross and count.isdigit() and slug in names():
        raise InputError.at("--device", expected=f"{slug} with --gpus {count}", got=device)
