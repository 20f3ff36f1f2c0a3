"""The messages of the product itself."""

from web.mail.templates import Context, MailTemplate, register


def test_context(sent_by: str) -> Context:
    return {"sent_by": sent_by}


TEST = register(MailTemplate("test", "Test message", context=test_context, sample=lambda: test_context(sent_by="ada")))
