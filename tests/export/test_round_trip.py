"""What goes out comes back: random histories through both formats."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings

from export.dossiers import dossiers
from storage.histories import histories
from writeit.domain.session import ExportFormat
from writeit.export.bundle_reader import read_export
from writeit.export.render import export_run
from writeit.ports.store import RunCommit

VERSION = "0.0.0"
modest = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example],
)


@pytest.mark.parametrize("form", ["yaml", "json"])
@given(decisions=histories())
@modest
def test_an_export_reads_back_as_what_it_was_made_of(
    form: ExportFormat, decisions: list[RunCommit]
) -> None:
    """Run, configuration, primer, ancestors and every event, field by field."""
    for dossier in dossiers(decisions).values():
        text = export_run(dossier, form, VERSION)
        again = read_export(text)
        assert again == dossier
        assert export_run(again, form, VERSION) == text


@pytest.mark.parametrize("form", ["yaml", "json"])
@given(decisions=histories(max_size=25))
@modest
def test_an_export_without_history_reads_back(
    form: ExportFormat, decisions: list[RunCommit]
) -> None:
    """The run is as it was; its history is not made up."""
    for dossier in dossiers(decisions).values():
        bare = replace(dossier, events=None)
        assert read_export(export_run(bare, form, VERSION)) == bare
