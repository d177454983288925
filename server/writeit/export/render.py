"""A run as text in one of the export formats."""

from __future__ import annotations

from writeit.domain.run_bundle import RunBundle
from writeit.domain.session import ExportFormat
from writeit.export.article import article_with_provenance
from writeit.export.bundle_writer import bundle_to_json, dump_json, dump_yaml


def export_run(
    bundle: RunBundle, export_format: ExportFormat, program_version: str
) -> str:
    """Return a run in a format; markdown names `program_version`.

    Raises:
        InvalidTransition: markdown, and no step is completed yet.
    """
    if export_format == "markdown":
        return article_with_provenance(bundle, program_version)
    data = bundle_to_json(bundle)
    return dump_json(data) if export_format == "json" else dump_yaml(data)
