"""Published rates: the files' rows, the fit on one model and one GPU, and the error on all others."""

import csv
import json

import pytest

from bench.inference.columns.mlperf import task_of
from bench.inference.fit import PARAMETERS
from bench.inference.judged.book import stored
from bench.inference.judged.classes import covering
from bench.inference.judged.holdout import COVERING, holdouts
from bench.inference.published import BUNDLED, SECOND, SECOND_BLIND, read_rows
from bench.inference.validation import (
    APART,
    FILES,
    FIT,
    FLAGGED,
    HOLDOUT,
    REFUSED,
    SERVER,
    by_group,
    offline_partner,
    summarise,
    validate,
)
from hardware_profiles.errors import InputError
from kernels.llm.shapes import load

HEADER = ("model,weight_precision,gpu,num_gpus,parallelism,input_len,output_len,batch_or_concurrency,metric,value,"
          "source,note\n")  # fmt: skip
KINDS = {"bf16", "fp8", "fp8-ffn", "fp4", "mxfp4"}
GOOD = "Llama-3.1-8B,FP8,H200 SXM,1,TP1,1000,1000,offline,output tokens/s,17744,somewhere,\n"


@pytest.fixture(scope="module")
def fitted():
    """Fit on all bundled files, once."""
    return validate()


@pytest.fixture(scope="module")
def bundled():
    return validate(BUNDLED)


def errors(outcomes, *, moe, dtypes):
    chosen = [one for one in outcomes if load(one.row.model_name).is_moe == moe and one.row.dtype in dtypes]
    return summarise(chosen)


@pytest.mark.slow
def test_every_row_of_every_file_is_reported_once(fitted):
    count = 0
    for path in FILES:
        with path.open() as file:
            count += sum(1 for _ in csv.DictReader(file))
    assert len(fitted.outcomes) == len({(one.file, one.row.line) for one in fitted.outcomes}) == count
    assert all((outcome.reason is None) == (outcome.predicted_per_s is not None) for outcome in fitted.outcomes)


def test_no_configuration_is_both_fitted_on_and_held_out(fitted):
    """Rows of publishers that were read later stand for themselves, and all of GPUStack's are held out."""
    fit, held = (
        {
            (one.configuration, one.file == SECOND_BLIND.name)
            for one in fitted.of(role)
            if "gpustack" not in one.row.source
        }
        for role in (FIT, HOLDOUT)
    )
    assert len(fit) == 29
    assert len(held) >= 80
    assert not fit & held


def test_no_row_of_the_publisher_without_settings_is_fitted_on(fitted):
    rows = [one for one in fitted.outcomes if "gpustack" in one.row.source]
    assert len(rows) == 34
    assert sum(one.role == HOLDOUT for one in rows) == 30
    flagged = [one for one in rows if one.role == FLAGGED]
    assert len(flagged) == 4
    assert all("prints the same run" in one.row.flag for one in flagged)


def test_the_constants_in_the_files_are_those_that_the_fit_finds(fitted):
    for parameter in PARAMETERS:
        assert fitted.book.value(parameter) == pytest.approx(stored().value(parameter), rel=5e-3), parameter


def test_held_out_rows_reach_their_goals(fitted):
    held = [one for one in fitted.of(HOLDOUT) if one.file != SECOND_BLIND.name]
    assert errors(held, moe=False, dtypes={"fp4"}).geomean_error_frac <= 0.12
    assert errors(held, moe=False, dtypes={"fp8", "fp8-ffn", "bf16"}).geomean_error_frac <= 0.08
    assert errors(held, moe=True, dtypes=KINDS).geomean_error_frac <= 0.15


def test_rows_of_publishers_that_were_read_later_miss_the_goals_by_known_amounts(fitted):
    """The documents state these errors."""
    held = fitted.of(HOLDOUT)
    assert errors(held, moe=True, dtypes=KINDS).geomean_error_frac == pytest.approx(0.153, abs=0.005)
    assert errors(held, moe=False, dtypes=KINDS - {"fp4"}).geomean_error_frac == pytest.approx(0.109, abs=0.005)
    described = [one for one in held if "gpustack" not in one.row.source]
    assert errors(described, moe=True, dtypes=KINDS).geomean_error_frac <= 0.15
    assert errors(described, moe=False, dtypes=KINDS - {"fp4"}).geomean_error_frac == pytest.approx(0.083, abs=0.005)


def test_nine_of_ten_rows_lie_in_the_interval_of_the_other_configurations(fitted):
    assert fitted.within_frac == pytest.approx(0.9, abs=0.02)
    assert covering(fitted.of(HOLDOUT)) == pytest.approx(COVERING, rel=0.02)


