"""One template gives the subject, the HTML part and the plain-text part, whatever people typed into it."""

from email import message_from_bytes, policy
from typing import Any

import pytest
from django.template import engines

from web.mail import messages
from web.mail.messages import Parts
from web.mail.plain_text import text_parts
from web.mail.templates import MailTemplate, register

PAGE = (
    "{% extends 'mail/base.html' %}{% block subject %}{{ name }} invites you{% endblock %}"
    "{% block content %}<h1>Hello</h1><p>From {{ name }}</p>{% endblock %}{% block reason %}A test.{% endblock %}"
)


def parts_for(name: str, monkeypatch: pytest.MonkeyPatch) -> Parts:
    page = engines["django"].from_string(PAGE)
    monkeypatch.setattr(messages, "render_to_string", lambda _, context: page.render(context))
    return messages.render(MailTemplate("any", "Any", context=dict, sample=dict), {"name": name})


def text_of(html: str) -> str:
    return text_parts(html).text


class TestText:
    def test_paragraphs_have_a_blank_line_between_them(self) -> None:
        assert text_of("<h1>Hello</h1>\n<p>One\n  two</p><p>Three<br>four</p>") == "Hello\n\nOne two\n\nThree\nfour\n"

    def test_a_link_has_its_address_behind_it(self) -> None:
        assert (
            text_of('<p><a href="https://a.example/?x=1&amp;y=2">Open</a></p>') == "Open: https://a.example/?x=1&y=2\n"
        )

    @pytest.mark.parametrize(
        "link", ['<a href="https://a.example">https://a.example</a>', '<a href="https://a.example"><img alt=""></a>']
    )
    def test_an_address_stands_once(self, link: str) -> None:
        assert text_of(f"<p>{link}</p>") == "https://a.example\n"

    def test_an_address_of_a_person_is_not_repeated(self) -> None:
        assert text_of('<a href="mailto:ada@a.example">ada@a.example</a>') == "ada@a.example\n"

    def test_items_of_a_list_have_a_dash(self) -> None:
        assert text_of("<p>Two:</p><ul><li>one</li> <li><p>two</p></li></ul><p>End</p>") == (
            "Two:\n\n- one\n- two\n\nEnd\n"
        )

    def test_rows_of_a_table_are_lines(self) -> None:
        rows = "<tr><th>Spend</th><td>$12</td></tr><tr><th>Budget</th><td>$20</td><td>60 %</td></tr>"
        assert text_of(f"<table>{rows}</table>") == "Spend: $12\nBudget: $20 60 %\n"

    def test_styles_scripts_and_comments_are_left_out(self) -> None:
        assert text_of("<style>p { color: red }</style><!-- no --><script>1 < 2</script><p>yes</p>") == "yes\n"


HOSTILE = [
    "<script>alert(1)</script>",
    "</title><h1>x</h1>",
    '"><img src=x onerror=alert(1)>',
    "a\r\nBcc: eve@example.com\r\n\r\nBody",
    "a\nSubject: other",
    "a\u2028b\x85c\x0bd\x00e",
    "{{ secret }}{% debug %}",
    "\u202egnp.exe",
    "x" * 5000,
    "ü é 漢字 👩‍👩‍👧",
    "&lt;b&gt; &amp;",
]


@pytest.mark.parametrize("name", HOSTILE)
class TestHostileNames:
    def test_the_subject_is_one_line_and_no_header_is_added(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        parts = parts_for(name, monkeypatch)
        message = messages.message(parts, "ada@example.com", "k").message()
        headers = message_from_bytes(message.as_bytes())
        assert {header for header, _ in headers.items()} == {
            *("Subject", "From", "To", "Date", "Message-ID", "Auto-Submitted", "Content-Type", "MIME-Version")
        }
        assert not set(parts.subject) & set("\r\n\x0b\x00\x85\u2028\u202e")
        assert len(parts.subject) <= 200

    def test_it_is_text_in_both_parts(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        parts = parts_for(name, monkeypatch)
        assert "<script" not in parts.html
        assert "onerror=alert(1)>" not in parts.html
        assert parts.html.count("<h1>") == 1
        assert " ".join(name.split()) in parts.text

    def test_a_mail_program_reads_the_same_as_we_wrote(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        parts = parts_for(name, monkeypatch)
        read: Any = message_from_bytes(
            messages.message(parts, "ada@example.com", "k").message().as_bytes(), policy=policy.default
        )
        assert str(read["Subject"]).strip() == parts.subject
        text, html = read.iter_parts()
        assert text.get_content().split() == parts.text.split()
        assert html.get_content().split() == parts.html.split()


def test_two_templates_cannot_have_one_name() -> None:
    with pytest.raises(ValueError, match="two mail templates"):
        register(MailTemplate("test", "Another", context=dict, sample=dict))
