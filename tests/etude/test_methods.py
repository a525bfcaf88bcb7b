"""The page on how figures are defined."""

import re

from etude.pipelines.comparison.definitions import PIECES, RATING, TUNES, definitions, references
from etude.pipelines.comparison.words import MELODIES
from etude.pipelines.listening.definitions import definitions as listening


def test_every_figure_has_its_words_and_its_formula(etude):
    text = etude("methods").stdout
    for one in (*definitions(MELODIES), *PIECES, *RATING, *TUNES, *listening()):
        assert f"**{one.term}.** {one.text}" in text
        assert not one.formula or f"$${one.formula}$$" in text
    assert "80% at 65% takes 90 answers" in text
    cited = set(re.findall(r"\[@(\w+)\]", text))
    assert cited == set(re.findall(r"^@\w+\{(\w+),", text, re.MULTILINE))


def test_formulas_are_balanced():
    for one in (*definitions(), *PIECES, *RATING, *TUNES, *listening()):
        bare = re.sub(r"\\[{}]", "", one.formula)
        assert bare.count("{") == bare.count("}"), one.term
        assert one.formula.count(r"\left") == one.formula.count(r"\right"), one.term


def test_bibtex_alone(etude):
    """Each entry is whole: balanced braces, a title, a year, somebody who wrote it."""
    text = etude("methods", "--bibtex").stdout
    entries = re.split(r"\n(?=@)", text.strip())
    assert len(entries) > 10
    for entry in entries:
        assert entry.count("{") == entry.count("}")
        assert all(f"{field} = {{" in entry for field in ("author", "title", "year"))
    assert text.strip() in references()


def test_in_the_words_for_texts(etude):
    text = etude("methods", "--tokens").stdout
    assert "**Token loss (nats a token).**" in text
    assert "melod" not in text.partition("## Rating")[0]
