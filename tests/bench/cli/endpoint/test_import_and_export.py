"""`perwatt endpoint import` and `export` as a user meets them."""

import json

import pytest
from doubles import load_generators as tools


@pytest.fixture
def write(tmp_path):
    def call(name, document):
        (tmp_path / name).write_text(json.dumps(document))
        return name

    return call


@pytest.fixture
def stored(perwatt, write):
    """Import documents and return their records as JSON."""

    def call(*documents):
        names = [write(f"{number}.json", document) for number, document in enumerate(documents)]
        done = perwatt("endpoint", "import", *names, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return call


def test_every_tool_is_imported_into_one_table(perwatt, write):
    names = [write(f"{tool.replace(' ', '-')}.json", make()) for tool, make in tools.DOCUMENTS.items()]
    done = perwatt("endpoint", "import", *names)
    assert done.returncode == 0, done.stderr
    assert "9 runs imported into results/" in done.stdout
    for tool in ("vllm", "sglang", "guidellm", "aiperf", "inference-perf", "inferencex", "ml-energy"):
        assert tool in done.stdout


def test_a_stored_import_can_be_listed_shown_and_compared_without_a_verdict(perwatt, stored):
    first, second = stored(tools.vllm(), tools.sglang(output_throughput=5000.0))
    assert perwatt("list", "results").returncode == 0
    shown = perwatt("show", first["id"])
    assert "imported from another tool's file" in shown.stdout
    assert "no verdict: no windows stored" in perwatt("compare", first["id"], second["id"]).stdout
    assert perwatt("results", "check").returncode == 0


def test_one_faulty_file_stores_nothing(refused, write, tmp_path):
    sound, faulty = write("a.json", tools.vllm()), write("b.json", tools.vllm(duration="long"))
    assert "b.json: key duration: expected a number" in refused("endpoint", "import", sound, faulty)
    assert not (tmp_path / "results").exists()


def test_a_file_that_does_not_exist_and_a_device_are_one_line(refused):
    assert "no such file" in refused("endpoint", "import", "nosuch.json")
    assert "expected a JSON file, which is a regular file, got a device" in refused("endpoint", "import", "/dev/null")


def test_the_record_says_tool_window_tokens_and_the_hash_of_the_file(stored, tmp_path):
    import hashlib

    (record,) = stored(tools.vllm())
    assert (record["workload"]["name"], record["workload"]["variant"]) == ("llm_serve_endpoint", "vllm")
    parameters = record["workload"]["parameters"]
    assert (parameters["window"], parameters["concurrency"]) == ("whole-run", 16)
    assert parameters["tokens_from"] == "server usage, else the client's tokenizer"
    assert [reason["code"] for reason in record["warnings"]] == ["imported"]
    digest = hashlib.sha256((tmp_path / "0.json").read_bytes()).hexdigest()
    assert (record["audit"]["imported"]["file"], record["audit"]["imported"]["sha256"]) == ("0.json", digest)


def test_a_password_in_a_file_s_name_is_not_stored(perwatt, write):
    done = perwatt("endpoint", "import", write("password=hunter2.json", tools.vllm()), "--json")
    assert done.returncode == 0, done.stderr
    assert "hunter2" not in done.stdout


def test_an_export_of_an_import_has_vllm_s_keys_and_values_and_null_for_the_rest(perwatt, stored):
    document = tools.vllm()
    (record,) = stored(document)
    done = perwatt("endpoint", "export", record["id"], "--format", "vllm")
    exported = json.loads(done.stdout)
    assert set(document) <= set(exported)
    for key, value in document.items():
        if exported[key] is not None and key != "label":
            assert exported[key] == (pytest.approx(value) if isinstance(value, float) else value), key
    missing = {key for key in document if exported[key] is None and document[key] is not None}
    unknown = {"endpoint_type", "tokenizer_id", "num_prompts", "max_output_tokens_per_s", "max_concurrent_requests"}
    assert {key for key in missing if not key.startswith("std_") and "_itl_" not in key} == unknown
    assert 0 not in exported.values()


def test_an_export_imports_again_with_the_same_figures(perwatt, stored):
    (record,) = stored(tools.guidellm())
    assert perwatt("endpoint", "export", record["id"], "--format", "vllm", "--to", "again.json").returncode == 0
    (again,) = json.loads(perwatt("endpoint", "import", "again.json", "--json").stdout)
    for name, metric in record["metrics"].items():
        if name in again["metrics"]:
            assert again["metrics"][name]["value"] == pytest.approx(metric["value"]), name
    assert {"rate", "ttft_q50", "tpot_q50", "e2e_q99"} <= set(again["metrics"])


def test_several_exports_are_one_document_a_line(perwatt, stored):
    records = stored(tools.vllm(), tools.aiperf())
    done = perwatt("endpoint", "export", *(record["id"] for record in records), "--format", "vllm")
    assert [json.loads(line)["label"] for line in done.stdout.splitlines()] == [record["id"] for record in records]


def test_an_unknown_format_and_an_unknown_verb_are_refused(refused, stored):
    (record,) = stored(tools.vllm())
    assert "vllm" in refused("endpoint", "export", record["id"], "--format", "csv")
    assert "did you mean import?" in refused("endpoint", "imprt")


def test_a_log_and_its_clock_are_options(perwatt, write, tmp_path):
    rows = [f"{tools.START_S + at + 3600},{5000 + at % 3}" for at in range(-30, 100)]
    (tmp_path / "power.csv").write_text("time_unix,power_w\n" + "\n".join(rows) + "\n")
    name = write("a.json", tools.guidellm())
    arguments = ("endpoint", "import", name, "--meter", "trace:power.csv", "--json")
    (without,) = json.loads(perwatt(*arguments).stdout)
    (with_offset,) = json.loads(perwatt(*arguments, "--clock-offset-s", 3600).stdout)
    assert "energy_per_token_wall" not in without["metrics"]
    assert with_offset["metrics"]["power_wall"]["value"] == pytest.approx(5001.0, rel=1e-3)


def test_an_offset_of_a_log_without_a_log_is_refused(refused, write):
    name = write("a.json", tools.guidellm())
    assert "--clock-offset-s: expected --meter trace:FILE" in refused("endpoint", "import", name, "--clock-offset-s", 1)
