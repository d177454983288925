"""Actions that let a model write are tagged so, for editors that know the tag."""

from typing import Any

from lsprotocol.types import CodeActionTag

from support.editor import Editor

PASSAGE = {"start": {"line": 7, "character": 0}, "end": {"line": 8, "character": 10}}
WRITTEN_BY_A_MODEL = {"Generate angles", "Polish this passage"}
NOT_WRITTEN = {"Skip angles", "Preview the prompt of angles", "Open the run"}


async def test_what_a_model_writes_is_tagged_where_the_editor_knows_the_tag(
    editor: Editor,
) -> None:
    """And nothing else is; an editor that does not know it gets no tags at all."""
    await editor.start_run()
    params: dict[str, Any] = {
        "textDocument": {"uri": editor.notes},
        "range": PASSAGE,
        "context": {"diagnostics": []},
    }
    found = await editor.request("textDocument/codeAction", params)
    tags = {a["title"].removeprefix("WriteIt: "): a.get("tags") for a in found}
    known = editor.profile == "visual_studio_code"
    expected = [CodeActionTag.LlmGenerated.value] if known else None
    assert {title: tags[title] for title in WRITTEN_BY_A_MODEL} == dict.fromkeys(
        WRITTEN_BY_A_MODEL, expected
    )
    assert not any(tags[title] for title in NOT_WRITTEN)
