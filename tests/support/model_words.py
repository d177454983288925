"""Texts in the names of the test provider's models: `+20` for a space, and so on."""

import re
from urllib.parse import quote, unquote


def escape(text: str) -> str:
    """Return a text in the characters that a model id may have."""
    return quote(text, safe="").replace("~", "%7E").replace("%", "+")


def unescape(name: str) -> str:
    """Return the text of an escaped name."""
    return unquote(re.sub(r"\+(?=[0-9A-F]{2})", "%", name))
