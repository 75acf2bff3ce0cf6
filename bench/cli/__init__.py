"""The command line: one module or folder for each command, and the only code that prints or catches."""

import errno
import io
import os
import re
import select
import signal
import sys
from typing import TYPE_CHECKING, NoReturn, TextIO

import click

from bench.cli.commands import COMMANDS, LazyGroup, examples
from bench.machine.variables import settle

if TYPE_CHECKING:
    from types import FrameType

    from hardware_profiles.errors import InputError

__all__ = ["COMMANDS", "main", "perwatt"]

NUMBA_FILE = ".numba_config.yaml"
STDOUT = 1  # file descriptor
_interrupts: list[int] = []  # a signal for each Ctrl-C since the command began
FIRST_STEPS = """\
First steps:
  perwatt doctor                           check what this machine can run and meter
  perwatt run                              measure this machine (about a minute)
  perwatt yield georgia-50mw-gpu-modules   compute what an example site yields
"""


def _print_version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        from bench import __version__

        click.echo(f"perwatt {__version__}")
        ctx.exit()


@click.command(
    cls=LazyGroup,
    invoke_without_command=True,
    epilog=examples(
        "perwatt run sha256d_scan_cpu", "perwatt compare antminer-s21 whatsminer-m60s", "perwatt yield --help"
    ),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Print the version."
)
@click.pass_context
def perwatt(context: click.Context) -> None:
    """Measure hashing and AI inference per watt, and compute what a megawatt earns with either."""
    if context.invoked_subcommand is None:
        click.echo(f"{FIRST_STEPS}\n{context.get_help()}")


def _fail(message: str, status: int) -> NoReturn:
    from bench.cli.output import fault

    for line in message.split("\n"):
        fault(line)
    try:
        sys.stdout.flush()
    except (OSError, AttributeError):  # a full disk; or a closed stream
        os.dup2(os.open(os.devnull, os.O_WRONLY), STDOUT)  # else Python fails again as it ends, with status 120
    sys.exit(status)


