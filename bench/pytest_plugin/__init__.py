"""pytest-benchmark with energy: loaded by `pytest -p bench.pytest_plugin`, which loads the plugin's module."""

pytest_plugins = ["bench.pytest_plugin.plugin"]
