"""Show what somebody wrote inside one of our sentences, so that it can neither break the sentence nor act in it."""

import unicodedata
from typing import Final

_LONGEST: Final = 60
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


def unseen(text: str) -> str:
    """Return the first character of the text that a reader cannot see or that reorders what they see, or an empty string.

    These are control, format (including bidirectional), surrogate, private and line separator characters, by their Unicode general
    category (https://www.unicode.org/reports/tr44/#General_Category_Values; https://trojansource.codes tells why they matter).
    """
    return next((character for character in text if unicodedata.category(character) in _UNSEEN), "")


def shown(text: str, *, longest: int = _LONGEST) -> str:
    """Return the text as a Markdown code span: short, visible, on one line, notifying nobody. ``longest`` counts characters."""
    short = text if len(text) <= longest else f"{text[: longest - 1]}…"
    harmless = "".join("\N{REPLACEMENT CHARACTER}" if unseen(character) else character for character in short)
    inside = harmless.replace("`", "'").strip()
    return f"`{inside}`" if inside else "nothing"