def test_a_flagged_row_is_shown_with_its_error_and_not_judged(fitted):
    flagged = fitted.of(FLAGGED)
    assert len(flagged) > 20
    assert all(one.row.flag and one.error_frac is not None for one in flagged)


@pytest.mark.slow
def test_every_hold_out_row_of_the_older_file_counts(bundled):
    with BUNDLED.open() as file:
        numeric = [row for row in csv.DictReader(file) if row["input_len"].isdigit() and row["output_len"].isdigit()]
    assert len(numeric) == len(bundled.of(FIT)) + len(bundled.of(HOLDOUT)) == 42
    summary = summarise([one for one in bundled.of(HOLDOUT) if one.row.dtype == "fp8"])
    assert summary.geomean_error_frac <= 0.08


def test_mlperf_offline_rows_are_predicted_apart_at_their_tasks_mean_lengths(bundled):
    apart = bundled.of(APART)
    assert [one.row.line for one in apart] == [44, 46, 48, 49, 50, 52, 53, 54]
    lengths = {one.row.model_name: (one.row.input_len, one.row.output_len) for one in apart}
    assert lengths == {"llama-2-70b": (220, 273), "llama-3.1-8b": (871, 128)}
    assert all("input: mean" in one.row.lengths_source and "; output: " in one.row.lengths_source for one in apart)
    assert summarise(apart).geomean_error_frac < 0.20
    assert set(by_group(bundled.outcomes, APART)["precision"]) == {"fp8", "fp4"}


def test_mlperf_server_rows_are_predicted_as_the_largest_rate_within_their_limits(bundled):
    served = bundled.of(SERVER)
    assert [one.row.line for one in served] == [45, 47, 51]
    assert bundled.of(REFUSED) == []
    for one in served:
        partner = offline_partner(one, bundled.outcomes)
        assert (partner.role, partner.row.line) == (APART, one.row.line - 1)
        relative = one.ln_error - partner.ln_error
        assert abs(relative) < 0.2
        assert one.ttft_s < 2.0
        assert one.tpot_s < 0.2
    assert abs(served[2].error_frac) < 0.15


def test_a_latency_scenario_without_known_limits_is_refused(tmp_path):
    path = tmp_path / "edge.csv"
    row = "Llama-3.1-8B,FP8,NVIDIA H200-SXM-141GB,8,as submitted,778,73,MLPerf SingleStream,Tokens/s,66036.8,x,\n"
    path.write_text(HEADER + row + row.replace("SingleStream", "Interactive"))
    refused, served = validate(path).outcomes
    assert "no limits of MLPerf Singlestream under random arrivals are known" in refused.reason
    assert served.role == SERVER
    assert served.tpot_s < 0.03


def test_an_mlperf_task_without_a_source_of_its_lengths_is_refused(tmp_path):
    path = tmp_path / "task.csv"
    path.write_text(HEADER + "Llama-3.1-405B,FP8,H200,8,as submitted,LongBench,as task,MLPerf Offline,Tokens/s,1,x,\n")
    assert "no source states the task's mean lengths" in validate(path).outcomes[0].reason
    assert task_of("llama-3.1-8b", "OpenOrca", "") is None
    assert task_of("llama-2-70b", "OpenOrca (MLPerf task)", "").output_len == 294
    assert task_of("llama-3.1-8b", "CNN/DailyMail", "").input_len == 871


def test_the_hold_out_errors_in_the_file_are_those_that_the_rows_give(fitted):
    classes = fitted.classes()
    assert set(classes) == set(holdouts())
    for name, found in classes.items():
        known = holdouts()[name]
        assert (known.rows, known.configurations) == (found.rows, found.configurations)
        assert known.error_frac == pytest.approx(found.error_frac, abs=3e-3)
        assert known.rms_ln == pytest.approx(found.rms_ln, abs=5e-3)


def test_groups_cover_every_hold_out_row(bundled):
    for parts in by_group(bundled.outcomes).values():
        assert sum(summary.rows for summary in parts.values()) == len(bundled.of(HOLDOUT))


@pytest.mark.slow
@pytest.mark.parametrize(("path", "rows"), [(SECOND, 128)])
def test_each_bundled_file_is_read_whole_with_the_stored_constants(path, rows):
    found = validate(path)
    assert len(found.outcomes) == rows
    assert found.fitted == "stored constants"
    assert found.book == stored()


def test_a_file_of_one_row_is_predicted(tmp_path):
    path = tmp_path / "one.csv"
    path.write_text(HEADER + GOOD)
    assert validate(path).of(HOLDOUT)[0].error_frac == pytest.approx(0.0, abs=0.2)


