"""Writes a message as plain text for chats and services, in which nothing that a client sent has an effect."""

import re

from alerts.message import Message

STATE_WORDS = {"info": "Info", "warning": "Warning", "critical": "Critical", "recovered": "Recovered"}
MARKS = (
    # Mentions, commands and links of Slack, Discord and Teams: <!channel>, <@7>, <at>ada</at>, <https://a.example|text>.
    (re.compile(r"<(?=[@!#/:\w])"), "<\u200b"),
    (re.compile(r"@(?=(?:everyone|here|channel|all)\b)", re.I), "@\u200b"),
    # Links of Markdown whose text says something else than where they lead.
    (re.compile(r"\](?=[(\[])"), "]\u200b"),
)
"""Each with the same characters and one that nobody sees between them."""

MORE = "…"


def harmless(text: str) -> str:
    for pattern, instead in MARKS:
        text = pattern.sub(instead, text)
    return text


def title(message: Message) -> str:
    return harmless(one_line(f"{STATE_WORDS[message.state]}: {message.subject}"))


def one_line(text: str) -> str:
    return " ".join(text.split())


def plain_text(message: Message, most: int) -> str:
    """Returns the sentences, facts and links of a message, each on a line. Links go before facts where it is long."""
    links = fitting([f"{harmless(one_line(text))}: {url}" for text, url in message.links], most // 2)
    said = [*message.sentences, *(f"{name}: {text}" for name, text in message.facts)]
    rest = most - sum(len(line) + 1 for line in links)
    return "\n".join([*fitting([harmless(one_line(line)) for line in said], rest), *links]) or title(message)


def fitting(lines: list[str], most: int) -> list[str]:
    """Returns the first lines, as many as have room. A mark stands for those that have none."""
    found: list[str] = []
    used = len(MORE) + 1
    for line in lines:
        used += len(line) + 1
        if used > most:
            return [*found, MORE]
        found.append(line)
    return found
