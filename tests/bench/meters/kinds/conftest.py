"""A made-up /sys for the readers of sensors."""

import pytest
from doubles.system.sysfs import SysTree

from bench.meters.system_files import system_root


@pytest.fixture
def tree(tmp_path):
    tree = SysTree(tmp_path / "root")
    with system_root(tree.root):
        yield tree
