"""The texts of the server are in one golden file, so that a change of one is seen."""

import wording


def test_the_golden_file_has_every_text_of_the_server() -> None:
    """After a change, run `python scripts/wording.py` and read its difference."""
    golden = wording.GOLDEN.read_text(encoding="utf-8")
    assert wording.collect_wording().splitlines() == golden.splitlines()


def test_texts_follow_the_rules_of_wording() -> None:
    """A user is "you", and no text has a word that the glossary replaces."""
    replaced = {"she", "her", "hers"}
    for line in wording.GOLDEN.read_text(encoding="utf-8").splitlines():
        words = set(line.partition(": ")[2].lower().replace(",", " ").split())
        assert not words & replaced, line
