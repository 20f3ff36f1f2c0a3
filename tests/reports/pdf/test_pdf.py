"""PDFs of reports: what they say is what the document says."""

from reports.pdf import pdf
from tests.reports.pdf import reading, samples


def test_a_pdf_has_the_texts_and_figures_of_its_document():
    text = reading.text(pdf(samples.full()))
    for part in ("Cost report", "Acme", "November 2026", "Model: gpt-4o", "Spend was $412 in November 2026."):
        assert part in text
    for figure in ("$1,234.50", "12 % more than the 30 days before", "$0.0042", "3.2 % less", "2,953,412"):
        assert figure in text
    assert "about the same as the 30 days before" in text
