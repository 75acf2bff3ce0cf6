"""The container recipe keeps what it promises, as far as a reader of its text can tell: nothing here builds it."""

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "docs" / "examples" / "container"
INSTRUCTIONS = {"ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "FROM", "RUN", "USER", "WORKDIR"}


def instructions(text):
    """Return the word and the rest of each instruction, without comments and with continued lines joined."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [tuple(line.split(None, 1)) for line in joined.splitlines()]


@pytest.fixture(scope="module")
def recipe():
    return instructions((FOLDER / "Dockerfile").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def stages(recipe):
    starts = [index for index, (word, _) in enumerate(recipe) if word == "FROM"]
    return [recipe[start:end] for start, end in zip(starts, [*starts[1:], None], strict=True)]


def test_only_known_instructions_are_used(recipe):
    assert {word for word, _ in recipe} <= INSTRUCTIONS


def test_the_base_is_pinned_by_a_full_version(recipe):
    base = dict(rest.split("=", 1) for word, rest in recipe if word == "ARG" and "=" in rest)["BASE"]
    assert [rest.split()[0] for word, rest in recipe if word == "FROM"] == ["${BASE}", "${BASE}"]
    image, tag = base.split(":")
    assert image == "python"
    assert len(tag.split("-")[0].split(".")) == 3, "a moving tag such as 3.12 gives another image next month"


def test_the_last_stage_has_no_network(stages):
    runs = [rest for word, rest in stages[-1] if word == "RUN"]
    assert runs
    for run in runs:
        assert shlex.split(run)[0] == "--network=none", run
        assert "pip install" not in run or "--no-index" in run, run
    assert not any("://" in rest for _, rest in stages[-1])


def test_the_versions_are_those_of_the_lock_file(stages):
    (wheels,) = [rest for word, rest in stages[0] if word == "RUN"]
    assert "--constraint constraints.txt" in wheels


def test_it_runs_as_a_user_without_privileges(stages):
    users = [rest for word, rest in stages[-1] if word == "USER"]
    assert [int(user) > 0 for user in users] == [True]
    after = [word for word, _ in stages[-1]][[word for word, _ in stages[-1]].index("USER") :]
    assert "RUN" not in after


def test_what_is_copied_is_enough_to_build_the_wheel(recipe, tmp_path):
    pytest.importorskip("hatchling", reason="hatchling, which builds the wheel, is not installed")
    sent = {line[1:] for line in (FOLDER / "Dockerfile.dockerignore").read_text().splitlines() if line.startswith("!")}
    for word, rest in recipe:
        if word != "COPY":
            continue
        *sources, target = rest.split()
        for source in sources:
            assert source in sent
            into = tmp_path / target if len(sources) == 1 else tmp_path / source
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, into, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / source, into)
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", "wheels"]
    subprocess.run(build, cwd=tmp_path, capture_output=True, check=True)
    assert list((tmp_path / "wheels").glob("perwatt-*.whl"))
