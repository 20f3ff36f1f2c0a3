"""PDFs of reports: they say what the document says, whatever names it has."""

import re
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest

from reports.document import Document, Figure, Section, Table
from reports.pdf import Paper, PdfError, pdf, typesetting
from reports.pdf.content import TEMPLATES
from reports.pdf.letters import readable
from reports.pdf.papers import MARGIN
from reports.pdf.text import prose, value_text
from reports.words import in_one_unit, written
from tests.reports.pdf import reading, samples
from tests.reports.pdf.samples import LONG_NAME, MARKUP, SCRIPTS, STRANGE
from web.number_text import NOTHING

PAPERS: tuple[Paper, ...] = ("a4", "letter")
EDGE = MARGIN - 1
ROWS = 3000


@cache
def made(name: str, paper: Paper = "a4") -> bytes:
    return pdf(getattr(samples, name)(), paper)


def rows_as_text(table: Table) -> list[str]:
    columns = [
        in_one_unit([row[place] for row in [*table.rows, *filter(None, [table.totals])]], column.unit, samples.ZONE)
        for place, column in enumerate(table.columns)
    ]
    return [" ".join(row) for row in zip(*columns, strict=True)]


def tables_of(document: Document) -> list[Table]:
    return [table for section in document.sections for table in section.tables]


# --- What it says ---


def test_it_has_the_texts_of_the_document():
    text = reading.text(made("full"))
    for part in (
        "Cost report",
        "Acme",
        "November 2026",
        "Model: gpt-4o",
        "Spend was $412 in November 2026.",
        "A note.",
    ):
        assert part in text


def test_it_has_each_figure_with_its_change():
    text = reading.text(made("full"))
    for figure in samples.figures():
        assert reading.unbroken(written(figure.value, figure.unit, samples.ZONE)) in reading.unbroken(text)
    for change in ("12 % more than the 30 days before", "3.2 % less than", "about the same as the 30 days before"):
        assert change in text


def test_it_has_each_row_of_each_table_with_its_totals():
    text = reading.text(made("full"))
    for table in tables_of(samples.full()):
        assert table.title in text
        assert all(row in text for row in rows_as_text(table))


def test_the_charts_have_selectable_texts():
    text = reading.text(made("full"))
    for part in ("Spend by model", "gpt-4o", "The 30 days before", "Budget $13.00", "1 Nov", "globex $12.00"):
        assert part in text


def test_a_table_of_3000_rows_has_all_of_them_in_order():
    text = reading.text(made("long"))
    rows = rows_as_text(tables_of(samples.long(ROWS))[0])
    places = [text.find(f"{row} ") for row in rows]
    assert len(rows) == ROWS + 1
    assert -1 not in places
    assert places == sorted(places)


def test_each_page_of_a_long_table_has_its_header_and_the_workspace_and_window():
    pages = reading.pages(made("long"))
    assert len(pages) > 60
    for number, page in enumerate(pages, 1):
        assert "Agent Calls Spend Failed p95 latency" in page
        assert page.startswith("Acme Cost report · November 2026")
        assert page.endswith(f"Page {number} of {len(pages)}")


@pytest.mark.parametrize("paper", PAPERS)
def test_an_empty_month_says_so(paper):
    text = reading.text(made("empty", paper))
    assert "No calls in November 2026." in text
    assert text.count("Nothing in this window.") == 3
    assert f"p95 latency {NOTHING}" in text


def test_the_paper_is_the_one_that_was_chosen():
    assert reading.size(made("full", "a4")) == (595, 842)
    assert reading.size(made("full", "letter")) == (612, 792)


# --- Names ---


def test_names_are_text_and_never_markup():
    text = reading.text(made("markup"))
    for name in MARKUP:
        assert " ".join(name.split()) in text
    assert "root:" not in text


def test_names_of_all_scripts_have_all_their_letters():
    text = reading.text(made("scripts"))
    for name in SCRIPTS:
        assert not reading.letters(name) - reading.letters(text)
    for name in ("Ελληνικά", "Русский", "日本語", "中文", "한국어"):
        assert name in text


def test_letters_without_a_glyph_are_written_as_numbers():
    text = reading.text(made("strange"))
    for code in ("U+0000", "U+001B", "U+200B", "U+202E", "U+D800", "U+13000", "U+E000", "U+FFFF"):
        assert code in text


def test_combined_letters_and_emoji_stay_what_they_are():
    for name in (
        "e\u0301",
        "नमस्ते",
        "मि\u200cन",
        "\u0645\u06cc\u200c\u062e\u0648",
        "👩\u200d👩\u200d👧",
        "✈\ufe0f",
        "🇩🇪",
        "Việt",
    ):
        assert readable(name) == name
    assert readable("Z\u0351\u036b\u0313") == "ZU+0351U+036BU+0313"
    assert readable("\u0301a") == "U+0301a"
    assert readable("a\tb\nc") == "a b c"


