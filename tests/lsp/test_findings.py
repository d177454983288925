"""Facts that the notes do not have, and words that the style avoids."""

from support.drafts import ERRORS, drafted
from support.open_documents import OpenDocuments


async def test_what_the_notes_do_not_say_is_marked(docs: OpenDocuments) -> None:
    """The words, as hints, with the nearest passage of the notes."""
    draft = await drafted(docs)
    found = await draft.marked()
    facts = [d for d in found if d["code"] == "not-in-notes"]
    assert tuple(draft.words(facts)) == ERRORS
    assert {(d["severity"], d["source"]) for d in facts} == {(4, "WriteIt")}
    assert facts[1]["message"] == "Not in your notes: 45 ms"
    (related,) = facts[1]["relatedInformation"]
    assert related["location"]["uri"] == draft.notes.uri
    assert "took 120 ms" in related["message"]
