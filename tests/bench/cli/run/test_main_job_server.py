"""The tiny inference server in the main job: measured briefly where its extra is installed, otherwise not mentioned."""

import pytest

from bench.cli.run.command import _trial
from bench.cli.run.endpoint_tables import print_trial
from bench.device_rates import from_record
from bench.endpoint.tiny.server import is_installed
from bench.errors import RunFailedError
from bench.report import collect
from bench.report.sections import fleet, headline
from bench.results.evidence.endpoint import has_random_weights
from hardware_profiles.errors import InputError


@pytest.mark.skipif(not is_installed(), reason="the extra `serve` (xllamacpp, gguf) is not installed")
def test_its_result_says_that_its_weights_are_random_and_serves_neither_a_site_nor_the_headline(job, capsys):
    (record,) = _trial(job, quiet=True)
    assert record.status == "ok", record.reasons
    assert (record.run.plan, record.workload.parameters["model"]) == ("smoke", "tiny")
    assert has_random_weights(record.device)
    quick = record.model_copy(update={"run": record.run.model_copy(update={"plan": "quick"})})
    with pytest.raises(InputError, match="key device: expected a server whose model is a product, got 'tiny server"):
        from_record(quick)
    print_trial(record)
    line = capsys.readouterr().out
    assert "a model of random weights" in line
    assert "is no figure of this machine" in line
    gathered = collect([job.store / record.id], [], job.store)
    words = repr(headline.section(gathered, fleet.measured(gathered)))
    assert "no valid result for AI inference on this page" in words


def test_without_the_extra_nothing_is_measured_and_no_line_is_printed(job, monkeypatch, capsys):
    monkeypatch.setattr("bench.endpoint.tiny.server.is_installed", lambda: False)
    assert _trial(job, quiet=False) == []
    assert capsys.readouterr() == ("", "")


def test_a_tiny_server_that_does_not_start_costs_one_warning_and_not_the_main_job(job, monkeypatch, capsys):
    def fail(*_):
        raise RunFailedError("the tiny inference server of the extra `serve` does not start")

    monkeypatch.setattr("bench.endpoint.tiny.server.is_installed", lambda: True)
    monkeypatch.setattr("bench.endpoint.tiny.trial.measure_tiny", fail)
    assert _trial(job, quiet=True) == []
    assert capsys.readouterr().err == "warning: the tiny inference server of the extra `serve` does not start\n"
