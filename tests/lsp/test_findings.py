"""Facts that the notes do not have, and words that the style avoids."""

from pathlib import Path

from support.drafts import Draft, drafted
from support.editor import Json, serving
from support.notes import ERRORS, PLANTED
from support.open_documents import OpenDocuments, span

STYLE = """\
name: Plain
content: Write plainly.
voice_attributes: {tone: calm, structure: flat, language: plain}
guidelines: {avoid: ["words such as leverage"], prefer: []}
lint: [{avoid: utilize, prefer: use, note: Shorter.}]
"""
WORDY = "---\nwriteit: {primer: plain}\n---\nWe utilize it. We leveraged `leverage`.\n"


def add_style(folder: Path) -> None:
    """Put the primer `plain` into a workspace folder."""
    (folder / "primers").mkdir(exist_ok=True)
    (folder / "primers" / "plain.yaml").write_text(STYLE, encoding="utf-8")


async def facts_of(draft: Draft) -> list[str]:
    """The words of the article that are marked as not in the notes."""
    return draft.words([d for d in await draft.marked() if d["code"] == "not-in-notes"])


async def test_what_the_notes_do_not_say_is_marked(docs: OpenDocuments) -> None:
    """The words, as hints, with the nearest passage of the notes."""
    draft = await drafted(docs)
    found = await draft.marked()
    assert tuple(draft.words(found)) == ERRORS
    assert {(d["severity"], d["source"], d["code"]) for d in found} == {
        (4, "WriteIt", "not-in-notes")
    }
    assert found[1]["message"] == "Not in your notes: 45 ms"
    (related,) = found[1]["relatedInformation"]
    assert related["location"]["uri"] == draft.notes.uri
    assert "took 120 ms" in related["message"]


async def test_a_corrected_fact_is_not_marked_any_more(docs: OpenDocuments) -> None:
    """The others are, where they are now."""
    draft = await drafted(docs)
    assert tuple(await facts_of(draft)) == ERRORS
    start = draft.page.text.index("45 ms")
    draft.page.type(start, start + 5, "40 ms")
    draft.page.type(0, 0, "New words above.\n\n")
    assert await facts_of(draft) == [ERRORS[0], ERRORS[2]]


async def test_another_spelling_of_an_open_documents_uri_is_answered(
    docs: OpenDocuments,
) -> None:
    """As of a document that is not open."""
    draft = await drafted(docs)
    folder, name = draft.page.uri.rsplit("/", 1)
    report = await docs.editor.request(
        "textDocument/diagnostic", {"textDocument": {"uri": f"{folder}//{name}"}}
    )
    assert report["items"] == []


async def test_a_client_that_does_not_ask_is_sent_them(bare: OpenDocuments) -> None:
    """Once the user rests; and again when the notes have changed."""
    draft = await drafted(bare)
    await bare.editor.until(lambda: len(draft.published()) == len(ERRORS))
    assert tuple(draft.words(draft.published())) == ERRORS
    start = draft.notes.text.index("40 ms")
    draft.notes.type(start, start + 5, "45 ms")
    await bare.editor.until(lambda: len(draft.published()) == len(ERRORS) - 1)
    assert draft.words(draft.published()) == [ERRORS[0], ERRORS[2]]


async def test_a_fact_leads_to_the_notes(docs: OpenDocuments) -> None:
    """Another spelling of it, too; what is not there leads to the step's page."""
    draft = await drafted(docs)
    places = []
    for words in ("35 percent", "45 ms"):
        at = draft.place(draft.page.text.index(words))
        params = {"textDocument": {"uri": draft.page.uri}, "position": at}
        found: Json = await docs.editor.request("textDocument/definition", params)
        places.append(found)
    there, nowhere = places
    assert there["uri"] == draft.notes.uri
    line = draft.notes.text.splitlines()[there["range"]["start"]["line"]]
    ends = (there["range"][end]["character"] for end in ("start", "end"))
    assert line[slice(*ends)] == "35 %"
    assert nowhere["uri"] != draft.notes.uri


async def test_a_fact_is_added_to_the_notes_as_one_edit(docs: OpenDocuments) -> None:
    """Its sentence, as an item of the list there; then it is in the notes."""
    draft = await drafted(docs)
    before = draft.notes.text
    edits = len(docs.editor.sent("workspace/applyEdit"))
    await draft.take("Add to notes: Grace Hopper", "Grace Hopper")
    await docs.editor.until(lambda: draft.notes.text != before)
    added = "- In March 2024, Grace Hopper gave the site a cache.\n"
    assert draft.notes.text == before + added
    (sent,) = docs.editor.sent("workspace/applyEdit")[edits:]
    (change,) = sent["edit"]["documentChanges"]
    assert change["textDocument"]["version"] is not None
    assert await facts_of(draft) == list(ERRORS[1:])


