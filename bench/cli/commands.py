"""The table of commands and the groups of commands, which import a command only when it is called."""

from importlib import import_module
from typing import TYPE_CHECKING

import click

from hardware_profiles.errors import InputError, near_names

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMMANDS: dict[str, tuple[str, str, str]] = {  # command: module, attribute, line of help
    "doctor": (
        "bench.cli.doctor",
        "doctor",
        "Check what this machine can run and meter, and how to add what is missing.",
    ),
    "run": ("bench.cli.run.command", "run", "Measure workloads; without a workload, run the main job."),
    "list": (
        "bench.cli.list_.command",
        "list_",
        "List workloads, variants, models, profiles, meters, tables, results or ramps.",
    ),
    "meter": ("bench.cli.meter.command", "meter", "Check a meter before a run."),
    "miner": ("bench.cli.miner.command", "miner", "Show what an ASIC miner on the network says of itself."),
    "levers": (
        "bench.cli.levers.command",
        "levers",
        "Show what can be set on devices, and bring back what a killed program left set.",
    ),
    "sweep": (
        "bench.cli.sweep.command",
        "sweep",
        "Measure a workload at several levels of a lever, and find the levels that may be the best.",
    ),
    "endpoint": (
        "bench.cli.endpoint.command",
        "endpoint",
        "Import results of other load generators, or export to their format.",
    ),
    "feed": ("bench.cli.feed.command", "feed", "Read market files as exported; fetch data over the network."),
    "ramp": ("bench.cli.ramp.command", "ramp", "Measure how long a device takes to switch off and on, and the joules."),
    "show": ("bench.cli.show", "show", "Show one result or profile with its sources."),
    "compare": (
        "bench.cli.compare.command",
        "compare",
        "Compare results and profiles: ratio, interval, verdict; or units of a fleet.",
    ),
    "profile": ("bench.cli.profile", "profile", "Write a profile of this machine, or check profile files."),
    "site": ("bench.cli.site.command", "site", "Write a first site file, or the schemas for an editor."),
    "yield": (
        "bench.cli.yield_.command",
        "yield_",
        "Compute what a site yields in a year: BTC, tokens and USD per MWh.",
    ),
    "report": ("bench.cli.report", "report", "Write results and sites to one self-contained HTML page."),
    "results": ("bench.cli.results.command", "results", "Check stored results, sign them, and verify signatures."),
    "lab": ("bench.cli.lab.command", "lab", "Measure on many hosts by one plan, and collect every result once."),
    "control": (
        "bench.cli.control.command",
        "control",
        "Carry a plan out: in shadow, or armed by a file.",
    ),
    "twin": ("bench.cli.twin.command", "twin", "Simulate a site on loopback, with real protocols, until Ctrl-C."),
    "validate": ("bench.cli.validate.command", "validate", "Test the models against published figures."),
    "pytest": ("bench.cli.pytest_json", "pytest_json", "Import or export the JSON of pytest-benchmark."),
    "verify": ("bench.cli.verify", "verify", "Check the SHA-256 kernels against headers of real blocks."),
}


def examples(*lines: str) -> str:
    """Return the epilog of a command's help that shows these command lines."""
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])


class NearGroup(click.Group):
    """A group that answers an unknown command with the nearest names, or with all of them."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Resolve as click does, after a check of the name."""
        known = self.list_commands(ctx)
        if args and args[0] not in known and not args[0].startswith("-") and not ctx.resilient_parsing:
            near = near_names(args[0], known)
            expected = "a known command" if near else f"one of {', '.join(known)}"
            raise InputError.at(ctx.command_path, expected=expected, got=args[0], near=near)
        return super().resolve_command(ctx, args)


class LazyGroup(NearGroup):
    """A group that knows the names and help lines of its commands without importing them."""

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
        """Write the table of commands from their lines of help."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, _, line) in COMMANDS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        """Complete a command's name from the table, and an option's name as click does."""
        from click.shell_completion import CompletionItem

        matching = [(name, line) for name, (_, _, line) in COMMANDS.items() if name.startswith(incomplete)]
        items = [CompletionItem(name, help=line) for name, line in matching]
        return [*items, *click.Command.shell_complete(self, ctx, incomplete)]


class CommandWithVerbs(click.Group):
    """A command with arguments of its own whose first argument may instead be the name of a subcommand.

    `perwatt run llm` is a subcommand with options of its own, and `perwatt run sha256d_scan_cpu` takes workloads. A
    plain click group cannot tell the two, because its own arguments take every word of the line.
    """

    allow_interspersed_args = True

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Refuse a word that no argument takes: by then it cannot be the name of a subcommand."""
        if args and not ctx.resilient_parsing:
            ctx.fail(f"Got unexpected extra argument ({args[0]})")
        return super().resolve_command(ctx, args)

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: object
    ) -> click.Context:
        """Make the context of the subcommand that the first argument names, else of the command itself."""
        command = self.commands.get(args[0]) if args else None
        if command is not None:
            return command.make_context(f"{info_name} {args[0]}", args[1:], parent, **extra)
        return super().make_context(info_name, args, parent, **extra)
