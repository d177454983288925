"""Remarks of models, in the text that they are about."""

import json
from typing import Any

from support.drafts import Draft
from support.model_words import escape
from support.open_documents import OpenDocuments, file_of
from support.waiting import wait_until_async

REVIEW = """\
name: {name}
output: review
inputs:
  - {{name: text, required: true, from: document}}
steps:
  - {{name: look, prompt: "Review: {{{{ inputs.text }}}}"}}
"""
TEXT = """\
# The mill

The mill was build in 1702 by *two* brothers -- and it stands.

We utilize the water of the “old” river.

It is very old. It is very old.
"""
BUILD, OLD = "The mill was build in 1702 by two brothers", "We utilize the water"
GRAMMAR = {
    "quote": BUILD,
    "kind": "grammar",
    "remark": "The participle is built.",
    "replacement": "The mill was built in 1702 by *two* brothers",
}
WORDS = {"quote": OLD, "kind": "words", "remark": "A long word.", "replacement": None}
TWICE = {"quote": "It is very old.", "kind": "words", "remark": "Said twice."}
FIX = "Apply the suggestion: The mill was built in 1702 by *two* brothers"


def answer(*remarks: dict[str, Any]) -> str:
    """A model that makes these remarks."""
    return f"say-{escape(json.dumps({'remarks': remarks}))}"


def change(draft: Draft, old: str, new: str) -> None:
    """Replace words of the document, as the user."""
    at = draft.page.text.index(old)
    draft.page.type(at, at + len(old), new)


def add_review(docs: OpenDocuments, pipeline: str = "look-at-it") -> None:
    """Add a pipeline that reviews to the workspace."""
    folder = docs.editor.folder / "pipelines"
    folder.mkdir(exist_ok=True)
    path = folder / f"{pipeline}.yaml"
    path.write_text(REVIEW.format(name=pipeline), encoding="utf-8")


async def reviewed(
    docs: OpenDocuments, *models: str, text: str = TEXT, pipeline: str = "look-at-it"
) -> Draft:
    """A document that models have reviewed."""
    add_review(docs, pipeline)
    page = docs.open(text)
    given = models or (answer(GRAMMAR, WORDS, TWICE), answer(GRAMMAR))
    run_id = await docs.editor.answered(*given, uri=page.uri, pipeline=pipeline)
    return Draft(docs, page, run_id)


async def test_remarks_are_marked_where_their_words_stand(docs: OpenDocuments) -> None:
    """With kind, suggestion and how many models; one that is twice there is not."""
    draft = await reviewed(docs)
    before = draft.page.text
    found = await draft.marked()
    assert draft.words(found) == [
        "The mill was build in 1702 by *two* brothers",
        "We utilize the water",
    ]
    assert [(d["code"], d["source"]) for d in found] == [
        ("grammar", "WriteIt"),
        ("words", "WriteIt"),
    ]
    assert found[0]["message"].endswith("*two* brothers (2 models)")
    assert draft.page.text == before
    assert draft.page.taken == 0


async def test_a_suggestion_is_one_edit_and_is_not_offered_again(
    docs: OpenDocuments,
) -> None:
    """The list and the page say so, too. Undone, the remark is there again."""
    draft = await reviewed(docs)
    await draft.take(FIX, "build")
    await wait_until_async(lambda: draft.page.taken == 1)
    assert draft.page.text == TEXT.replace("build", "built")
    found = await draft.marked()
    assert draft.words(found) == [OLD]
    listed = await docs.editor.command("writeit.review.list", uri=draft.page.uri)
    states = [(r["kind"], r["state"], r["range"]) for r in listed["remarks"]]
    assert states == [
        ("grammar", "applied", None),
        ("words", "open", found[0]["range"]),
        ("words", "open", None),
    ]
    uri = f"writeit:/step/{draft.run_id}/look.md"
    page = (await docs.editor.command("writeit.view.read", uri=uri))["text"]
    assert "words: “We utilize" in page
    assert "grammar (2 models)" not in page
    change(draft, "built", "build")
    assert draft.words(await draft.marked()) == [BUILD.replace("two", "*two*"), OLD]


