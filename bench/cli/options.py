"""Options that several commands share, and the types of their values."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from bench.cli import completion
from bench.cli.output import warn
from bench.results.layout import STORE
from hardware_profiles.decoding import is_decimal
from hardware_profiles.errors import InputError


class _Folder(click.Path):
    """A folder's path that is not empty: `--out ""`, from an unset variable of a script, is not the current folder."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        if not str(value).strip():
            raise InputError.at(param.opts[0] if param else "value", expected="a folder", got=str(value))
        return Path(str(super().convert(value, param, ctx)))


class _Plain(click.ParamType):  # type: ignore[type-arg]  # generic only from click 8.4 on
    """A number in decimal digits: Python also reads `1_0` as 10, and digits of other scripts."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number of a decimal text; `nan` is left to the range of the option."""
        if isinstance(value, str) and not (is_decimal(value.strip()) or value.strip().isalpha()):
            self.fail(f"{value!r} is not a valid {self.name}.", param, ctx)
        return super().convert(value, param, ctx)


class _Whole(_Plain, click.types.IntParamType):
    pass


class _Number(_Plain, click.types.FloatParamType):
    pass


class WholeRange(_Plain, click.IntRange):
    """A whole number within a range."""


class PositiveRange(_Plain, click.FloatRange):
    """A finite number above 0 and at most `highest`: click's range accepts `nan`, and sums of 1e308 overflow."""

    def __init__(self, highest: float) -> None:
        super().__init__(min=0, min_open=True)
        self.highest = highest

    def convert(self, value: Any, param: click.Parameter | None, context: click.Context | None) -> float:
        """Return the number.

        Raises
        ------
        InputError
            The number is outside the range; the message names the option.
        """
        number = float(super().convert(value, param, context))
        if not math.isfinite(number) or number > self.highest:
            option = param.opts[-1] if param else "value"
            raise InputError.at(option, expected=f"a finite number above 0, up to {self.highest:,.0f}", got=number)
        return number


FOLDER = _Folder(path_type=Path)
WHOLE = _Whole()
NUMBER = _Number()
# The limit is above every plausible value. USD/PH/s/day: in 2010 one petahash was the whole network, at 0.10 USD a
# bitcoin. J/TH: a CPU of 2009 took some 10^7.
POSITIVE = PositiveRange(1e9)

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")
store_option = click.option(
    "--out", "store", type=FOLDER, default=STORE, show_default=True, help="Folder of the results."
)
results_option = click.option(
    "--results", "store", type=FOLDER, default=STORE, show_default=True, help="Folder of the results."
)
meter_period_option = click.option("--meter-period-s", type=NUMBER, help="Update period of a power meter [s].")
clock_offset_option = click.option(
    "--clock-offset-s", type=NUMBER, default=0.0, help="Clock of a log minus the clock of this machine [s]."
)
profiles_option = click.option(
    "--profiles",
    "own",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Folder of your own profiles, searched before PERWATT_PROFILES and the catalogue.",
)


def signers_option(*, required: bool = False) -> Callable[[Any], Any]:
    """Return the option `--allowed-signers`."""
    return click.option(
        "--allowed-signers",
        "signers",
        type=click.Path(path_type=Path),
        envvar="PERWATT_ALLOWED_SIGNERS",
        show_envvar=True,
        required=required,
        help="File of the ssh keys that may sign results, in the format of ssh-keygen.",
    )


def prepare_out(store: Path) -> None:
    """Make the results folder of `--out` and check it before a run spends minutes; what is peculiar is a warning."""
    from bench.results.writing import prepare_store

    if notice := prepare_store(store):
        warn(notice)


def plan_option(help_text: str) -> Callable[[Any], Any]:
    """Return the option `--plan` with this help, in which `PLANS` stands for the names of the plans."""
    from bench.measure.plans import DEFAULT_PLAN, PLANS

    *names, last = PLANS
    return click.option(
        "--plan",
        default=DEFAULT_PLAN,
        show_default=True,
        shell_complete=completion.plans,
        help=help_text.replace("PLANS", f"{', '.join(names)} or {last}"),
    )


def remote_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a measured device elsewhere on the network: plan, meters, power, folder and JSON."""
    options = (
        plan_option("Measurement plan: PLANS."),
        click.option(
            "--meter", "meters", multiple=True, shell_complete=completion.meters, help="Meter, as in `perwatt run`."
        ),
        meter_period_option,
        clock_offset_option,
        click.option("--watts", type=NUMBER, help="Assumed power [W]; it is never reported as measured energy."),
        store_option,
        json_option,
    )
    for option in reversed(options):
        command = option(command)
    return command


def is_stated(name: str) -> bool:
    """Return whether the command line states a parameter of the present command."""
    return click.get_current_context().get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