def test_rates_per_gpu_are_multiplied_and_names_with_a_precision_are_known(tmp_path):
    path = tmp_path / "gpu.csv"
    path.write_text(
        HEADER + "nvidia/Llama-3.3-70B-Instruct-FP8,FP8,H200,2,TP2,1000,1000,offline,output tokens/s/GPU,2587,x,\n"
    )
    row = read_rows(path)[0]
    assert (row.published_per_s, row.model_name, row.refused) == (5174.0, "llama-3.3-70b", None)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("Llama-3.1-8B", "Llama-9-1B", "model: expected one of"),
        ("FP8", "FP6", "dtype: expected one of"),
        ("FP8", "NVFP4", "dtype: expected one that the device computes in"),
        ("H200 SXM", "TPU v5e", "gpu: no profile for 'TPU v5e'"),
        ("TP1", "DEP8", "attention data parallelism is not modelled"),
        ("TP1", '"TP1,PP2"', "pipeline parallelism is not modelled"),
        ("1000,1000", "200000,1000", "expected at most 131072 tokens"),
        ("offline", "as it comes", "batch_or_concurrency: expected 'offline' or a number of clients"),
        ("17744", "fast", "value: expected a rate above 0, got 'fast'"),
        ("17744", "-3", "value: expected a rate above 0, got '-3'"),
        (",1,TP1", ",0,TP1", "num_gpus: expected a whole number above 0, got '0'"),
        ("output tokens/s", "requests/s", "metric: expected output tokens/s"),
        ("output tokens/s", "total tokens/s", "metric: expected output tokens"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_predicted_is_kept_with_its_reason(tmp_path, old, new, reason):
    path = tmp_path / "bad.csv"
    path.write_text(HEADER + GOOD.replace(old, new, 1))
    outcome = validate(path).outcomes[0]
    assert outcome.role == REFUSED
    assert reason in outcome.reason


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: expected the columns"),
        ("model,gpu\n", "got no weight_precision"),
        (HEADER, "expected at least one row, got none"),
    ],
)
def test_a_faulty_file_is_refused_with_line_and_column(tmp_path, text, message):
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_rows(path)


def test_a_file_that_is_not_there_or_no_text_is_refused(tmp_path):
    with pytest.raises(InputError, match="expected a readable CSV file, got no such file"):
        read_rows(tmp_path / "none.csv")
    (tmp_path / "bytes.csv").write_bytes(b"\xff\xfe\x00model")
    with pytest.raises(InputError, match="expected UTF-8 text, got UTF-16"):
        read_rows(tmp_path / "bytes.csv")


def test_mlperf_rows_with_lengths_stand_apart(tmp_path):
    path = tmp_path / "mlperf.csv"
    row = "Llama-3.1-8B,FP8,NVIDIA H200-SXM-141GB,8,as submitted,778,73,MLPerf Offline,Tokens/s,66036.8,x,\n"
    path.write_text(HEADER + row)
    outcome = validate(path).outcomes[0]
    assert outcome.role == "apart"
    assert outcome.predicted_per_s > 0


def test_the_command_prints_every_row_and_gives_one_json_document(tmp_path, bundled, monkeypatch):
    from click.testing import CliRunner

    from bench.cli.validate.inference import inference

    monkeypatch.setattr("bench.inference.validation.validate", lambda *_: bundled)
    printed = CliRunner().invoke(inference, [])
    assert printed.exit_code == 0
    assert "geomean_error_frac: 0." in printed.output
    assert "within_interval_frac: " in printed.output
    assert "class dense-fp8: " in printed.output
    assert "separate, largest rate of random arrivals within MLPerf's latency limits: 3 rows" in printed.output
    assert "separate, not in the mean: MLPerf Offline at the mean lengths of its task: 8 rows" in printed.output
    plot = tmp_path / "plot.svg"
    document = json.loads(CliRunner().invoke(inference, ["--json", "--plot", str(plot)]).stdout)
    assert len(document["rows"]) == 53
    assert document["within_goal"] is True
    assert (document["apart"]["rows"], document["holdout"]["rows"]) == (8, len(bundled.of(HOLDOUT)))
    assert len(document["constants"]) == len(PARAMETERS)
    assert all(len(row["tags"]) == 5 and all(row["tags"].values()) for row in document["rows"])
    assert document["rows"][42]["lengths_source"].startswith("input: mean 219.7 tokens")
    assert document["worst_error_frac"] > document["geomean_error_frac"] > 0
    assert plot.read_text().startswith("<?xml")
    with pytest.raises(InputError, match="--plot: expected a file ending in"):
        CliRunner().invoke(inference, ["--plot", "x.doc"], catch_exceptions=False)