@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("name", ["full", "empty", "arabic", "scripts", "strange", "markup", "wide", "long_names"])
def test_no_text_is_cut_or_lies_over_another(name, paper):
    body = made(name, paper)
    assert not reading.outside(body, EDGE)
    assert not reading.overlapping(body)


def test_an_arabic_workspace_with_an_agent_of_200_letters_shows_both():
    text = reading.text(made("arabic"))
    assert len(LONG_NAME) == 200
    assert reading.unbroken(LONG_NAME) in reading.unbroken(text)
    assert not reading.letters("شركة الأمل للتقنيات") - reading.letters(text)


def test_a_sentence_that_begins_with_an_arabic_name_still_runs_from_left_to_right():
    """In a line that runs to the left its last word would be the first one from the left."""
    assert prose("وكيل is 48 % of it") == "وكيل is 48\u00a0% of it"
    assert value_text("وكيل (v2)") == {"pieces": ["وكيل (v2)"], "isRtl": True}


def test_the_window_stands_behind_an_arabic_name_in_the_line_of_each_page():
    """Digits right after an Arabic name would stand before it."""
    report = samples.arabic()._replace(title="Statement for شركة الأمل")
    body = pdf(report._replace(end=report.start + timedelta(days=7)), "a4")
    page = reading.first_line(body)
    separator = next(left for letter, left in page if letter == "·")
    assert separator < min(left for letter, left in page if letter.isdigit())


def test_a_name_in_a_long_table_loses_its_middle():
    body = made("long_names")
    text = reading.text(body)
    assert re.search(r"agent-abc\w+…\w+-end 0 \$0.00 0 %", text)
    assert reading.unbroken(LONG_NAME) not in reading.unbroken(text)


# --- Accessible ---


def test_it_is_tagged_for_screen_readers():
    root = reading.reader(made("full")).trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert b"pdfuaid:part" in root["/Metadata"].get_data()
    assert reading.reader(made("full")).metadata.title == "Cost report · Acme"


def test_charts_have_descriptions_and_tables_have_headers():
    elements = list(reading.elements(made("full")))
    described = [element["/Alt"] for element in elements if element["/S"] == "/Figure"]
    assert len(described) == len(samples.charts())
    assert described[0].startswith("Spend by model. gpt-4o: from $0.00 to $8.18, 29 values.")
    kinds = [element["/S"] for element in elements]
    assert kinds.count("/Table") == 2
    assert kinds.count("/TH") == 2 * len(samples.COLUMNS)
    assert kinds.count("/TR") == 2 + 12 + 1 + 3 + 1


def test_the_fonts_are_in_the_file():
    embedded = reading.fonts(made("scripts"))
    assert len(embedded) > 5
    assert all(embedded.values())


# --- What it cannot do ---


def test_a_template_reads_no_file_of_the_machine():
    with pytest.raises(PdfError, match="could not be made"):
        typesetting.typeset({"main.typ": b'#read("/etc/passwd")'}, samples.END)
    outside = f'#read("../../../../../../..{Path(__file__)}")'
    with pytest.raises(PdfError, match="could not be made"):
        typesetting.typeset({"main.typ": outside.encode()}, samples.END)


def test_no_template_loads_a_package():
    assert not [
        path.name for path in TEMPLATES.iterdir() if "@preview" in path.read_text() or "@local" in path.read_text()
    ]


def test_it_ends_after_its_time(monkeypatch):
    monkeypatch.setattr(typesetting, "MOST_SECONDS", 0.01)
    with pytest.raises(PdfError, match="choose a shorter window"):
        pdf(samples.full())


def test_it_ends_where_it_would_take_too_much_memory(monkeypatch):
    monkeypatch.setattr(typesetting, "MOST_BYTES", 64 * 1024**2)
    with pytest.raises(PdfError, match="could not be made"):
        pdf(samples.full())


def test_secrets_of_the_environment_do_not_reach_the_compiler(monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "canary")
    seen: list[dict[str, str]] = []
    run = typesetting.subprocess.run
    monkeypatch.setattr(
        typesetting.subprocess, "run", lambda *a, **options: seen.append(options["env"]) or run(*a, **options)
    )
    pdf(samples.document(Section("Spend", figures=[Figure("Spend", 1, "usd")])))
    assert seen == [{}]


def test_the_strange_names_are_strange():
    """Each has a letter that needs a number, or a cluster that no font shows."""
    assert all("U+" in readable(name) for name in STRANGE)
