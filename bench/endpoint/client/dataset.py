"""A user's own prompts: one a line as text, or one JSON object a line with the key `prompt`."""

from pathlib import Path

from hardware_profiles.decoding import decode, parse_json
from hardware_profiles.errors import InputError
from hardware_profiles.opening import MIB, Kind, read_input

DATASET = Kind("file of prompts", 64 * MIB)


def read_dataset(path: Path) -> tuple[str, ...]:
    """Return the prompts of a file in their order.

    Raises
    ------
    InputError
        The file cannot be read, has no prompt, or has a line of JSON without the text `prompt`.
    """
    lines = [line.strip() for line in decode(read_input(path, DATASET), path).splitlines()]
    prompts = tuple(_prompt(line, f"{path}:{number}") for number, line in enumerate(lines, start=1) if line)
    if not prompts:
        raise InputError.at(path, expected="one prompt a line", got="an empty file")
    return prompts


def _prompt(line: str, place: str) -> str:
    if not line.startswith("{"):
        return line
    document = parse_json(line.encode(), place, "line")
    prompt = document.get("prompt") if isinstance(document, dict) else None
    if not isinstance(prompt, str) or not prompt.strip():
        raise InputError.at(place, "prompt", expected="a text", got=prompt if prompt is not None else ...)
    return prompt
