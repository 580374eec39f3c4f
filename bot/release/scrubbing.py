"""Take out of a text all that looks like a secret (invariant I8). Pure."""

import re
from typing import Final

# Forms of secrets that outside systems hand to us; tokens of an App are up to about 520 characters with dots:
# https://github.blog/changelog/2026-05-15-github-app-installation-tokens-are-now-stateless
_SECRETS: Final = re.compile(
    r"gh[a-z]_[A-Za-z0-9._-]{20,}|github_pat_[A-Za-z0-9_]{20,}|(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]*"
    r"|(?<=://)[^/@\s:]+:[^/@\s]+(?=@)|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    re.DOTALL,
)
HIDDEN: Final = "[secret]"


def scrubbed(text: str) -> str:
    """Return the text without anything that looks like a secret."""
    return _SECRETS.sub(HIDDEN, text)