async def test_words_of_the_user_stay_when_a_suggestion_is_applied(
    docs: OpenDocuments,
) -> None:
    """What was changed besides is merged; the same words are not offered."""
    draft = await reviewed(docs)
    change(draft, "1702", "1703")
    await draft.take("Apply the suggestion: The mill was built in 1703", "build")
    await wait_until_async(lambda: "was built in 1703 by *two*" in draft.page.text)
    draft = await reviewed(docs)
    change(draft, "build", "erected")
    offered = await draft.offered("erected")
    assert not [title for title in offered if title.startswith("Apply")]


async def test_dismissed_remarks_are_gone_also_from_the_next_review(
    docs: OpenDocuments,
) -> None:
    """One remark, or all of its kind."""
    draft = await reviewed(docs)
    await draft.take("Dismiss", "build")
    assert draft.words(await draft.marked()) == [OLD]
    await draft.take("Dismiss all remarks about words", "utilize")
    assert await draft.marked() == []
    again = {**WORDS, "quote": "and it stands."}
    await docs.editor.answered(
        answer(GRAMMAR, again), uri=draft.page.uri, pipeline="look-at-it"
    )
    assert await draft.marked() == []


async def test_edited_away_is_lost_and_an_open_editor_shows_it_again(
    docs: OpenDocuments,
) -> None:
    """The text of now is compared with the text that was reviewed."""
    draft = await reviewed(docs)
    change(draft, TEXT, TEXT.replace("We utilize the water", "Water drives it"))
    assert draft.words(await draft.marked()) == [BUILD.replace("two", "*two*")]
    draft.page.close()
    draft.page = docs.open(f"New.\n\n{TEXT}", uri=draft.page.uri)
    assert draft.words(await draft.marked()) == [BUILD.replace("two", "*two*"), OLD]


async def test_a_passage_is_rewritten_with_a_remark(docs: OpenDocuments) -> None:
    """The remark is the instruction; only the passage changes."""
    draft = await reviewed(docs)
    offered = await draft.offered("utilize")
    (params,) = offered["Rewrite with this remark"]["arguments"]
    run = await docs.editor.command(
        "writeit.document.polish",
        **{**params, "wait": True},
        models=["openai/say-We+20use+20it"],
    )
    assert run["userInputs"]["instruction"] == "A long word."
    await wait_until_async(lambda: "\nWe use it of the “old” river" in draft.page.text)


async def test_the_page_of_the_run_lists_what_has_no_place(docs: OpenDocuments) -> None:
    """What was never found, and what is lost; dismissed remarks can be restored."""
    draft = await reviewed(docs)
    assert await unplaced(draft) == ["words: “It is very old.”"]
    await draft.take("Dismiss all remarks about words", "utilize")
    assert await unplaced(draft) == []
    offered = await draft.offered("mill")
    (params,) = offered["Open the remarks of look-at-it"]["arguments"]
    assert (params["view"], params["runId"]) == ("step", draft.run_id)
    await docs.editor.command("writeit.review.restore", runId=draft.run_id)
    change(draft, "We utilize the water of the “old” river.\n\n", "")
    assert await unplaced(draft) == [
        "words: “We utilize the water”",
        "words: “It is very old.”",
    ]


WHOLE = {"kind": "structure", "remark": "The end is missing."}


async def page_lenses(draft: Draft) -> list[list[str]]:
    """The titles of the lenses on each listed remark of a review's page."""
    uri = f"writeit:/step/{draft.run_id}/look.md"
    editor = draft.docs.editor
    text = (await editor.command("writeit.view.read", uri=uri))["text"]
    lenses = await editor.request(
        "textDocument/codeLens", {"textDocument": {"uri": uri}}
    )
    return [
        [x["command"]["title"] for x in lenses if x["range"]["start"]["line"] == line]
        for line, words in enumerate(str(text).splitlines())
        if words.startswith(("- line", "- no place", "- the whole"))
    ]


