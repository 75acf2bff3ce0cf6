"""The wheel is whole: installed away from the checkout, its commands work in an empty folder."""

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("hatchling", reason="hatchling, which builds the wheel, is not installed")

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("bench", "hardware_profiles", "kernels", "sites")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=ROOT, capture_output=True, check=True)
    (path,) = folder.glob("perwatt-*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """Install the wheel into a virtual environment that borrows the other packages of this one; return its command."""
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    python = folder / "bin" / "python"
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*install, "--disable-pip-version-check", str(wheel)], check=True)
    ask = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    own = Path(subprocess.run(ask, capture_output=True, text=True, check=True).stdout.strip())
    # A .pth file inside a borrowed folder is not read, so the editable installation there stays out of sight.
    borrowed = dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib"))
    (own / "borrowed.pth").write_text("".join(f"{path}\n" for path in borrowed))
    return folder / "bin" / "perwatt"


@pytest.fixture
def run(tmp_path):
    """Run a command in an empty folder, without the variables that would lead back to the checkout."""
    kept = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PERWATT_PROFILES"}}

    def call(*command):
        done = subprocess.run(
            list(map(str, command)), cwd=tmp_path, env=kept, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, ""), command
        return done.stdout

    return call


def test_every_tracked_file_of_the_packages_is_in_the_wheel(wheel):
    tracked = subprocess.run(["git", "ls-files", *PACKAGES], cwd=ROOT, capture_output=True, text=True, check=False)
    if tracked.returncode != 0:
        pytest.skip("not a git checkout")
    files = {name for name in tracked.stdout.splitlines() if (ROOT / name).exists()}
    assert len(files) > 100
    with zipfile.ZipFile(wheel) as archive:
        assert files <= set(archive.namelist())


def test_only_our_packages_are_in_the_wheel(wheel):
    with zipfile.ZipFile(wheel) as archive:
        roots = {name.partition("/")[0] for name in archive.namelist()}
    assert {root for root in roots if not root.endswith(".dist-info")} == set(PACKAGES)


def test_the_installed_packages_and_their_data_are_those_of_the_wheel(installed, run):
    names = ", ".join(PACKAGES)
    files = f"import {names}; from bench.results.schema import PUBLISHED\n"
    files += f"print(*(package.__file__ for package in ({names})), PUBLISHED)"
    paths = list(map(Path, run(installed.with_name("python"), "-c", files).split()))
    assert all(path.is_file() and path.is_relative_to(installed.parents[1]) for path in paths)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("--help", "Usage: perwatt"),
        ("list profiles", "antminer-s21:200t"),
        ("list models", "llama-3.1-8b"),
        ("site schema fleet", "urn:perwatt:fleet"),
        ("site new --both", "written: my-site.toml"),
        ("list workloads", "sha256d_scan_cpu"),
        ("show antminer-s21", "source 1, "),
        ("validate mining", "rows used"),
    ],
)
def test_a_command_of_the_wheel_works_in_an_empty_folder(line, text, installed, run):
    assert text in run(installed, *line.split())


@pytest.mark.slow
def test_a_site_is_computed_from_the_wheel_alone(installed, run):
    assert "BTC/day" in run(installed, "yield", "georgia-50mw-mining")
