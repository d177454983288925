"""A passage inside a code fence is replaced there, and the fence stays."""

import pytest

from support.open_documents import OpenDocuments, span

TEXT = "# A\n\nBefore.\n\n```python\nx = 1\ny = 2\n```\n\nAfter.\n"


@pytest.mark.parametrize("passage", ["y = 2", "x = 1\ny = 2"])
@pytest.mark.parametrize(
    "model", ["say-y+20+3D+203", "say-+60+60+60python+0Ay+20+3D+203+0A+60+60+60"]
)
async def test_a_passage_of_code_is_replaced_inside_its_fence(
    docs: OpenDocuments, passage: str, model: str
) -> None:
    """Nothing around it changes; a fence of the model's own is left out."""
    page = docs.open(TEXT)
    run = await docs.editor.command(
        "writeit.document.polish",
        uri=page.uri,
        range=span(TEXT, passage, docs.encoding),
        models=[f"openai/{model}"],
        apply=True,
    )
    assert run["status"] == "COMPLETED"
    assert page.text == TEXT.replace(passage, "y = 3")
