"""A run as a file to keep: yaml and json with everything, markdown to read.

    facts     events as facts, without what stands in the run already
    data      a dossier as plain data, and back
    texts     plain data as yaml or json
    parsing   yaml or json as plain data, bounded: it may be somebody else's
    checksum  whether a file is as it was written
    reading   from a text to a dossier, or a refusal that says why
    article   the finished text, with where it came from in its front matter

Only values: nothing is stored, no file is opened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from writeit.export.article import article, with_provenance
from writeit.export.data import as_data
from writeit.export.reading import read_export
from writeit.export.texts import as_json, as_yaml

if TYPE_CHECKING:
    from writeit.core.dossier import Dossier
    from writeit.core.session import ExportFormat

__all__ = ["article", "as_data", "export_run", "read_export"]


def export_run(dossier: Dossier, form: ExportFormat, version: str) -> str:
    """Return a run in a format; `version` is this program's, for the markdown.

    Raises:
        InvalidTransition: markdown of a run that has no completed step yet.
    """
    if form == "markdown":
        return with_provenance(dossier, version)
    data = as_data(dossier)
    return as_json(data) if form == "json" else as_yaml(data)
