# Two commands for a newcomer: `make run` and `make test`. Both set up their own .venv first.
PYTHON ?= python3
PYTEST ?= pytest
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test coverage faults lint format picture wheel reproducible sbom release clean

run: $(VENV)/run.stamp
	$(BIN)/perwatt run

test: $(VENV)/test.stamp
	$(BIN)/$(PYTEST) -n auto --maxprocesses 8 --dist loadfile --no-loadscope-reorder

# Branch coverage of the whole suite, at least 90 %. It takes twice the time of `make test`, so CI leaves it out.
coverage: $(VENV)/test.stamp
	$(BIN)/coverage erase
	$(MAKE) test PYTEST="coverage run -m pytest"
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

# The whole suite of faults on purpose, some hours: every step, signal and error, 100,000 damaged inputs, ten minutes of
# fuzzing that coverage guides. It prints what it tried. A part of it: make faults PART=tests/faults/inputs
faults: $(VENV)/fuzz.stamp
	PERWATT_FAULTS=whole $(BIN)/pytest $(or $(PART),tests/faults tests/bench/lab tests/bench/control tests/bench/sweep tests/bench/cli/sweep tests/docs)

lint: $(VENV)/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@$(BIN)/pip-licenses --format plain >$(VENV)/licences.txt
	@$(BIN)/python .ci/audit.py

format: $(VENV)/test.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# docs/images/report.png, the picture in the README: runs the main job, takes its page and a Chromium on the PATH.
picture: $(VENV)/test.stamp
	$(BIN)/python docs/images/make_report_png.py

# One file that pipx, uv and pip install on any machine: docs/install.md.
wheel: $(VENV)/release.stamp
	$(BIN)/python -m hatchling build --target wheel --directory dist

# Twice, the second time from a copy with other dates: the same bytes (docs/release.md).
reproducible: $(VENV)/release.stamp
	$(BIN)/python .ci/reproducible.py

sbom: $(VENV)/release.stamp
	$(BIN)/python -W ignore -m cyclonedx_py requirements constraints.txt --pyproject pyproject.toml \
	  --output-reproducible --output-file dist/perwatt.cdx.json

# Wheel, parts and sums, signed with an ssh key: make release KEY=~/.ssh/lab_ed25519
release:
	@test -n "$(KEY)" || { echo "name the ssh key that signs: make release KEY=~/.ssh/lab_ed25519" >&2; exit 2; }
	rm -rf dist
	$(MAKE) wheel sbom reproducible
	cd dist && sha256sum perwatt-*.whl perwatt.cdx.json >SHA256SUMS
	ssh-keygen -Y sign -f $(KEY) -n perwatt-release dist/SHA256SUMS

clean:
	rm -rf $(VENV)

# A virtual environment of its own works where the system Python is externally managed. Debian splits
# ensurepip out of python3; the message says what to install instead of a traceback.
$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || \
	  { echo "$(PYTHON) is not on the PATH; name a Python >= 3.11: make run PYTHON=python3.12" >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "perwatt needs Python >= 3.11; name one: make run PYTHON=python3.12" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); echo "python3 -m venv failed; on Debian and Ubuntu: apt install python3-venv" >&2; exit 2; }

$(VENV)/run.stamp: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/test.stamp: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test,planners,lint]'
	@touch $@ $(VENV)/run.stamp

$(VENV)/fuzz.stamp: $(VENV)/test.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[fuzz]'
	@touch $@ $(VENV)/test.stamp $(VENV)/run.stamp

$(VENV)/release.stamp: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[release]'
	@touch $@ $(VENV)/run.stamp
