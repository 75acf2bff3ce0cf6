"""Options of the way to the workers that cannot be meant: one line each, before anything is planned or asked."""

import pytest

LAB = '[lab]\nname = "l"\n[[host]]\nname = "here"\nreach = "local"\n'


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--listen", "192.0.2.1"], "error: --listen: expected an address of this machine, got '192.0.2.1'"),
        (["--listen", "a..b"], "error: --listen: expected an address of this machine, got 'a..b'"),
        (
            ["--scheduler", "tcp://192.0.2.1:8786", "--slurm"],
            "error: --scheduler: expected neither --slurm nor --listen with it, got '--slurm'",
        ),
        (["--slurm-option", "--partition=x"], "error: --slurm-option: expected --slurm with it"),
    ],
)
def test_an_option_that_cannot_be_meant_is_one_line_and_plans_nothing(refused, tmp_path, options, line):
    lab = tmp_path / "lab.toml"
    lab.write_text(LAB)
    assert refused("lab", "run", lab, "matmul_f32_cpu", *options) == line
    assert not (tmp_path / "results").exists()
