"""Whether a text is English or German."""

from __future__ import annotations

import re
from typing import Literal

from writeit.text.front_matter import find_front_matter

Language = Literal["en", "de", ""]
"""The empty one is any other language, or unclear."""

_WORDS = {
    "en": "the and of to is are with for that this it was were from by on at as not has"
    " have had which but they their its an or than when there no we you he",
    "de": "der die das und ist für dass diese dieses es wurde von bei auf als"
    " nicht hat haben den dem des ein eine einen einem einer aber sie sich oder wir"
    " ich zu im am zum zur nach auch nur noch",
    "": "in out per pro so if into until bis ab vs war a i be will can how what our",
}
_ENGLISH, _GERMAN = ({*_WORDS[code].split()} for code in ("en", "de"))
FUNCTION_WORDS = frozenset(" ".join(_WORDS.values()).split())
"""Words that say nothing of what a text is about."""
_LANG = re.compile(r"^\W*lang(?:uage)?\W+([a-z]{2,})", re.IGNORECASE | re.MULTILINE)
_WORD = re.compile(r"[^\W\d_]+")
_SAMPLE = 20_000
"""Characters."""


def language_of(text: str) -> Language:
    """Return the language that front matter names, else that of most stop words."""
    found = find_front_matter(text)
    if found and (named := _LANG.search(found.content)):
        code = named[1][:2].lower()
        return "en" if code == "en" else "de" if code == "de" else ""
    start = len(found.head) if found else 0
    words = [word.lower() for word in _WORD.findall(text, start, start + _SAMPLE)]
    english = sum(map(_ENGLISH.__contains__, words))
    german = sum(map(_GERMAN.__contains__, words))
    if english > german * 2:
        return "en"
    return "de" if german > english * 2 else ""
