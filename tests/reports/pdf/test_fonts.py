"""The letters that PDFs can show."""

from reports.pdf.fonts import COVERAGE, coverage
from reports.pdf.letters import fitting, is_right_to_left, pieces, width


def test_the_written_coverage_is_that_of_the_installed_fonts():
    assert COVERAGE.read_text() == coverage(), "run: python -m reports.pdf.fonts"


def test_a_text_that_fits_stays_whole_and_another_loses_its_middle():
    assert fitting("agent", 100, 8) == "agent"
    cut = fitting("agent-" + "x" * 100 + "-end", 100, 8)
    assert cut.startswith("agent-")
    assert cut.endswith("-end")
    assert "…" in cut
    assert width(cut) * 8 <= 100


def test_letters_stay_with_their_marks_when_a_text_is_cut():
    assert not fitting("e\u0301" * 50, 60, 8).replace("…", "").replace("e\u0301", "")


def test_a_long_word_has_places_to_break():
    assert pieces("short words only") == ["short ", "words ", "only"]
    assert pieces("x" * 20) == ["xxxxxx", "xxxxxx", "xxxxxx", "xx"]


def test_the_first_letter_with_a_direction_decides_it():
    assert is_right_to_left("(12) سلام abc")
    assert not is_right_to_left("v2 سلام")
    assert not is_right_to_left("123")
