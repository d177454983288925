"""Messages about documents that are not open any more."""

from lsprotocol import types

from writeit.lsp.pygls_fixes import WriteItWorkspace

URI = "untitled:Untitled-1"


def test_a_change_after_the_close_is_no_error() -> None:
    """VS Code sends one when an untitled text is thrown away."""
    workspace = WriteItWorkspace(None)
    workspace.put_text_document(types.TextDocumentItem(URI, "markdown", 1, "a text"))
    workspace.remove_text_document(URI)
    workspace.update_text_document(
        types.VersionedTextDocumentIdentifier(version=2, uri=URI),
        types.TextDocumentContentChangeWholeDocument(""),
    )
    assert not workspace.text_documents


def test_a_change_of_an_open_document_is_made_whatever_its_name() -> None:
    """Blanks and umlauts come encoded."""
    uri = "file:///a%20b%C3%A4.md"
    workspace = WriteItWorkspace(None)
    workspace.put_text_document(types.TextDocumentItem(uri, "markdown", 1, "a text"))
    workspace.update_text_document(
        types.VersionedTextDocumentIdentifier(version=2, uri=uri),
        types.TextDocumentContentChangeWholeDocument("another"),
    )
    assert workspace.get_text_document(uri).source == "another"
