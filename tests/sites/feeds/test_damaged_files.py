"""A damaged file, a file of another source and a web page are refused in one line, and nothing else is raised."""

from contextlib import suppress

import pytest
from doubles.feeds import truth
from doubles.feeds.europe import ember, energy_charts, entsoe, entsoe_xml, market, nordpool, omie, smard
from doubles.feeds.others import bitcoin, rent
from doubles.feeds.reading import read_text
from hypothesis import given
from hypothesis import strategies as st

from hardware_profiles.errors import InputError

DAY = market.days((2025, 10, 26), minutes=15)
HOURS = market.days((2025, 10, 26))
DAYS = range(*truth.year("UTC"), bitcoin.DAY_S)[:9]
TABLES = {
    "entsoe-cet": entsoe.web(("BZN|FR", entsoe.WITHOUT, DAY)),
    "entsoe-utc": entsoe.web(("BZN|FR", entsoe.WITHOUT, DAY), clock=entsoe.UTC),
    "entsoe-library": entsoe.library(("FR", "BZN", "", "EUR", DAY), revised=[DAY[3].start_s]),
    "smard": smard.new({smard.GERMANY: DAY}),
    "energy-charts": energy_charts.commas({energy_charts.GERMANY: DAY}),
    "omie": omie.year(DAY),
    "omie-marginal": omie.marginal_year(DAY),
    "ember": ember.countries(("Spain", "ESP", "Europe/Madrid", HOURS)),
    "coingecko": bitcoin.coingecko(DAYS),
    "coinmarketcap": bitcoin.coinmarketcap(DAYS),
    "coinmarketcap-chart": bitcoin.coinmarketcap_chart(DAYS),
    "gpueconomy": rent.index(DAYS[::7]),
    "privum": rent.privum(DAYS),
}
DOCUMENTS = {
    "entsoe-api": entsoe_xml.prices((entsoe_xml.FRANCE, 1, HOURS)),
    "nordpool": nordpool.answer(HOURS),
    "kraken": bitcoin.kraken(DAYS),
    "coinbase": bitcoin.coinbase(DAYS),
    "gpurentalprices": rent.snapshot(DAYS[0]),
}
FILES = TABLES | DOCUMENTS
CHOICES = {"omie": {"area": "ES"}, "omie-marginal": {"area": "PT"}}
PAGE = b"<!DOCTYPE html>\n<html><head><title>429 Too Many Requests</title></head><body>Slow down</body></html>"


def refusal(folder, data, choices=None, feed=None):
    with pytest.raises(InputError) as caught:
        read_text(folder, data, choices, feed)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{folder}/file.csv: ")
    return message.removeprefix(f"{folder}/file.csv: ")


@pytest.mark.parametrize("name", FILES)
def test_the_undamaged_file_is_recognised_by_itself_and_by_its_name(tmp_path, name):
    for feed in (None, name):
        assert read_text(tmp_path, FILES[name], CHOICES.get(name), feed).layout.name == name


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_another_source_under_this_name_is_refused(tmp_path, name):
    other = "coingecko" if name != "coingecko" else "ember"
    assert name in refusal(tmp_path, FILES[other], feed=name)


@pytest.mark.parametrize("name", FILES)
def test_a_web_page_in_place_of_the_file_is_refused_with_its_title(tmp_path, name):
    assert refusal(tmp_path, PAGE, feed=name) == (
        "expected a market file, got a web page (HTML) with the title '429 Too Many Requests'"
    )


@pytest.mark.parametrize("name", [name for name, text in TABLES.items() if b"," in text.split(b"\n", 1)[0]])
def test_semicolons_in_place_of_commas_are_refused(tmp_path, name):
    if name != "energy-charts":  # which has both
        assert refusal(tmp_path, TABLES[name].replace(b",", b";"), feed=name).startswith("expected the columns of ")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_that_is_cut_off_is_refused(tmp_path, name):
    for share in (0.3, 0.7, 0.99):
        refusal(tmp_path, FILES[name][: int(share * len(FILES[name]))], CHOICES.get(name))


@pytest.mark.parametrize("name", TABLES)
def test_utf_16_is_read_and_a_wrong_byte_refused(tmp_path, name):
    encoding = "latin-1" if name.startswith("omie") else "utf-8-sig"
    text = TABLES[name].decode(encoding)
    if not name.startswith("omie"):  # a layout in Latin-1
        assert read_text(tmp_path, text.encode("utf-16")).layout.name == name
        refusal(tmp_path, text.encode("utf-16")[:-1])
        assert "expected UTF-8 text, got byte 0xff" in refusal(tmp_path, text.encode() + b"\xff\n")


def cut(data, at, _):
    return data[: int(at * len(data))]


def put(data, at, piece):
    place = int(at * len(data))
    return data[:place] + piece + data[place:]


def replaced(data, at, piece):
    place = int(at * len(data))
    return data[:place] + piece + data[place + len(piece) :]


def without_line(data, at, _):
    lines = data.split(b"\n")
    del lines[int(at * len(lines))]
    return b"\n".join(lines)


def moved_line(data, at, _):
    lines = data.split(b"\n")
    lines.insert(0 if at > 0.5 else len(lines) // 2, lines.pop(int(at * len(lines))))
    return b"\n".join(lines)


PIECES = [b"", b"\0", b"\xff", b'"', b",", b";", b"\t", b"\n", b"-", b"9" * 40, b"NaN", b"1e999", b"<", b"]", b"null"]
DAMAGE = st.tuples(
    st.sampled_from([cut, put, replaced, without_line, moved_line]),
    st.floats(0, 1, exclude_max=True),
    st.sampled_from(PIECES) | st.binary(max_size=4),
)


@given(name=st.sampled_from(sorted(FILES)), damage=st.lists(DAMAGE, min_size=1, max_size=3))
def test_every_damage_is_read_or_refused(tmp_path_factory, name, damage):
    data = FILES[name]
    for change, at, piece in damage:
        data = change(data, at, piece)
    with suppress(InputError):
        read_text(tmp_path_factory.getbasetemp(), data, CHOICES.get(name), name)
