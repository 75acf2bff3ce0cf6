"""docs/evidence/mining.md shows what `perwatt validate mining` says."""

from pathlib import Path

from sites.backtest.backtest import backtest, summarise
from sites.backtest.reports import bundled_reports

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "evidence" / "mining.md").read_text(encoding="utf-8")


def test_the_documented_table_is_the_backtests():
    shown = PAGE.partition("<!-- backtest -->")[2].partition("<!-- end of backtest -->")[0]
    for outcome in backtest(bundled_reports()):
        report = outcome.report
        if outcome.refused is None:
            line = (
                f"| {report.company} | {report.month} | {report.avg_operating_ehs:g} | {report.btc_produced:g} "
                f"| {outcome.predicted_btc:.2f} | {outcome.error_frac:+.2%} |"
            )
            assert line in shown
        else:
            assert any(
                line.startswith(f"| {report.company} |") and report.month in line and outcome.refused in line
                for line in shown.splitlines()
            )


def test_the_documented_errors_are_the_backtests():
    recent = summarise(backtest(bundled_reports()), recent_only=True)
    sentence = (
        f"mean error {recent.mean_error_frac * 100:.2f} %, standard deviation {recent.sd_error_frac * 100:.2f} %, "
        f"mean size {recent.mean_abs_error_frac * 100:.2f} %"
    )
    assert sentence in PAGE


def test_the_documented_use_as_a_library_runs(capsys):
    page = (Path(__file__).resolve().parents[3] / "docs" / "site-file.md").read_text(encoding="utf-8")
    exec(page.partition("```python\n")[2].partition("```")[0], {})
    assert "runs all there is" in capsys.readouterr().out
