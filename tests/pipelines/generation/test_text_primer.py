"""Headers and opening bars, as each kind of model writes them."""

import dataclasses

import pytest

from etude.models.abc.reading import read_text
from etude.models.errors import EtudeError, UsageError
from etude.models.registry import configure, make_domain
from etude.models.representations.vocabulary import UNKNOWN
from etude.models.sequences.domain import END, START
from etude.pipelines.generation.text_primer import first_bars, header, read_opening
from etude.pipelines.rendering.midi import to_midi
from etude.pipelines.rendering.tunes import tune_music

TUNE = "X:1\nT:Given\nM:6/8\nL:1/8\nK:Edor\n|:B|E2F G2A|B2c d2B|AFD D2E|F3 E2:|\n"
CHARACTERS = (UNKNOWN, START, END, *"XMTLKGive:0123456789/ABCDEFGabcdefgzjmndor|\n ")
TOKENS = (UNKNOWN, START, END, "M:6/8", "M:4/4", "K:Cdor", "K:Edor", "|", "|:", *"CDEFGABcdefg23", "_B", "^F")


def model(representation, **options):
    vocabulary = TOKENS if representation == "abc_tokens" else CHARACTERS
    configuration = dataclasses.replace(
        configure(representation.replace("_", "-")),
        representation=representation,
        vocabulary=vocabulary,
        representation_options={name: f'"{value}"' for name, value in options.items()},
    )
    return configuration, make_domain(configuration)


OWN = model("abc_characters", text="own")
CANONICAL = model("abc_characters", text="canonical")
INTO_C = model("abc_tokens", key="C")
OWN_KEY = model("abc_tokens", key="own")


@pytest.mark.parametrize(
    ("made", "fields", "expected"),
    [
        (OWN, ("6/8", "Edor", "Give"), "X:1\nT:Give\nM:6/8\nL:1/8\nK:Edor\n"),
        (OWN, ("2/4", "G", ""), "X:1\nM:2/4\nL:1/16\nK:G\n"),
        (OWN, ("6/8", "", ""), "X:1\nM:6/8\n"),
        (OWN, ("", "", "Give"), "X:1\nT:Give\n"),
        (CANONICAL, ("6/8", "E Dorian", ""), "X:1\nM:6/8\nL:1/8\nK:Edor\n"),
        (CANONICAL, ("C", "", ""), "X:1\nM:4/4\nL:1/8\nK:"),
        (INTO_C, ("6/8", "Edor", ""), "X:1\nM:6/8\nL:1/8\nK:Cdor\n\n"),
        (OWN_KEY, ("6/8", "Edor", ""), "X:1\nM:6/8\nL:1/8\nK:Edor\n\n"),
    ],
)
def test_headers(made, fields, expected):
    configuration, domain = made
    tokens = header(configuration, domain, **dict(zip(("metre", "key", "title"), fields, strict=True)))
    assert domain.render(tokens) == expected
    assert tokens[0] == domain.start


@pytest.mark.parametrize(
    ("made", "fields", "message"),
    [
        (CANONICAL, ("6/8", "G", "Give"), "no titles"),
        (INTO_C, ("6/8", "G", "Give"), "no titles"),
        (OWN, ("", "G", ""), "give --metre"),
        (OWN, ("six", "G", ""), "expected a metre"),
        (OWN, ("6/8", "Jmaj", ""), "expected a key"),
        (OWN, ("6/8", "clef=bass", ""), "takes a key"),
        (INTO_C, ("7/8", "G", ""), "never seen"),
    ],
)
def test_headers_that_are_none(made, fields, message):
    configuration, domain = made
    with pytest.raises(UsageError, match=message):
        header(configuration, domain, **dict(zip(("metre", "key", "title"), fields, strict=True)))


@pytest.fixture
def files(tmp_path):
    (tmp_path / "tune.abc").write_text(TUNE)
    (tmp_path / "tune.mid").write_bytes(to_midi(tune_music(read_text(TUNE.replace("|:B|", "")))))
    return tmp_path


def test_opening_bars_of_a_tune(files):
    path = f"{files}/tune.abc"
    configuration, domain = OWN
    # The pickup is not counted; é would be unknown, and so is nothing here.
    assert domain.render(read_opening(path, configuration, domain, 2)) == TUNE[: TUNE.index("AFD")]
    assert domain.render(read_opening(path, configuration, domain)) == TUNE.rstrip("\n")
    configuration, domain = CANONICAL
    canonical = "X:1\nM:6/8\nL:1/8\nK:Edor\nB|E2FG2A|B2cd2B|"
    assert domain.render(read_opening(path, configuration, domain, 2)) == canonical
    configuration, domain = OWN_KEY
    tokens = domain.render(read_opening(path, configuration, domain, 1))
    assert tokens == "X:1\nM:6/8\nL:1/8\nK:Edor\n|:B|E2FG2A|\n"
    configuration, domain = INTO_C
    assert domain.render(read_opening(path, configuration, domain, 1)).endswith("K:Cdor\n|:G|C2DE2F|\n")


def test_opening_bars_of_midi_are_canonical(files):
    for configuration, domain in (OWN, CANONICAL):
        text = domain.render(read_opening(f"{files}/tune.mid", configuration, domain, 1))
        # MIDI knows no modes.
        assert text.startswith("X:1\nM:6/8\nL:1/8\nK:")
        assert text.endswith("E2FG2A|")


def test_what_is_no_opening(files):
    configuration, domain = OWN
    with pytest.raises(UsageError, match="whole number of bars"):
        read_opening(f"{files}/tune.abc", configuration, domain, 0.5)
    with pytest.raises(EtudeError, match="it has no tune 7"):
        read_opening(f"{files}/tune.abc#7", configuration, domain)
    (files / "bad.abc").write_text("X:1\nK:C\n[C\n")
    with pytest.raises(EtudeError, match=r"bad\.abc holds no tune: "):
        read_opening(f"{files}/bad.abc", configuration, domain)


def test_more_bars_than_there_are():
    assert first_bars(TUNE, 100) == TUNE.rstrip("\n")
