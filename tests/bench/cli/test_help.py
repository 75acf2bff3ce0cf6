"""Every command explains itself: plain help, examples that parse, and first steps without an argument."""

import shlex

import click
import pytest

from bench.cli import COMMANDS, perwatt

ROOT = click.Context(perwatt, info_name="perwatt")


def walk(command=perwatt, path=()):
    yield path, command
    if isinstance(command, click.Group):
        for name in command.list_commands(ROOT):
            yield from walk(command.get_command(ROOT, name), (*path, name))


WALKED = dict(walk())


def examples(command):
    lines = (command.epilog or "").splitlines()
    assert lines[:2] == ["\b", "Examples:"], command.name
    return [line.strip() for line in lines[2:]]


def resolved(words):
    """Parse a command line as click does, and return the path of names and the command it reaches."""
    context, path, rest = ROOT, (), list(words)
    while True:
        command = context.command
        if rest and isinstance(command, click.Group) and rest[0] in command.list_commands(context):
            child = command.get_command(context, rest[0])
            path = (*path, rest[0])
            context = child.make_context(path[-1], rest[1:], parent=ROOT)
            if context.command is not child:  # `run` has handed over to its subcommand
                path = (*path, rest[1])
            rest = [*context._protected_args, *context.args]
        else:
            return path, context


def test_the_walk_reaches_every_command():
    assert {path[0] for path in WALKED if path} == set(COMMANDS)
    assert {("run", "llm"), ("list", "profiles"), ("validate", "inference"), ("profile", "check")} <= set(WALKED)


@pytest.mark.parametrize("path", WALKED, ids=lambda path: " ".join(path) or "perwatt")
def test_every_command_has_examples_that_parse_and_are_its_own(path):
    command = WALKED[path]
    lines = examples(command)
    assert lines
    for line in lines:
        program, *words = shlex.split(line)
        assert program == "perwatt"
        if "--help" in words:
            continue
        reached, context = resolved(words)
        assert reached[: len(path)] == path, line
        assert not context.args, line


@pytest.mark.parametrize("path", WALKED, ids=lambda path: " ".join(path) or "perwatt")
def test_help_is_a_sentence_with_every_option_explained_on_80_columns(path):
    command = WALKED[path]
    assert (command.help or "").strip()[0].isupper()
    assert command.help.strip().split("\n\n")[0].rstrip().endswith(".")
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name
            assert parameter.help.rstrip().endswith((".", "]")), parameter.help
    with click.Context(command, info_name=" ".join(("perwatt", *path)), terminal_width=80) as context:
        assert max(map(len, command.get_help(context).splitlines())) <= 80


def test_the_first_lines_of_help_are_those_of_the_table():
    for name, (_, _, line) in COMMANDS.items():
        assert WALKED[name,].get_short_help_str(200) == line


def test_without_an_argument_the_first_three_commands_are_named_and_the_status_is_0(perwatt):
    done = perwatt()
    assert (done.returncode, done.stderr) == (0, "")
    first, *commands = done.stdout.splitlines()[:4]
    assert first == "First steps:"
    assert [line.split()[1] for line in commands] == ["doctor", "run", "yield"]
    assert all(f"  {name} " in done.stdout for name in COMMANDS)
