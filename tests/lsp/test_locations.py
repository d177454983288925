"""In a view: lenses and actions at each answer, a passage taken, symbols, hover."""

import asyncio

from support.answers import chosen_number, find_answer
from support.code_actions import actions, execute, lenses, line_of, open_view
from support.document import place
from support.editor import Editor, Json
from support.open_documents import BETTER, SECOND, TEXT, OpenDocuments
from support.waiting import TIMEOUT


async def answered(editor: Editor, *models: str) -> str:
    """A run whose first step has answers to choose from."""
    run_id = await editor.start_run(name="Rivers")
    asked = models or ("openai/say-One+20way.", "openai/say-Another+20way.")
    await editor.command("writeit.step.run", runId=run_id, models=list(asked))
    return run_id


async def number_of(editor: Editor, run_id: str, text: str) -> int:
    """The number of the answer that says so."""
    run = await editor.show(run_id)
    answers = run["steps"]["angles"]["aiResponses"]
    return int(next(a["number"] for a in answers if text in a["rawOutput"]))


def marked(text: str, words: str) -> Json:
    """The range of some words in a text."""
    start = text.index(words)
    return {
        "start": place(text, start, "utf-16"),
        "end": place(text, start + len(words), "utf-16"),
    }


async def test_each_answer_of_a_step_has_its_lenses_at_its_heading(
    one_editor: Editor,
) -> None:
    """Choose, ask anew, branch, compare: a lens works where no key does."""
    run_id = await answered(one_editor)
    uri = f"writeit:/step/{run_id}/angles.md"
    text = await open_view(one_editor, uri)
    found = await lenses(one_editor, uri)
    line = line_of(text, "## Answer 2")
    titles = [title for at, title, _ in found if at == line]
    assert titles == [
        "Choose and continue",
        "Choose this answer",
        "Regenerate with this model",
        "Compare with answer 1",
    ]
    choose = next(c for at, t, c in found if at == line and t == titles[1])
    await execute(one_editor, choose)
    angles = (await one_editor.show(run_id))["steps"]["angles"]
    assert chosen_number(angles) == 2


async def test_every_lens_of_a_view_does_what_it_says(one_editor: Editor) -> None:
    """None of them is refused."""
    run_id = await answered(one_editor)
    uri = f"writeit:/step/{run_id}/angles.md"
    await open_view(one_editor, uri)
    found = await lenses(one_editor, uri)
    assert all(c["arguments"][0]["wait"] is False for _, _, c in found)
    for title in ("Compare with answer 1", "Regenerate with this model"):
        command = next(c for _, t, c in found if t == title)
        await execute(one_editor, command)


async def test_a_step_that_later_ones_build_on_offers_a_branch_not_a_choice(
    one_editor: Editor,
) -> None:
    """What would be refused is not offered."""
    run_id = await answered(one_editor)
    await one_editor.choose(run_id)
    await one_editor.generate(run_id, "say-outline")
    uri = f"writeit:/step/{run_id}/angles.md"
    text = await open_view(one_editor, uri)
    line = line_of(text, "## Answer 2")
    titles = [t for at, t, _ in await lenses(one_editor, uri) if at == line]
    assert titles == ["Compare with answer 1", "Branch here"]


async def test_a_passage_selected_in_an_answer_is_taken_into_the_merge(
    one_editor: Editor,
) -> None:
    """Two passages of two answers, then the merge is used: no dialog anywhere."""
    run_id = await answered(one_editor)
    uri = f"writeit:/step/{run_id}/angles.md"
    text = await open_view(one_editor, uri)
    for words in ("Another way", "One way"):
        offered = await actions(one_editor, uri, marked(text, words))
        await execute(one_editor, offered["Add to merge"])
    run = await one_editor.show(run_id)
    taken = [p["text"] for p in run["steps"]["angles"]["passages"]]
    assert taken == ["Another way", "One way"]
    one_editor.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    text = await open_view(one_editor, uri)
    found = await lenses(one_editor, uri)
    line = line_of(text, "## Merge")
    here = {title: c for at, title, c in found if at == line}
    assert list(here) == [
        "Use the merge and continue",
        "Use the merge",
        "Merge with a model",
    ]
    await execute(one_editor, here["Use the merge"])
    run = await one_editor.show(run_id)
    assert run["steps"]["angles"]["content"] == "Another way\n\nOne way"


async def test_a_selection_across_two_answers_is_no_passage(one_editor: Editor) -> None:
    """Nobody could say which answer it is from."""
    run_id = await answered(one_editor)
    uri = f"writeit:/step/{run_id}/angles.md"
    text = await open_view(one_editor, uri)
    first, last = sorted((text.index("One way"), text.index("Another way")))
    offered = await actions(one_editor, uri, marked(text, text[first : last + 4]))
    assert "Add to merge" not in offered
    assert any(title.startswith("Choose this answer") for title in offered)


