"""Words of a document that its style avoids."""

from __future__ import annotations

from functools import lru_cache

from writeit.domain.primer import StylePrimer
from writeit.lsp.findings.finding import BoundDocument, Finding
from writeit.text.block_reader import prose_in
from writeit.text.language import Language
from writeit.text.style_rules import StyleHit, StyleLinter, StyleRule

CODE = "style"
_STEMMERS: dict[Language, str] = {"de": "german"}


@lru_cache(maxsize=8)
def _linter(rules: tuple[StyleRule, ...], language: Language) -> StyleLinter:
    return StyleLinter(rules, _STEMMERS.get(language, "english"))


def find_style_hits(
    rules: tuple[StyleRule, ...], text: str, language: Language
) -> list[tuple[int, StyleHit]]:
    """Return what breaks rules in a markdown text, each with where its prose begins."""
    linter = _linter(rules, language)
    return [
        (block.start, hit)
        for block in prose_in(text)
        for hit in linter.find(block.text)
    ]


async def find_avoided_words(document: BoundDocument) -> list[Finding]:
    """Return the words of a document that its style avoids."""
    primer, language = document.primer, document.language
    settings = await document.folder.load_settings()
    if primer is None or not settings.primer_lint.enabled:
        return []
    rules = tuple(primer.style_rules)
    found = await document.examine(
        CODE, (rules, language), lambda text: find_style_hits(rules, text, language)
    )
    findings = []
    for block_start, (prose_start, hit) in found:
        start = block_start + prose_start + hit.start
        end = block_start + prose_start + hit.end
        words = document.text[start:end]
        findings.append(
            Finding(
                code=CODE,
                start=start,
                end=end,
                words=words,
                message=_message(primer, " ".join(words.split()), hit),
                replacements=hit.replacements,
            )
        )
    return findings


def _message(primer: StylePrimer, words: str, hit: StyleHit) -> str:
    prefer = f" Write: {', '.join(hit.rule.prefer)}." if hit.rule.prefer else ""
    note = f" {hit.rule.note}" if hit.rule.note else ""
    return f"The style {primer.name} avoids “{words}”.{prefer}{note}"