def main(argv: list[str] | None = None) -> NoReturn:
    """Run the command line; every error ends here, as one line on stderr for each fault.

    The exit status is 0 for success, with or without warnings; 1 for a run that failed or is invalid; 2 for a wrong
    request; 130 for Ctrl-C.
    """
    _prepare()
    try:
        status = perwatt.main(args=argv, prog_name="perwatt", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        sys.exit(2)
    except click.ClickException as error:
        _fail(str(_wrong_request(error)), 2)
    except (click.Abort, KeyboardInterrupt):
        _end_interrupted()
    except SystemExit as leaving:
        _leave(leaving)
    except Exception as error:  # noqa: BLE001 (the only handler: _explain sorts errors by kind)
        if _interrupts:
            _end_interrupted()
        _fail(*_explain(error))
    sys.exit(status if isinstance(status, int) else 0)


def _prepare() -> None:
    """Prepare streams, signals and variables for the command."""
    if sys.stderr is None:  # closed by `2>&-`; now no other code has to check
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115, PTH123
    if sys.stdout is None:
        _fail("stdout: expected an open stream, got a closed one; to discard the output, use >/dev/null", 2)
    _interrupts.clear()
    signal.signal(signal.SIGINT, _interrupt)
    settle()
    if os.path.lexists(NUMBA_FILE):
        _fail(f"{NUMBA_FILE}: expected no such file in the current folder, because Numba takes its settings from it", 2)
    sys.stdout = _buffered(sys.stdout)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without ± in its character set shows a question mark


def _interrupt(number: int, frame: "FrameType | None") -> None:
    """Note Ctrl-C before it is raised, because compiled code may raise an error of its own in its place."""
    _interrupts.append(number)
    signal.default_int_handler(number, frame)


def _end_interrupted() -> NoReturn:
    _forget_interrupt()
    _fail("interrupted; the results written so far are complete", 130)


def _buffered(stream: TextIO) -> TextIO:
    """Return a stream that writes every byte or fails: without a buffer (PYTHONUNBUFFERED), a full disk loses some."""
    raw = stream.buffer if isinstance(stream, io.TextIOWrapper) else None
    if isinstance(raw, io.FileIO) and raw.fileno() == STDOUT:
        return io.TextIOWrapper(io.BufferedWriter(raw), stream.encoding, line_buffering=True)
    return stream


def _leave(leaving: SystemExit) -> NoReturn:
    """End after a call of `sys.exit` in a library: with its status, as done, or with an error."""
    if "_PERWATT_COMPLETE" in os.environ:  # click prints the completion script of a shell and leaves
        sys.exit(leaving.code)
    # click and rich leave when the reader of our output has closed it (`perwatt list profiles | head`), which is no
    # failure. Nothing else of ours leaves in this way: a package did, and the request is not done.
    if _reader_is_gone():
        sys.exit(0)
    _fail(f"a package ended the program: expected a return, got SystemExit: {leaving.code}", 1)


def _reader_is_gone() -> bool:
    """Return whether stdout is a pipe that nobody reads any more."""
    poller = select.poll()
    poller.register(STDOUT, 0)
    return any(event & select.POLLERR for _, event in poller.poll(0))


def _wrong_request(error: click.ClickException) -> "InputError":
    """Return an error of click as an error of ours, which names the command, the option, expected and got."""
    from hardware_profiles.errors import InputError

    text = " ".join(error.format_message().split())
    if isinstance(error, click.BadOptionUsage):  # click does not say to which command the option belongs
        place, refuses = error.option_name, "does not take a value" in text
        return InputError(f"{place}: expected {'no value, got one' if refuses else 'a value, got nothing'}")
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is None:
        return InputError(text)
    place = context.command_path
    if isinstance(error, click.NoSuchOption):
        return InputError.at(
            place, expected="a known option", got=error.option_name, near=tuple(error.possibilities or ())
        )
    if isinstance(error, click.BadParameter) and error.param is not None:
        return _wrong_value(f"{place}: {_name(error.param, context)}", error)
    return _wrong_word(place, text)


def _wrong_word(place: str, text: str) -> "InputError":
    """Return the error for a word of the command line that no command takes."""
    from hardware_profiles.errors import InputError

    if extra := re.fullmatch(r"Got unexpected extra arguments? \((.*)\)", text):
        return InputError.at(place, expected="no further argument", got=extra[1])
    return InputError(f"{place}: {text}")


def _name(param: click.Parameter, context: click.Context) -> str:
    """Return the name of an option as it is typed (the long one), or of an argument as the help shows it."""
    return max(param.opts, key=len) if isinstance(param, click.Option) else param.make_metavar(context)


def _wrong_value(place: str, error: click.BadParameter) -> "InputError":
    """Return the error for a value that click could not convert, or that is missing."""
    from hardware_profiles.errors import InputError, near_names

    if isinstance(error, click.MissingParameter):
        return InputError.at(place, expected="a value")
    kind = error.param.type if error.param else None
    if isinstance(kind, click.Choice) and (match := re.match(r"'(.*)' is not", error.message)):
        near = near_names(match[1], kind.choices)
        return InputError.at(place, expected=f"one of {', '.join(kind.choices)}", got=match[1], near=near)
    if match := re.fullmatch(r"'(.*)' is not a valid (.*)\.", error.message, re.DOTALL):
        numbers = {"integer": "a whole number", "float": "a number"}
        name = match[2].removesuffix(" range")
        return InputError.at(place, expected=numbers.get(name, f"a valid {name}"), got=match[1])
    if match := re.fullmatch(r"(\S+) is not in the range (.*)\.", error.message):
        return InputError(f"{place}: expected a number in the range {match[2]}, got {match[1]}")
    return InputError(f"{place}: {error.message}")


def _forget_interrupt() -> None:
    """Make Python end with the exit status that is passed to `sys.exit`.

    CPython notes a KeyboardInterrupt that passed through an `exec` of source text (the dataclasses module uses one)
    and then ends the process by SIGINT, regardless of the exit status. Only the next `exec` of text clears the note;
    `os._exit` would skip the handlers of `atexit`, and there is no other interface.
    """
    exec("")  # noqa: S102 (the text is empty)


def _explain(error: Exception) -> tuple[str, int]:
    """Return the line to print for an error, and the exit status.

    Raises
    ------
    Exception
        The error is a defect of perwatt, and PERWATT_DEBUG is set: it is raised again unchanged.
    """
    from bench.errors import RunFailedError
    from hardware_profiles.errors import InputError
    from kernels.errors import KernelInputError

    if isinstance(error, InputError | KernelInputError):
        return str(error), 2
    if isinstance(error, RunFailedError):
        return str(error), 1
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'system'}: {error.strerror}", 2 if error.errno == errno.ENAMETOOLONG else 1
    if os.environ.get("PERWATT_DEBUG"):
        raise error
    if isinstance(error, MemoryError):
        return "memory: expected more than this process may use (free some, or ask for less at once)", 1
    text = " ".join(str(error).split())
    return f"internal, please report it (PERWATT_DEBUG=1 shows where): {type(error).__name__}: {text}", 1