async def test_the_actions_at_an_answer_come_first_and_name_it(
    one_editor: Editor,
) -> None:
    """A bare client has no lenses; its cursor says which answer is meant."""
    run_id = await answered(one_editor)
    uri = f"writeit:/step/{run_id}/angles.md"
    text = await open_view(one_editor, uri)
    at = marked(text, "Another way")
    offered = await actions(one_editor, uri, {"start": at["start"], "end": at["start"]})
    number = await number_of(one_editor, run_id, "Another way")
    assert next(iter(offered)) == f"Choose and continue (answer {number})"


async def test_a_runs_page_leads_to_its_steps_and_back(one_editor: Editor) -> None:
    """Open, branch, go back: at the line of each step."""
    run_id = await answered(one_editor)
    await one_editor.choose(run_id)
    uri = f"writeit:/run/{run_id}.md"
    text = await open_view(one_editor, uri)
    found = await lenses(one_editor, uri)
    line = line_of(text, "1. ")
    here = {title: c for at, title, c in found if at == line}
    assert set(here) == {"Open", "Branch here", "Start over from here"}
    await execute(one_editor, here["Start over from here"])
    tree = await one_editor.command("writeit.run.tree", runId=run_id)
    assert [child["branchPoint"] for child in tree["children"]] == ["angles"]


async def test_the_page_of_a_deleted_run_offers_nothing(one_editor: Editor) -> None:
    """It is all that is left; an error on each look would help nobody."""
    run_id = await answered(one_editor)
    uri = f"writeit:/step/{run_id}/angles.md"
    await open_view(one_editor, uri)
    await one_editor.command("writeit.run.delete", runId=run_id)
    assert await lenses(one_editor, uri) == []
    assert await actions(one_editor, uri) == {}


async def test_a_bare_client_has_all_of_it_in_the_file(bare: OpenDocuments) -> None:
    """The page under .writeit/views is a view as well."""
    editor = bare.editor
    run_id = await answered(editor)
    path = await editor.step_page(run_id)
    text = path.read_text(encoding="utf-8")
    uri = editor.open_document(path)
    offered = await actions(editor, uri, marked(text, "One way"))
    assert "Add to merge" in offered
    number = await number_of(editor, run_id, "One way")
    assert f"Choose this answer (answer {number})" in offered
    symbols = await editor.request(
        "textDocument/documentSymbol", {"textDocument": {"uri": uri}}
    )
    names = [s["name"] for s in symbols]
    assert f"Answer {number} · openai/say-One+20way." in names
    assert names[-2:] == ["Merge", "Feedback"]


async def test_a_view_has_its_headings_as_symbols(editor: Editor) -> None:
    """As a tree where the client can; of the writer's own texts others tell."""
    run_id = await answered(editor)
    uri = f"writeit:/step/{run_id}/angles.md"
    await open_view(editor, uri)
    ask = "textDocument/documentSymbol"
    symbols = await editor.request(ask, {"textDocument": {"uri": uri}})
    children = symbols[0].get("children") or symbols[1:]
    assert [s["name"] for s in children][-2:] == ["Merge", "Feedback"]
    assert await editor.request(ask, {"textDocument": {"uri": editor.notes}}) == []


async def test_a_passage_says_where_it_comes_from(docs: OpenDocuments) -> None:
    """Run, step, model, cost, also after a later step."""
    page = docs.open()
    run_id = await docs.polished(page)
    await docs.apply(run_id)
    assert BETTER in page.text
    start = page.text.index("day and night")
    page.type(start, start, "every ")
    line = place(page.text, start, "utf-16")["line"]
    here = {"textDocument": {"uri": page.uri}}
    at = {"line": line, "character": 3}
    hover = await docs.editor.request("textDocument/hover", {**here, "position": at})
    said = hover["contents"]["value"]
    assert "polish-passage" in said
    assert "Answer 1 by openai/say-a, edited by you" in said
    above = {"line": 0, "character": 3}
    hover = await docs.editor.request("textDocument/hover", {**here, "position": above})
    assert hover is None


async def test_each_paragraph_of_a_merge_says_whose_it_is(docs: OpenDocuments) -> None:
    """Answers by number and model, and the user's own words."""
    page = docs.open()
    polished = await docs.editor.command(
        "writeit.document.polish",
        uri=page.uri,
        models=["openai/say-Mills+20turn.", "openai/say-Wheels+20stand."],
    )
    run_id = polished["pipelineRunId"]
    (step,) = polished["steps"].values()
    mills = find_answer(step, rawOutput="Mills turn.")["number"]
    content = "Wheels stand.\n\nMy own.\n\nMills turn."
    await docs.editor.command("writeit.step.merge", runId=run_id, content=content)
    await docs.apply(run_id)
    assert content in page.text
    for words, said in (
        ("Wheels", f"answer {3 - mills} by openai/say-Wheels"),
        ("My own", "This paragraph: your own words."),
        ("Mills", f"answer {mills} by openai/say-Mills"),
    ):
        line = place(page.text, page.text.index(words), "utf-16")["line"]
        hover = await docs.editor.request(
            "textDocument/hover",
            {
                "textDocument": {"uri": page.uri},
                "position": {"line": line, "character": 1},
            },
        )
        assert said in hover["contents"]["value"]
        assert hover["range"]["start"]["line"] == line
        assert "Merged by you from" in hover["contents"]["value"]


