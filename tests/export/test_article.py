"""The markdown export: the finished text, and where it came from."""

from dataclasses import replace
from typing import Any

import pytest
import yaml

from export.dossiers import finished
from writeit.domain.errors import InvalidTransition
from writeit.domain.run import StepStatus
from writeit.domain.run_bundle import RunBundle
from writeit.export.article import final_text
from writeit.export.render import export_run
from writeit.library.front_matter import split_front_matter


def saying(text: str) -> RunBundle:
    """A finished run whose article is `text`, in the writer's own wording."""
    dossier = finished()
    last = dossier.run.steps["polish"].evolve(edited_content=text)
    assert dossier.run.primer is not None
    sent = f"Polish.\n\n{dossier.run.primer.text}"
    last = last.evolve(
        ai_responses=tuple(a.evolve(prompt_used=sent) for a in last.ai_responses)
    )
    return replace(dossier, run=dossier.run.with_step(last))


def exported(text: str) -> str:
    """The markdown export of an article."""
    return export_run(saying(text), "markdown", "1.2.3")


def front_of(markdown: str) -> dict[str, Any]:
    """What the front matter says."""
    front: dict[str, Any] = yaml.safe_load(markdown.split("---\n")[1])
    return front


def test_the_front_matter_says_where_the_text_came_from() -> None:
    """Run, pipeline, primer, and for each step who was asked and who was chosen."""
    dossier = saying("# Bees\n\nThey dance.\n")
    text = export_run(dossier, "markdown", "1.2.3")
    assert text.endswith("---\n# Bees\n\nThey dance.\n")
    account = front_of(text)["writeit_export"]
    run = dossier.run
    assert run.primer is not None
    assert account["run"] == str(run.pipeline_run_id)
    assert account["pipeline"] == "tech-article"
    assert account["configuration"] == run.configuration_id
    assert account["primer"] == run.primer.primer_id
    assert account["primer_version"] == run.primer.version
    assert account["writeit"] == "1.2.3"
    assert list(account["steps"]) == run.step_names
    assert account["steps"]["draft"] == {
        "status": "COMPLETED",
        "models": ["openai/test"],
        "chosen": "openai/test",
        "cost_usd": None,
        "seconds": 0.1,
        "completed": "2026-01-01T00:00:00Z",
    }
    assert account["steps"]["polish"]["reworded"] is True
    assert account["steps"]["polish"]["parts"] == [
        {"paragraphs": [1, 2], "from": "the writer"}
    ]


def test_a_primer_that_no_prompt_carried_is_not_claimed() -> None:
    """It was chosen, and the prompts of these answers do not have it."""
    front = front_of(export_run(finished(), "markdown", "1.2.3"))
    assert "primer" not in front["writeit_export"]


def test_a_merge_names_the_source_of_each_paragraph() -> None:
    """Answers, and the user's own words."""
    dossier = finished()
    step = dossier.run.steps["polish"]
    (answer, *_) = step.ai_responses
    text = f"{answer.processed_content}\n\nMine.\n\nAlso mine."
    merged = step.evolve(user_selection=None, merged_content=text)
    dossier = replace(dossier, run=dossier.run.with_step(merged))
    front = front_of(export_run(dossier, "markdown", "1.2.3"))
    assert front["writeit_export"]["steps"]["polish"]["parts"] == [
        {
            "paragraphs": [1, 1],
            "from": answer.model,
            "response": str(answer.response_id),
        },
        {"paragraphs": [2, 3], "from": "the writer"},
    ]


def test_it_binds_the_text_to_nothing() -> None:
    """`writeit:` would start pipelines; this key is another."""
    assert split_front_matter(exported("They dance.\n")).raw_config is None


@pytest.mark.parametrize("head", ["+++\na = 1\n+++\n", '{"a": 1}\n\n', "% Bees\n"])
def test_front_matter_of_another_dialect_stays_the_first(head: str) -> None:
    """YAML before it would make it a part of the text."""
    assert exported(f"{head}They dance.\n") == f"{head}They dance.\n"


@pytest.mark.parametrize(
    ("front", "kept"),
    [
        ("title: Bees\ntags: [a, b]\n", {"title": "Bees", "tags": ["a", "b"]}),
        ("title: Bees\nwriteit_export: {run: old}\nz: 1\n", {"title": "Bees", "z": 1}),
        ("writeit_export:\n  run: old\n  steps: {}\n", {}),
        ("# only a remark\n", {}),
        ("", {}),
    ],
)
def test_front_matter_of_the_text_itself_is_kept(
    front: str, kept: dict[str, Any]
) -> None:
    """Save for an older account, in whose place the new one stands."""
    text = exported(f"---\n{front}---\nThey dance.\n")
    said = front_of(text)
    assert said.pop("writeit_export")["run"] == str(finished().run.pipeline_run_id)
    assert said == kept
    assert text.count("writeit_export:") == 1
    assert text.endswith("---\nThey dance.\n")


@pytest.mark.parametrize(
    "text",
    [
        "---\n\nA rule, then prose.\n\n---\n\nMore.\n",
        "---\n- a list\n---\nx\n",
        "---\n{a: 1}\n---\nx\n",
        "---\na: [\n---\nx\n",
        "---\n" + "[" * 3000 + "\n---\nx\n",
    ],
)
def test_what_only_looks_like_front_matter_is_text(text: str) -> None:
    """Nothing of it is taken for more than it is."""
    assert exported(text).endswith(f"\n---\n{text}")


def test_line_breaks_are_as_the_front_matter_has_them() -> None:
    """A file has one kind."""
    text = exported("---\r\ntitle: Bees\r\n---\r\nThey dance.\r\n")
    assert "\n" not in text.replace("\r\n", "")


def test_the_article_itself_stays_clean() -> None:
    """What is applied to a document says nothing of its making."""
    assert final_text(saying("They dance.").run) == "They dance.\n"


def test_parts_of_several_are_told() -> None:
    """A merge names the models its parts came from, or the writer."""
    dossier = saying("x")
    step = dossier.run.steps["polish"]
    merged = step.evolve(
        user_selection=None, edited_content=None, merged_content="All.", merged_from=()
    )
    changed = replace(dossier, run=dossier.run.with_step(merged))
    account = front_of(export_run(changed, "markdown", "1"))["writeit_export"]
    assert account["steps"]["polish"]["merged"] == ["the writer"]


def test_without_a_finished_step_there_is_no_article() -> None:
    """Refused, as the contract has it."""
    dossier = finished()
    began = dossier.events[0] if dossier.events else None
    assert began is not None
    assert began.type == "run_started"
    fresh = replace(dossier, run=began.run)
    assert fresh.run.steps["angles"].status is StepStatus.PENDING
    with pytest.raises(InvalidTransition):
        export_run(fresh, "markdown", "1")
