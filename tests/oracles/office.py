"""LibreOffice as an oracle: it opens a workbook, computes every formula anew and saves the values."""

import shutil
import subprocess

import pytest

_ALWAYS_RECOMPUTE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load">
<prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop></item>
</oor:items>
"""


def recomputed(path, folder):
    """Return a copy of a workbook in a folder whose values LibreOffice has computed; skip the test without it."""
    office = shutil.which("soffice")
    if office is None:
        pytest.skip("soffice (LibreOffice Calc) is not on the PATH")
    settings = folder / "office" / "user"
    settings.mkdir(parents=True)
    (settings / "registrymodifications.xcu").write_text(_ALWAYS_RECOMPUTE, encoding="utf-8")
    command = [
        office,
        f"-env:UserInstallation={settings.parent.as_uri()}",
        "--headless",
        "--convert-to",
        "xlsx:Calc MS Excel 2007 XML",
        "--outdir",
        str(folder / "computed"),
        str(path),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    target = folder / "computed" / path.name
    assert target.exists(), done.stderr
    return target
