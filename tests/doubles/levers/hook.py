"""A hook: a program that sets a device in the file that its first argument names, with the habit of its second."""

import json
import sys
import time
from pathlib import Path

path, habit = Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "honest"
request = json.load(sys.stdin)
if habit == "hangs":
    time.sleep(600)
if habit == "floods":
    while True:
        sys.stdout.write("x" * 65536)
if habit == "fails":
    sys.exit("the rack does not answer: password=hunter2")
if habit == "refuses":
    print(json.dumps({"accepted": False, "says": "locked by a person"}))  # noqa: T201
    sys.exit(3)
if habit == "babbles":
    print("done")  # noqa: T201
    sys.exit()
setting = json.loads(path.read_text())
answer = {"accepted": True}
if request["do"] == "observe":
    level, power_w = setting["level"], float("nan") if habit == "zeroed" else 30.0
    state = "off" if level == "off" else "running"
    answer = {"state": state, "level": level, "identity": "rack-7", "power_w": power_w, "power_kind": "pdu"}
elif request["do"] == "as_found":
    answer = {"setting": setting}
elif request["do"] == "to":
    path.write_text(json.dumps({**setting, "level": request["level"]}))
else:
    path.write_text(json.dumps(request["setting"]))
print(json.dumps(answer))  # noqa: T201
