"""Front matter of other tools: kept byte for byte, never sent, never a title."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.code_actions import actions
from support.open_documents import BETTER, FIRST, SECOND, TEXT
from writeit.library.front_matter import split_front_matter

if TYPE_CHECKING:
    from support.editor import Json
    from support.open_documents import OpenDocuments

pytestmark = pytest.mark.asyncio(loop_scope="session")

HEADS = {
    "YAML": "\n---\ntitle: Tides  # mine\n...\n",
    "TOML": '+++\ntitle = "Tides"\n# draft only\n+++\n\n',
    "JSON": '\ufeff{\n  "title": "Tides"\n}\n\n',
    "Pandoc": "% Tides\n  and ebbs\n% A. Writer\n% May 2025\n\n",
}
OTHERS = [name for name in HEADS if name != "YAML"]
PROMPT = "{{ document.title }}|{{ inputs.text }}"


@pytest.mark.parametrize("dialect", HEADS)
async def test_no_mode_of_apply_changes_it(docs: OpenDocuments, dialect: str) -> None:
    """Replace, insert and a passage; restore brings back the text below it."""
    head = HEADS[dialect]
    for mode, body in (("replace", f"{BETTER}\n"), ("insert", f"{TEXT}\n{BETTER}\n")):
        page = docs.open(head + TEXT)
        run_id = await docs.run(page.uri, page.text)
        await docs.apply(run_id, mode=mode)
        front_matter = split_front_matter(page.text)
        assert front_matter.dialect == dialect
        assert front_matter.head.rstrip() == head.rstrip()
        assert front_matter.body.lstrip("\n") == body
        await docs.editor.command("writeit.edit.restore", runId=run_id)
        assert page.text == head + TEXT
    page = docs.open(head + TEXT)
    await docs.apply(await docs.polished(page))
    assert page.text == head + TEXT.replace(SECOND, BETTER)


@pytest.mark.parametrize(
    "head", ["---\ntitle: A\n---", "+++\na = 1\n+++", '{"a": 1}', '{"a": 1}\n', "% A"]
)
async def test_a_text_below_front_matter_alone_has_a_line_of_its_own(
    docs: OpenDocuments, head: str
) -> None:
    """The file ends with the front matter, maybe in the middle of its last line."""
    page = docs.open(head)
    run_id = await docs.editor.start_run(
        uri=page.uri, pipeline="tech-article", inputs={"source_material": "notes"}
    )
    await docs.editor.command("writeit.step.run", runId=run_id, models=["openai/say-a"])
    await docs.editor.command("writeit.step.select", runId=run_id, response=0)
    await docs.apply(run_id, mode="replace")
    found = split_front_matter(page.text)
    assert found.head.rstrip("\n") == head.rstrip("\n")
    assert found.body == "a\n"


@pytest.mark.parametrize("dialect", HEADS)
async def test_it_is_not_sent_and_is_no_title(
    docs: OpenDocuments, dialect: str
) -> None:
    """Also by a polish of the whole document."""
    docs.add_mirror()
    page = docs.open(f"{HEADS[dialect]}# Rivers\n\n{TEXT}")
    run_id = await docs.editor.start_run(uri=page.uri, pipeline="mirror")
    preview = await docs.editor.command(
        "writeit.step.preview", runId=run_id, models=["openai/say-a"]
    )
    assert FIRST in preview["prompt"]
    assert "Tides" not in preview["prompt"]
    polished = await docs.editor.command(
        "writeit.document.polish", uri=page.uri, models=["openai/say-a"]
    )
    (answer,) = polished["steps"]["polish"]["aiResponses"]
    assert FIRST in answer["promptUsed"]
    assert "Tides" not in answer["promptUsed"]


@pytest.mark.parametrize("dialect", OTHERS)
async def test_no_block_is_offered_or_inserted(
    docs: OpenDocuments, dialect: str
) -> None:
    """The refusal names the dialect."""
    page = docs.open(HEADS[dialect] + TEXT)
    assert not await front_matter_offers(docs, page.uri)
    refused = await docs.editor.refusal(
        "writeit.document.frontMatter", uri=page.uri, pipeline="tech-article"
    )
    assert refused.kind == "invalid_params"
    assert dialect in str(refused)
    assert page.version == 1


@pytest.mark.parametrize(
    ("head", "line"),
    [
        ("---\n{title: x, tags: [a]}\n---\n", ""),
        ("---\ntitle: <% file.title %>\nrelated: [[A]], [[B]]\n---\n", "line 3"),
    ],
)
async def test_what_is_refused_is_not_offered(
    docs: OpenDocuments, head: str, line: str
) -> None:
    """A mapping in braces, and YAML that cannot be read."""
    page = docs.open(head + TEXT)
    assert not await front_matter_offers(docs, page.uri)
    refused = await docs.editor.refusal(
        "writeit.document.frontMatter", uri=page.uri, pipeline="tech-article"
    )
    assert line in str(refused)
    assert page.text == head + TEXT


async def front_matter_offers(docs: OpenDocuments, uri: str) -> list[str]:
    """The actions that insert front matter."""
    found = await actions(docs.editor, uri)
    return [title for title in found if title.startswith("Insert front matter")]


TABLES = {
    "TOML": """\
+++
[writeit]
pipeline = "tech-article"
providers = ["embedded"]
+++
""",
    "JSON": '{"writeit": {"pipeline": "tech-article", "providers": ["embedded"]}}\n\n',
}


@pytest.mark.parametrize("dialect", TABLES)
async def test_a_table_sets_the_allowed_providers(
    docs: OpenDocuments, dialect: str
) -> None:
    """As the YAML block does."""
    page = docs.open(TABLES[dialect] + TEXT)
    refused = await docs.editor.refusal(
        "writeit.document.polish", uri=page.uri, models=["openai/say-a"]
    )
    assert "openai" in str(refused)
    listed = await docs.editor.command("writeit.pipeline.list", uri=page.uri)
    assert listed["binding"]["pipeline"] == "tech-article"


@pytest.mark.parametrize("dialect", TABLES)
async def test_in_a_table_there_is_no_completion_and_no_hover(
    docs: OpenDocuments, dialect: str
) -> None:
    """Problems are shown on its first line, without a quick fix."""
    table = TABLES[dialect].replace("tech-article", "tech-artikle")
    page = docs.open(table + TEXT)
    line = 1 if dialect == "TOML" else 0
    place = {"line": line, "character": 3}
    where: Json = {"textDocument": {"uri": page.uri}, "position": place}
    for method in ("completion", "hover", "definition"):
        assert not await docs.editor.request(f"textDocument/{method}", where)
    report = await docs.editor.request("textDocument/diagnostic", where)
    starts = [found["range"]["start"] for found in report["items"]]
    assert starts == [{"line": line, "character": 0}]
    found = await actions(docs.editor, page.uri, {"start": place, "end": place})
    assert not [title for title in found if title.startswith("Change to")]