async def test_what_is_ignored_stays_so(
    workspace: Path, environment: dict[str, str]
) -> None:
    """It follows edits by its words, survives the server, and leaves no trace.

    Many polished passages do not hide the run that the document came from.
    """
    async with serving([workspace], "neovim", environment) as editor:
        draft = await drafted(OpenDocuments(editor))
        await draft.take("Ignore here", "45 ms")
        draft.page.type(0, 0, "New words above.\n\n")
        for _ in range(20):
            given = {"pipeline": "polish-passage", "uri": draft.page.uri}
            where = span(draft.page.text, "120 ms", draft.docs.encoding)
            await editor.command("writeit.run.start", **given, range=where)
        assert await facts_of(draft) == [ERRORS[0], ERRORS[2]]
        text, uri = draft.page.text, draft.page.uri
        assert text == f"New words above.\n\n{PLANTED}"
    async with serving([workspace], "neovim", environment) as editor:
        docs = OpenDocuments(editor)
        again = Draft(docs, docs.open(text, uri=uri), draft.run_id)
        assert await facts_of(again) == [ERRORS[0], ERRORS[2]]
        again.page.type(0, 0, "At 45 ms it is another place.\n\n")
        assert len(await again.marked()) == len(ERRORS)


async def test_corrections_become_feedback_that_the_user_sees(
    docs: OpenDocuments,
) -> None:
    """Behind what was typed already; nothing is sent before the user says so."""
    draft = await drafted(docs)
    where = {"runId": draft.run_id, "step": "angles"}
    await docs.editor.command(
        "writeit.step.draft", kind="feedback", text="Be brief.", **where
    )
    await docs.editor.command("writeit.facts.correct", uri=draft.page.uri, **where)
    uri = f"writeit:/step/{draft.run_id}/angles.md"
    page = await docs.editor.command("writeit.view.read", uri=uri)
    words = page["drafts"]["feedback"]
    assert words.startswith("Be brief.\n\nThese are not in the notes.")
    assert all(f"- {error} (nearest in the notes: " in words for error in ERRORS[:2])
    assert words in page["text"]
    assert len(page["step"]["aiResponses"]) == 1


async def test_each_answer_says_how_much_of_it_is_marked(docs: OpenDocuments) -> None:
    """On its head and on the wire, so that the choice is informed."""
    page = docs.open("# Notes\n\nIt takes 40 ms.\n")
    models = ("say-It+20takes+2045+20ms.", "say-It+20takes+2040+20ms.")
    run_id = await docs.editor.answered(*models, uri=page.uri)
    uri = f"writeit:/step/{run_id}/angles.md"
    read = await docs.editor.command("writeit.view.read", uri=uri)
    answers = read["step"]["aiResponses"]
    counts = {answer["modelName"]: answer["notInNotes"] for answer in answers}
    assert counts == {models[0]: 1, models[1]: 0}
    assert read["text"].count(" · 1 not in the notes\n") == 1
    ends = [a["facts"].endswith(" · 1 not in the notes") for a in read["answers"]]
    assert sorted(ends) == [False, True]


async def test_the_facts_of_a_text_are_listed(docs: OpenDocuments) -> None:
    """With their places; of an answer without those in documents."""
    draft = await drafted(docs)
    listed = await docs.editor.command("writeit.facts.check", uri=draft.page.uri)
    assert [f["text"] for f in listed["facts"] if not f["found"]] == list(ERRORS)
    assert all(
        f["source"]["uri"] == draft.notes.uri for f in listed["facts"] if f["found"]
    )
    of_run = await docs.editor.command(
        "writeit.facts.check", runId=draft.run_id, step="angles"
    )
    assert [f["text"] for f in of_run["facts"] if not f["found"]] == list(ERRORS)
    assert {f["range"] for f in of_run["facts"]} == {None}


async def test_words_that_the_style_avoids_are_marked_and_changed(
    docs: OpenDocuments,
) -> None:
    """In all inflections, and never in code; the fix is one edit."""
    add_style(docs.editor.folder)
    draft = Draft(docs, docs.open(WORDY), "")
    found = await draft.marked()
    assert draft.words(found) == ["utilize", "leveraged"]
    assert (
        found[0]["message"] == "The style Plain avoids “utilize”. Write: use. Shorter."
    )
    await draft.take("Change to use", "utilize")
    await docs.editor.until(lambda: "We use it." in draft.page.text)
    assert draft.words(await draft.marked()) == ["leveraged"]
    await docs.editor.command(
        "writeit.run.start", pipeline="tech-article", uri=draft.page.uri
    )
    await draft.take("Ignore here", "leveraged")
    assert await draft.marked() == []


async def test_settings_switch_off_what_is_marked(
    workspace: Path, environment: dict[str, str]
) -> None:
    """Each kind by itself; what is bound to nothing has neither."""
    add_style(workspace)
    async with serving([workspace], "neovim", environment) as editor:
        docs = OpenDocuments(editor)
        editor.settings = {"facts": {"enabled": False}}
        draft = await drafted(docs)
        assert await facts_of(draft) == []
        wordy = Draft(docs, docs.open(WORDY), "")
        assert len(await wordy.marked()) == len(["utilize", "leveraged"])
        editor.settings = {"primerLint": {"enabled": False}}
        editor.notify("workspace/didChangeConfiguration", {"settings": {}})
        assert tuple(await facts_of(draft)) == ERRORS
        assert await wordy.marked() == []
        plain = Draft(docs, docs.open(WORDY.rpartition("---\n")[2] + PLANTED), "")
        assert await plain.marked() == []