async def test_every_listed_remark_can_be_acted_on_on_the_page(
    docs: OpenDocuments,
) -> None:
    """One on the whole text, or without a place, has nothing to be rewritten."""
    draft = await reviewed(docs, answer(GRAMMAR, TWICE, WHOLE))
    dismiss = ["Dismiss", "Dismiss this kind"]
    rewrite = ["Rewrite with this remark", *dismiss]
    assert await page_lenses(draft) == [rewrite, dismiss, dismiss]
    listed = await docs.editor.command("writeit.review.list", uri=draft.page.uri)
    (whole,) = (r for r in listed["remarks"] if not r["quote"])
    await docs.editor.command("writeit.review.dismiss", remarkId=whole["remarkId"])
    assert await page_lenses(draft) == [rewrite, dismiss]


async def test_explain_shows_the_remark_on_its_page(docs: OpenDocuments) -> None:
    """The page is opened at the line of the remark."""
    draft = await reviewed(docs)
    before = len(docs.editor.sent("window/showDocument"))
    await draft.take("Explain this remark", "utilize")
    await docs.editor.until(
        lambda: len(docs.editor.sent("window/showDocument")) > before
    )
    shown = docs.editor.sent("window/showDocument")[-1]
    lines = file_of(shown["uri"]).read_text("utf-8").splitlines()
    line = lines[shown["selection"]["start"]["line"]]
    assert line == "- line 5, words: “We utilize the water”"


async def unplaced(draft: Draft) -> list[str]:
    """What the page of the review lists as without a place."""
    uri = f"writeit:/step/{draft.run_id}/look.md"
    page = await draft.docs.editor.command("writeit.view.read", uri=uri)
    start = "- no place found, "
    lines = str(page["text"]).splitlines()
    return [line.removeprefix(start) for line in lines if line.startswith(start)]


async def test_a_review_is_offered_once_and_generates(docs: OpenDocuments) -> None:
    """A pipeline for reviews is no article that is started."""
    draft = await reviewed(docs)
    offered = await draft.offered("mill")
    (title,) = [t for t in offered if t.endswith("with look-at-it")]
    assert title == "Review with look-at-it"
    assert offered[title]["arguments"][0]["goOn"] is True
    assert "Insert front matter for look-at-it" not in offered


async def test_a_bare_client_reviews_by_actions_and_pages(bare: OpenDocuments) -> None:
    """Diagnostics are sent, a message says how many, and the page is a file."""
    add_review(bare)
    models = {"look": answer(GRAMMAR, TWICE)}
    chosen = {step: f"openai/{model}" for step, model in models.items()}
    await bare.editor.command("writeit.preferences.set", defaultModels=chosen)
    draft = Draft(bare, bare.open(TEXT), "")
    await draft.take("Review with look-at-it", "mill")
    await wait_until_async(draft.published)
    assert draft.words(draft.published()) == [BUILD.replace("two", "*two*")]
    said = [str(one["message"]) for one in bare.editor.sent("window/showMessage")]
    assert any("look-at-it: 2 remarks" in message for message in said)
    await draft.take(FIX, "build")
    await wait_until_async(lambda: not draft.published())
    assert draft.page.text == TEXT.replace("build", "built")
    await draft.take("Open the remarks of look-at-it", "mill")
    pages = bare.editor.folder / ".writeit" / "views" / "step"
    (page,) = await wait_until_async(lambda: list(pages.glob("*/*.md")))
    assert "no place found, words: “It is very old.”" in page.read_text("utf-8")
    shown = bare.editor.sent("window/showMessage")[-1]["message"]
    assert shown.startswith("## Remarks")
