"""Masks credentials in texts that people read: log lines, and error messages that clients send.

It does not import Django, because gunicorn's configuration uses it too. Each pattern takes time in proportion to the
text: what it repeats without a limit it consumes.
"""

import re

NO_CREDENTIAL = r"(?!(?:auth\w*|tokens?|realm\S{0,64}|information|schemes?|credentials?|challenges?)(?![\w.~+/=%-]))"
"""English words after `Bearer` and `Basic`."""
NAMES = (
    r"(?:api[-_ ]?key(?: (?:provided|given|used))?|(?:subscription|account|access)[-_]?key"
    r"|x-amz-(?:signature|credential)|bearer|(?:api|access|refresh|id|auth|security|session)[-_]?token"
    r"|client[-_]?secret|secret[-_]?key|private[-_]?key|authorization)"
)
SEPARATOR = r"b?[\"']?\s{0,8}[=:,]\s{0,8}b?[\"']?"
VALUE = r"(?!aop_)(?=[^\s\"',;&]{0,128}\d|[^\s\"',;&]{20})[^\s\"',;&…]{8,}"
"""A word that can be a credential: with a digit in it, or long."""
SCHEME = r"(?:basic|token|api[-_]?key|key|digest|negotiate|ntlm|oauth|hmac[\w-]{0,16}|aws4-hmac-sha256)\s{1,8}"
"""The scheme of an `Authorization` header before the credential, other than `Bearer`."""
BASE64 = r"(?-i:(?=[A-Za-z+/]{0,128}(?:\d|[a-z][A-Z]|=|%3D))[A-Za-z0-9+/]{8,}(?:=|%3D){0,2}(?![\w.~-]))"
"""Name and password as `Basic` has them, unlike English words."""
ISSUERS = r"gh[pousr]_|github_pat_|glpat-|xox[a-z]-|xapp-|hf_|gsk_|xai-|pplx-|r8_|tvly-|lsv2_|nvapi-|csk-|npm_"
"""GitHub, GitLab, Slack, Hugging Face, Groq, xAI, Perplexity, Replicate, Tavily, LangSmith, NVIDIA, Cerebras, npm."""


def secret(hints: str, pattern: str) -> tuple[tuple[str, ...], re.Pattern[str]]:
    """Returns the words without which the pattern matches no text in lower case, and the pattern."""
    return tuple(hints.split()), re.compile(pattern)


# The group of each pattern stays in the text: what names the credential, or the beginning of our own keys.
SECRETS = (
    secret("aop_", r"\b(aop_[\w-]{8})[\w-]{8,}"),
    secret("://", r"(://[^\s:/@]{0,64}:)[^\s@/]{1,256}(?=@)"),
    secret("bearer", r"(?i)\b(bearer(?:\s|%20)+)(?!aop_)" + NO_CREDENTIAL + r"[\w.~+/=%-]{8,}"),
    secret("basic", r"(?i)\b(basic(?:\s|%20)+)" + BASE64),
    secret(
        "sessionid csrf password",
        r"(?i)\b((?:sessionid|csrftoken|csrfmiddlewaretoken|password)[\"']?\s*[=:]\s*[\"']?)[^\s\"',;&]+",
    ),
    # OpenAI, Anthropic, OpenRouter, Langfuse, Stripe
    secret("sk- sk_ rk- rk_", r"\b((?:sk|rk)[-_])(?=[\w-]{8})[\w-]+"),
    secret("gh _pat_ glpat xox xapp hf_ gsk_ xai- pplx r8_ tvly lsv2 nvapi csk- npm_", rf"\b({ISSUERS})[\w-]{{8,}}"),
    secret("akia asia abia acca a3t", r"\b(AKIA|ASIA|ABIA|ACCA|A3T[A-Z0-9])[A-Z0-9]{12,}"),
    secret("aiza ya29", r"\b(AIza|ya29\.)[\w.-]{8,}"),
    secret("dapi", r"\b(dapi)[0-9a-f]{16,}"),
    secret("eyj", r"\b(eyJ)[\w-]{8,}(?:\.[\w-]*)*"),
    secret("private key", r"(-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----)[\w+/=\s\\]*"),
    secret(
        "key= key: key\" key' provided: given: used: token= token: token\" token' secret authorization bearer x-amz",
        rf"(?i)({NAMES}{SEPARATOR}(?:{SCHEME})?){VALUE}",
    ),
    # A header's value that somebody made of words.
    secret("x-api-key", rf"(?i)(x-api-key{SEPARATOR})(?!aop_)(?=[a-z]+[-_][a-z]+[-_])[\w-]{{8,}}"),
    secret("key= sig= signature= token= code=", r"(?i)([?&](?:key|sig|signature|token|code)=)[^\s\"'&]{8,}"),
)


def without_secrets(text: str) -> str:
    lower = text.lower()
    for hints, pattern in SECRETS:
        if any(hint in lower for hint in hints):
            text = pattern.sub(r"\1…", text)
    return text