async def test_a_text_that_waits_is_offered_until_it_landed(
    docs: OpenDocuments,
) -> None:
    """By lens and action; then it is offered to be taken back."""
    page = docs.open(manner="deaf")
    run_id = await docs.polished(page)
    assert (await docs.apply(run_id))["pending"]
    waiting = "Insert the text of polish"
    titles = [title for _, title, _ in await lenses(docs.editor, page.uri)]
    assert titles[0] == "Insert polish"
    page.manner = "honest"
    await execute(docs.editor, (await actions(docs.editor, page.uri))[waiting])
    await docs.editor.until(lambda: BETTER in page.text)
    offered = await actions(docs.editor, page.uri)
    async with asyncio.timeout(TIMEOUT):
        while "Undo the last polish" not in offered:
            offered = await actions(docs.editor, page.uri)
    assert waiting not in offered
    await execute(docs.editor, offered["Undo the last polish"])
    await docs.editor.until(lambda: page.text == TEXT)


async def test_several_polished_passages_are_opened_to_choose_from(
    docs: OpenDocuments,
) -> None:
    """Nothing is applied; the document offers the way back to them."""
    page = docs.open()
    before = len(docs.editor.sent("window/showDocument"))
    run = await docs.editor.command(
        "writeit.document.polish",
        uri=page.uri,
        range=marked(page.text, SECOND),
        models=["openai/say-a"],
        samples=2,
        apply=True,
    )
    step = f"writeit:/step/{run['pipelineRunId']}/polish.md"
    await docs.editor.until(
        lambda: len(docs.editor.sent("window/showDocument")) > before
    )
    shown = docs.editor.sent("window/showDocument")[-1]["uri"]
    assert shown.endswith(step.removeprefix("writeit:"))
    assert (run["status"], page.text) == ("RUNNING", TEXT)
    offered = await actions(docs.editor, page.uri)
    assert "Choose a polished text" in offered


async def test_conflicts_are_shown_next_to_the_users_text(docs: OpenDocuments) -> None:
    """The user's text stays, a message says so, and a comparison opens."""
    page = docs.open()
    run_id = await docs.polished(page)
    start = page.text.index("further down")
    page.type(start, start + len("further down"), "up at the weir")
    before = len(docs.editor.sent("window/showDocument"))
    await docs.editor.command("writeit.step.apply", runId=run_id, wait=False)
    await docs.editor.until(
        lambda: len(docs.editor.sent("window/showDocument")) > before
    )
    assert (
        "Your version was kept" in docs.editor.sent("window/showMessage")[-1]["message"]
    )
    uri = f"writeit:/compare/{run_id}/polish/document/{run_id}/polish/proposed.md"
    read = await docs.editor.command("writeit.view.read", uri=uri)
    assert "up at the weir" in read["text"]
    assert BETTER in read["text"]
    assert "up at the weir" in page.text


async def test_a_page_to_read_says_where_its_texts_stand(one_editor: Editor) -> None:
    """Beside it, not in it: no line of the page is there for a program."""
    run_id = await answered(one_editor)
    uri = f"writeit:/step/{run_id}/angles.md"
    read = await one_editor.command("writeit.view.read", uri=uri)
    assert "<!--" not in read["text"]
    lines = read["text"].split("\n")
    run = await one_editor.show(run_id)
    answers = run["steps"]["angles"]["aiResponses"]
    kinds = [section["kind"] for section in read["sections"]]
    assert kinds == ["answer", "answer", "merge", "feedback"]
    for section in read["sections"][:2]:
        answer = answers[section["index"]]
        assert section["responseId"] == answer["responseId"]
        shown = lines[section["firstLine"] : section["lastLine"] + 1]
        assert "\n".join(shown) == answer["processedContent"]
        number = section["number"]
        assert number == answer["number"]
        assert lines[section["headingLine"]].startswith(f"## Answer {number} ")


async def test_an_editor_that_is_a_rendering_behind_has_its_lenses_all_the_same(
    one_editor: Editor,
) -> None:
    """They stand where its text has the answers, not where the newest page has them."""
    run_id = await answered(one_editor)
    uri = f"writeit:/step/{run_id}/angles.md"
    text = await open_view(one_editor, uri)
    await one_editor.command(
        "writeit.step.regenerate", runId=run_id, feedback="shorter"
    )
    newer = (await one_editor.command("writeit.view.read", uri=uri))["text"]
    assert newer != text
    found = await lenses(one_editor, uri)
    line = line_of(text, "## Answer 2")
    assert "Choose this answer" in [title for at, title, _ in found if at == line]


async def test_a_page_that_nobody_gave_out_has_no_places(one_editor: Editor) -> None:
    """Where its answers stand nobody knows; the run is still offered."""
    run_id = await answered(one_editor)
    uri = f"writeit:/step/{run_id}/angles.md"
    text = "# Not from here\n\n## Answer 1\n\nSome words\n"
    document = {"uri": uri, "languageId": "markdown", "version": 1, "text": text}
    one_editor.notify("textDocument/didOpen", {"textDocument": document})
    assert {at for at, _, _ in await lenses(one_editor, uri)} == {0}
