"""The lines of watts in `perwatt validate inference`: only hold-out rows with watts, by family and class."""

from types import SimpleNamespace

from bench.cli.validate.watts import print_watts, watt_classes
from bench.inference.published import MEASURED, read_rows
from bench.inference.validation import FIT, HOLDOUT


def validation(factor):
    rows = [row for row in read_rows(MEASURED) if row.power_w is not None and row.model_name is not None]
    return SimpleNamespace(
        outcomes=[
            SimpleNamespace(
                row=row, predicted_per_s=factor * row.published_per_s,
                role=FIT if row.model_name == "llama-3.1-8b" else HOLDOUT,
            )
            for row in rows
        ]
    )  # fmt: skip


def test_the_errors_of_rate_watts_and_joules_are_printed_for_hold_out_rows(capsys):
    print_watts(validation(1.1), None)
    printed = " ".join(capsys.readouterr().out.split())
    assert "hold-out rows with watts, hopper, dense: 19 rows, error of the rate 10.0%" in printed
    assert "blackwell, dense: 15 rows" in printed


def test_a_file_that_is_not_bundled_is_judged_with_the_stored_constants(tmp_path):
    own, bundled = (watt_classes(validation(1.0), data) for data in (tmp_path / "rows.csv", None))
    assert own["hopper, dense"].watts != bundled["hopper, dense"].watts
    assert own["hopper, dense"].rate == bundled["hopper, dense"].rate
