"""pytest-benchmark with energy, loaded by `pytest -p bench.pytest_plugin`."""

pytest_plugins = ["bench.pytest_plugin.plugin"]
