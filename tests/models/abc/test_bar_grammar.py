"""Whatever is drawn from what the grammar allows, every bar is whole."""

import random

import pytest

from etude.models.abc.bar_grammar import BarGrammar, BarState
from etude.models.abc.canonical import canonical
from etude.models.abc.character_grammar import CharacterGrammar, CharacterState, words
from etude.models.abc.reading import read_text
from etude.models.abc.tokens import text_of, tokenise
from etude.models.abc.unfolded import unfold
from etude.models.abc.validity import validity
from etude.pipelines.rendering.abc2midi import ask_abc2midi, find_abc2midi

TOKENS = (
    "C D E F G A B c d e f g a b c' ^f _B =B z x 2 3 4 6 /2 /4 3/2 3/4 8 > < /2> 2< >> - [ ] (3 (2 (4 (3:2:2 (5:4:5 "
    "| | | |: :| |1 |2 :| | M:3/4 M:6/8 M:2/4 K:Gmaj <end> nonsense"
)
CHARACTERS = "XMLK:0123456789/[]|()ABCDEFGabcdefgz'^_=,->< \n#bmajinorxlypdh"
MOST = 50


def walk(chooser, state, following, choices, may_end):
    """A random way from a state to an end."""
    said = []
    while True:
        if may_end(state) and (len(said) > MOST or chooser.random() < 0.4):
            return said
        order = chooser.sample(choices, len(choices))
        if len(said) > MOST:
            order.sort(key=lambda choice: choice not in ("]", "|", ":", ":|"))
        chosen = next((choice for choice in order if following(state, choice) is not None), None)
        assert chosen is not None, said[-40:]
        said.append(chosen)
        state = following(state, chosen)
        assert len(said) < 100 * MOST, said[:40]


def check(text):
    found = validity(text)
    assert found.parses, (found.problem, text)
    assert found.bars, (found.problem, text)
    assert found.repeats, (found.problem, text)
    # Played out, only the first and the last bar may be incomplete. (Ties join some notes of chords, and others not.)
    tune = unfold(read_text(text.replace("-", "")).performance)
    assert tune.has_whole_bars, text
    return tune


def start(metre, grammar):
    state = grammar.after(BarState(), f"M:{metre}")
    state = grammar.after(state, "K:Cmaj")
    assert state is not None
    return state


def test_random_walks_over_tokens_are_whole():
    grammar = BarGrammar(TOKENS.split())
    assert not any(
        grammar.allowed(BarState())[grammar.tokens.index(token)] for token in ("<end>", "nonsense", "|", "2", "]")
    )
    chooser = random.Random(1)
    pickups = repeats = endings = tuplets = 0
    for _ in range(1000):
        metre = chooser.choice(["2/4", "3/4", "4/4", "6/8", "9/8", "5/8", "2/2"])
        # Bar lines as often as notes, for short tunes with much in them.
        said = walk(chooser, start(metre, grammar), grammar.after, TOKENS.split(), grammar.may_end)
        tune = check(text_of([f"M:{metre}", "K:Cmaj", *said]))
        pickups += bool(tune.bars) and tune.bars[0] < 4
        repeats += ":|" in said
        endings += "|2" in said
        tuplets += any(token[0] == "(" for token in said)
    assert min(pickups, repeats, endings, tuplets) > 20, (pickups, repeats, endings, tuplets)


def test_random_walks_over_characters_are_whole():
    # Few lengths, so that repeats come to an end soon.
    grammar = CharacterGrammar(CHARACTERS, [word for word in words() if "/4" not in word and "/8" not in word])
    chooser = random.Random(2)
    for number in range(60):
        unit = chooser.choice(["1/8", "1/16", "1/4"])
        header = f"X:1\nM:{chooser.choice(['2/4', '4/4', '6/8'])}\nL:{unit}\nK:Gmaj\n"
        state = CharacterState()
        for character in header:
            assert not grammar.may_end(state)
            state = grammar.after(state, character)
        said = walk(chooser, state, grammar.after, CHARACTERS, grammar.may_end)
        check(header + "".join(said) + "\n" * (number % 2))


def test_abc2midi_counts_the_same_bars():
    """On walks without a pickup and without repeats, of which abc2midi thinks otherwise."""
    tokens = [token for token in TOKENS.split() if token not in ("|:", ":|", "|1", "|2", "-")]
    grammar, chooser, program = BarGrammar(tokens), random.Random(3), find_abc2midi()
    assert program
    for _ in range(15):
        said = ["A", "8", "|", *walk(chooser, start_after_bar(grammar), grammar.after, tokens, grammar.may_end)]
        verdict = ask_abc2midi(text_of(["M:4/4", "K:Cmaj", *said, "|"]), program)
        assert verdict.is_clean, (verdict, said)
        assert not [warning for warning in verdict.warnings if "time units" in warning], (verdict, said)


def start_after_bar(grammar):
    state = start("4/4", grammar)
    for token in ("A", "8", "|"):
        state = grammar.after(state, token)
    return state


REAL = [
    "X:1\nM:6/8\nL:1/8\nK:Ador\n|:e|A3 B2c|d3- d2:|\n|:e|(3abc g2 f>e|1 e3 d2:|2 [ce]3 A2|\n",
    "X:1\nM:4/4\nL:1/8\nK:G\nGABc d/2e/2f g2|a4 g4|[M:3/4]G2A2B2|c6|\n",
    "X:1\nM:2/4\nL:1/8\nK:D\nA|d2f2|a>fd:|\nf|a2f2|d3:|\n",
]


@pytest.mark.parametrize("text", REAL)
def test_real_tunes_are_allowed(text):
    tokens = tokenise(text)
    grammar = BarGrammar([*TOKENS.split(), *tokens])
    state = BarState()
    for place, token in enumerate(tokens):
        following = grammar.after(state, token)
        assert following is not None, tokens[: place + 1]
        state = following
    assert grammar.may_end(state)
    body = canonical(unfold(read_text(text).performance))
    letters = CharacterGrammar(CHARACTERS)
    state = CharacterState()
    for place, character in enumerate(body):
        following = letters.after(state, character)
        assert following is not None, body[: place + 1]
        state = following
    assert letters.may_end(state)


@pytest.mark.parametrize(
    ("said", "refused"),
    [
        ("A 4 A 4", "A"),  # a bar of nine eighths
        ("A 4 A 3", "3"),
        ("A 8 | A 4", "|"),  # an incomplete bar
        ("A | A 7 |", "A"),  # it completes the pickup, so it was the last one
        ("A | A 8 | A 8", ":|"),  # the pickup is not completed
        ("A 8 | (3 A A", "|"),  # within a tuplet
        ("A 8 | A 7 /4", "|"),
        ("A 8 | [ A", "|"),
        ("A 8 | A 2 >", "|"),
        ("A 8 |", "2"),
        ("|: A 8 |1 A 8 :|", "A"),  # the second ending is missing
        ("A 8", "|2"),
        ("A 8 |: A 8", "|:"),
    ],
)
def test_what_is_refused(said, refused):
    grammar = BarGrammar([*TOKENS.split(), "7"])
    state = start("4/4", grammar)
    for token in said.split():
        following = grammar.after(state, token)
        if following is None:  # what cannot be completed is refused before it is too late
            return
        state = following
    assert grammar.after(state, refused) is None
