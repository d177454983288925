"""One primer file: read and validated."""

from __future__ import annotations

from writeit.core.primer import StylePrimer
from writeit.library.problem import Problem, has_errors
from writeit.library.source import Source
from writeit.library.validate import known_only, validated


def read_primer(
    text: str, uri: str, *, stem: str
) -> tuple[StylePrimer | None, tuple[Problem, ...]]:
    """Return the primer a YAML text describes, and all that is wrong with it.

    Args:
        text: the file's text, saved or not.
        uri: where problems say they are.
        stem: the file's name without its ending, the id of a primer that has none.
    """
    source = Source(text, uri)
    data = source.data()
    primer = None
    if isinstance(data, dict):
        known = known_only(source, StylePrimer, data)
        primer = validated(source, StylePrimer, {"primer_id": stem, **known})
    elif not source.problems:
        message = "A primer is a mapping of keys: name, content, …"
        source.add(message, source.range(0))
    problems = tuple(sorted(source.problems, key=lambda problem: problem.range))
    return None if has_errors(problems) else primer, problems
