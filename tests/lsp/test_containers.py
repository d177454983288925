"""Passages in lists, quotes, tables and code are polished where they are."""

import pytest

from support.document import Document
from support.editor import Json
from support.model_words import escape
from support.open_documents import OpenDocuments, span

CODE = "\n".join(f"x{n} = compute({n})" for n in range(90))
ENDS = "# M\r\n\r\nfirst are crlf.\r\n\r\nsecond are crlf.\n\nthird are lf.\n"


async def polish(
    docs: OpenDocuments, page: Document, passage: str, answer: str
) -> Json:
    """Polish a passage of a page with an answer."""
    run: Json = await docs.editor.command(
        "writeit.document.polish",
        uri=page.uri,
        range=span(page.text, passage, docs.encoding),
        models=[f"openai/say-{escape(answer)}"],
        apply=True,
    )
    return run


@pytest.mark.parametrize(
    ("text", "passage", "answer", "result"),
    [
        (
            "> [!tip] Title\n> Body are here\n> and [[link]].\n",
            "Body are here\n> and [[link]].",
            "Body is here\nand [[link]].",
            "Body is here\n> and [[link]].",
        ),
        (
            "1. First.\n\n   A second are here,\n   over two lines.\n\n2. Next.\n",
            "A second are here,\n   over two lines.",
            "A second is here,\nover two lines.",
            "A second is here,\n   over two lines.",
        ),
        (
            "Before.\n\n> One line that are long.\n\nAfter.\n",
            "One line that are long.",
            "One line.\n\nIt is long.",
            "One line.\n>\n> It is long.",
        ),
        (
            "| a | b |\n|---|---|\n| this are long | x |\n",
            "this are long",
            "this is long | and good\nreally",
            r"this is long \| and good really",
        ),
        (
            "Run this:\n\n```\nmake all\n```\n\nThen go on.\n",
            "```\nmake all\n```",
            "```\nmake all\n```",
            "```\nmake all\n```",
        ),
        (
            "Body are here.\n",
            "Body are here.",
            "<passage>\nIt is.\n</passage>",
            "It is.",
        ),
        (
            ENDS,
            ENDS[7:-1],
            "first are crlf.\n\nsecond is crlf.\n\nthird are lf.",
            "first are crlf.\r\n\r\nsecond is crlf.\n\nthird are lf.",
        ),
        (
            "## A\n\n```x``` starts this line.\n\nmore\n",
            "more",
            "```py\nx\n```",
            "```py\nx\n```",
        ),
        (
            "Setup\n-----\n\nText.\n",
            "Setup\n-----",
            "# How to set it up",
            "How to set it up\n-----",
        ),
    ],
)
async def test_an_answer_gets_the_marks_of_its_place(
    docs: OpenDocuments, text: str, passage: str, answer: str, result: str
) -> None:
    """And nothing around it changes."""
    page = docs.open(text)
    run = await polish(docs, page, passage, answer)
    assert run["status"] == "COMPLETED"
    assert page.text == text.replace(passage, result, 1)


async def test_what_does_not_fit_is_shown_and_not_applied(docs: OpenDocuments) -> None:
    """The text is kept with its run."""
    page = docs.open(text := "| a | b |\n|---|---|\n| this are long | x |\n")
    before = len(docs.editor.sent("window/showDocument"))
    run = await polish(docs, page, "this are long", "- one\n- two")
    await docs.editor.until(
        lambda: len(docs.editor.sent("window/showDocument")) > before
    )
    assert page.text == text
    result = await docs.apply(run["pipelineRunId"])
    assert (result["applied"], result["reason"]) == (False, "container")
    assert page.text == text


async def test_a_prompt_has_whole_context_and_each_tag_once(
    docs: OpenDocuments,
) -> None:
    """Cut at blocks, under the headings, with what the passage refers to."""
    page = docs.open(
        f"# On prompts\n\n## Code\n\nFirst.\n\n```py\n{CODE}\n```\n\n<passage>\nOld.\n"
        "</passage>\n\n- This are [it].[^n]\n\n[it]: https://example.org\n"
        "[other]: https://example.com\n[^n]: A note.\n"
    )
    run = await polish(docs, page, "This are [it].[^n]", "This is [it].[^n]")
    (answer,) = run["steps"]["polish"]["aiResponses"]
    prompt = answer["promptUsed"]
    context = prompt.partition("<before>\n")[2].partition("\n</before>")[0]
    assert context.startswith("# On prompts\n\n## Code\n\n[…]\n\n<passage>\nOld.")
    assert "<passage-2>\nThis are [it].[^n]\n</passage-2>" in prompt
    definitions = prompt.partition("<definitions>\n")[2].partition("\n</def")[0]
    assert definitions == "[it]: https://example.org\n[^n]: A note."
    assert "a list item" in prompt
