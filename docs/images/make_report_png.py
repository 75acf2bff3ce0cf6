"""The picture of the report page in the README: `make picture`, or `python docs/images/make_report_png.py [PAGE]`.

Without a page the main job runs first, in a temporary folder. The picture shows the page's head, the headline and two
charts; everything else is hidden for the screenshot. It takes playwright (the extra `test`) and a Chromium on the PATH,
or named by PERWATT_CHROMIUM.
"""

import io
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PICTURE = Path(__file__).with_name("report.png")
WIDTH_PX = 1200
MAX_BYTES = 300_000
COLOURS = 256
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SHOWN = ("#headline", "#devices > h2", "#chart-hash", "#site > h2", "#megawatt")
"""The parts of the page that the picture shows, as CSS selectors."""
STYLE = """
html { font-size: 16px; }
nav, footer, .skip { display: none; }
header { padding-block: 1.2rem 0; }
main > section { padding-block: 1rem 0; }
main > section:not(:has(.pictured, .pictured *)), main > section > :not(.pictured) { display: none; }
.pictured .note { display: none; }
"""


def main(arguments: list[str]) -> int:
    """Write the picture and return an exit status."""
    browser = os.environ.get("PERWATT_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        sys.stderr.write(f"error: browser: expected PERWATT_CHROMIUM or one of {', '.join(BROWSERS)}, got none\n")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        if not arguments:
            subprocess.run([sys.executable, "-m", "bench", "run", "--out", folder], check=True)  # noqa: S603
        page = Path(arguments[0]) if arguments else Path(folder) / "report.html"
        picture = screenshot(page.resolve(), browser)
    if len(picture) > MAX_BYTES:
        sys.stderr.write(f"error: {PICTURE}: expected at most {MAX_BYTES} bytes, got {len(picture)}\n")
        return 1
    PICTURE.write_bytes(picture)
    sys.stdout.write(f"{PICTURE}: {len(picture)} bytes\n")
    return 0


def screenshot(page: Path, browser: str) -> bytes:
    """Return the picture of a page as PNG with a palette of its own."""
    from PIL import Image
    from playwright.sync_api import sync_playwright

    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium's own sandbox refuses root
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=sandbox)
        tab = chromium.new_page(viewport={"width": WIDTH_PX, "height": 800}, color_scheme="light")
        tab.goto(page.as_uri())
        tab.evaluate(
            "shown => document.querySelectorAll(shown).forEach(part => part.classList.add('pictured'))",
            ", ".join(f"{part}, {part} > *" if part == "#headline" else part for part in SHOWN),
        )
        tab.add_style_tag(content=STYLE)
        content = tab.screenshot(full_page=True)
        chromium.close()
    small = io.BytesIO()
    Image.open(io.BytesIO(content)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(
        small, "PNG", optimize=True
    )
    return small.getvalue()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
