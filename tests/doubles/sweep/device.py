"""A hook: it sets a device that is one file, whose first line is the level and whose bytes count what was sent."""

import json
import sys
from pathlib import Path

path, temperature_c = Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else None
request = json.load(sys.stdin)


def write(level):
    new = path.with_suffix(".new")
    new.write_text(level)
    new.replace(path)
    with path.with_suffix(".sent").open("a") as sent:
        sent.write(f"{request['do']} {level}\n")


if request["do"] == "observe":
    answer = {"state": "running", "level": path.read_text(), "identity": f"file-{path.name}"}
    if temperature_c is not None:
        answer["hottest_c"] = temperature_c
elif request["do"] == "as_found":
    answer = {"setting": {"mode": path.read_text()}}
else:
    write(request["level"] if request["do"] == "to" else request["setting"]["mode"])
    answer = {"accepted": True}
print(json.dumps(answer))  # noqa: T201
