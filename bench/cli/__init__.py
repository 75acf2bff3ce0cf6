"""The command line: one file a command; the only place that prints and the only one that catches."""

import io
import os
import signal
import sys
from difflib import get_close_matches
from importlib import import_module
from typing import NoReturn

import click

# command -> (module, attribute, line of help). A module is imported only when its command is asked for.
COMMANDS: dict[str, tuple[str, str, str]] = {
    "doctor": (
        "bench.cli.doctor",
        "doctor",
        "What can run and be metered here; what is missing, and the cure.",
    ),
    "run": ("bench.cli.run.command", "run", "Measure workloads; without an argument, the main job."),
    "list": ("bench.cli.list_.command", "list_", "Workloads, variants, profiles, meters or results."),
    "show": ("bench.cli.show", "show", "One result or profile, with every source."),
    "compare": (
        "bench.cli.compare",
        "compare",
        "Results and profiles side by side: ratio, interval, verdict.",
    ),
    "profile": ("bench.cli.profile", "profile", "Write a profile of this machine; check profile files."),
    "yield": ("bench.cli.yield_.command", "yield_", "What sites earn: mining and inference on the same megawatt."),
    "report": ("bench.cli.report", "report", "One self-contained page from results and sites."),
    "validate": ("bench.cli.validate.command", "validate", "Our models against published figures."),
    "pytest": ("bench.cli.pytest_json", "pytest_json", "Import and export the JSON of pytest-benchmark."),
    "verify": ("bench.cli.verify", "verify", "Known answers from outside: headers of real blocks."),
}


class NearGroup(click.Group):
    """A group that names the nearest of its commands, or all, where there is none of a name."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Resolve as click does, after a look at the name."""
        known = self.list_commands(ctx)
        if args and args[0] not in known and not args[0].startswith("-"):
            near = get_close_matches(args[0], known, n=3)
            hint = f"did you mean {' or '.join(near)}?" if near else f"expected one of: {', '.join(known)}"
            raise click.UsageError(f"command {args[0]!r} is unknown; {hint}", ctx)
        return super().resolve_command(ctx, args)


class LazyGroup(NearGroup):
    """A group that knows its commands' names and help without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        """Return the names in the order of the table above."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import and return one command."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the table of commands from their one-line helps."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, _, line) in COMMANDS.items()])


def _print_version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        from bench import __version__

        click.echo(f"perwatt {__version__}")
        ctx.exit()


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version)
def perwatt() -> None:
    """What a megawatt is worth, hashed or inferred, from throughput per watt that was measured."""


def _fail(message: str, status: int) -> NoReturn:
    click.echo(f"error: {message}", err=True)
    sys.exit(status)


def main(argv: list[str] | None = None) -> NoReturn:
    """Run the command line; every error leaves here as one line on stderr.

    Exit status: 0 done, warnings included; 1 the run failed or is invalid; 2 the request was wrong.
    """
    if sys.stderr is None:  # closed (`2>&-`); so that nothing need ask
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115, PTH123
    if sys.stdout is None:
        _fail("stdout: expected a stream to write to, got a closed one; >/dev/null discards", 2)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that knows no ± shows a question mark instead
    try:
        status = perwatt.main(args=argv, prog_name="perwatt", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        sys.exit(2)
    except click.ClickException as error:
        _fail(" ".join(error.format_message().split()), 2)
    except (click.Abort, KeyboardInterrupt):
        # An interrupt that came through an exec of text (dataclasses do so) is remembered, and Python would end by the
        # signal whatever status we leave with; the next exec forgets it.
        exec("")  # noqa: S102
        _fail("interrupted; results written so far are whole", 130)
    except SystemExit:
        # Only click and rich leave so, when the reader of our output went away (`perwatt list | head`).
        sys.exit(0)
    except Exception as error:  # noqa: BLE001 (the one place that catches: sorted by kind below)
        _fail(*_explain(error))
    sys.exit(status if isinstance(status, int) else 0)


def _explain(error: Exception) -> tuple[str, int]:
    """Return the one line and the exit status for an error.

    Raises
    ------
    Exception
        An error that is our own defect, as it came, where PERWATT_DEBUG is set.
    """
    from bench.errors import RunFailedError
    from hardware_profiles.errors import InputError

    # KernelInputError goes by its name: importing kernels for it would cost every other error.
    if isinstance(error, InputError) or type(error).__name__ == "KernelInputError":
        return str(error), 2
    if isinstance(error, RunFailedError):
        return str(error), 1
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'system'}: {error.strerror}", 1
    if os.environ.get("PERWATT_DEBUG"):
        raise error
    return f"internal, please report it (PERWATT_DEBUG=1 shows where): {type(error).__name__}: {error}", 1
