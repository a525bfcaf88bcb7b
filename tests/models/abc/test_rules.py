"""Whatever a model thinks of it: under the rules of bars, every sample is whole when it ends, in time."""

import dataclasses
import functools
import itertools
import random

import numpy as np
import pytest

from etude.models.abc.bar_grammar import BarGrammar, BarState
from etude.models.abc.completion import Completion
from etude.models.abc.rules import CharacterRules, TokenRules
from etude.models.abc.validity import validity
from etude.models.abc_characters.domain import END_TEXT, START_TEXT
from etude.models.configuration import Configuration
from etude.models.errors import UsageError
from etude.models.family import SequenceModel
from etude.models.generation import GenerationOptions, generate
from etude.models.networks.network import Network
from etude.models.networks.weights import initialise
from etude.models.registry import configure, make_domain, make_encoding
from etude.models.representations.vocabulary import UNKNOWN
from etude.models.sequences.domain import END, START

TOKENS = (
    UNKNOWN, START, END, "M:4/4", "M:6/8", "M:none", "K:Cmaj", "K:Cdor", *"CDEFGABcdefg", "^F", "_B", "z", "2", "3", "4", "6",
    "/2", "3/2", ">", "<", "-", "[", "]", "(3", "(2", "|", "|:", ":|", "|1", "|2",
)  # fmt: skip
CHARACTERS = (*"XMLKTR:0123456789/[]|()ABCDEFGabcdefgz'^_=,->< \n#minorxlyphst!\"~", "é")
RECIPES = {
    "tokens": ("abc-tokens", "abc_tokens", TOKENS),
    "characters": ("abc-characters", "abc_characters", (UNKNOWN, START, END, *CHARACTERS)),
    "characters with marks as text": ("abc-characters", "abc_characters", (UNKNOWN, *CHARACTERS)),
}


@dataclasses.dataclass(frozen=True)
class Untrained:
    """A model with random weights."""

    configuration: Configuration
    network: SequenceModel

    @functools.cached_property
    def encoding(self):
        return make_encoding(self.configuration)

    @functools.cached_property
    def domain(self):
        return make_domain(self.configuration)


@pytest.fixture(scope="module", params=RECIPES)
def model(request):
    name, representation, vocabulary = RECIPES[request.param]
    configuration = dataclasses.replace(
        configure(name, {"rnn_layer_sizes": (8,)}), representation=representation, vocabulary=vocabulary
    )
    weights = initialise(configuration.hyperparameters, make_encoding(configuration), 5)
    weights = {name: weight * 2 for name, weight in weights.items()}
    return Untrained(configuration, Network(configuration.hyperparameters, weights))


SEARCHES = {
    "sampling": {"num_outputs": 12},
    "narrow": {"num_outputs": 3, "top_k": 3, "temperature": 2.0},
    "nucleus": {"num_outputs": 3, "top_p": 0.3},
    "stochastic beam": {"num_outputs": 4, "beam_size": 3, "branch_factor": 2, "steps_per_iteration": 2},
    "beam": {"num_outputs": 3, "beam_size": 6, "search": "beam"},
    "greedy": {"num_outputs": 1, "search": "greedy"},
}


@pytest.mark.parametrize("search", SEARCHES)
def test_every_tune_has_whole_bars(model, search):
    num_steps = 100
    made = generate(model, None, GenerationOptions(num_steps=num_steps, seed=2, valid_bars=True, **SEARCHES[search]))
    for tune in made:
        found = validity(tune.text)
        assert found.parses, (found.problem, tune.text)
        assert found.bars, (found.problem, tune.text)
        assert found.repeats, (found.problem, tune.text)
        assert len(tune.tokens) <= num_steps


def test_what_valid_bars_cost(model):
    """By brute force: the probability of all tokens that the rules allow, one after the other."""
    (tune, *_) = generate(model, None, GenerationOptions(num_outputs=2, num_steps=90, seed=3, valid_bars=True))
    rules = model.domain.bar_rules
    inputs = model.encoding.inputs(tune.tokens[None, :-1], {})
    logits = model.network.logits(inputs)[0].astype(np.float64)
    state, total = rules.start, 0.0
    for step, token in enumerate(tune.tokens.tolist()):
        if step >= tune.num_primer_tokens:
            probabilities = np.exp(logits[step - 1]) / np.exp(logits[step - 1]).sum()
            total += np.log(sum(probabilities[rules.allowed(state, 90 - step)]))
        state = rules.after(state, token)
    assert tune.allowed_log_probability == pytest.approx(total, rel=1e-4)
    assert total < -1
    (free,) = generate(model, None, GenerationOptions(num_outputs=1, num_steps=20, seed=3))
    assert free.allowed_log_probability is None


def test_a_text_ends_where_its_mark_is_text():
    name, representation, vocabulary = RECIPES["characters with marks as text"]
    configuration = dataclasses.replace(configure(name), representation=representation, vocabulary=vocabulary)
    domain = make_domain(configuration)
    whole = domain.parse_whole("X:1\nM:C\nK:C\nA8|\n")

    class Says:
        """Says the tune again and again."""

        def initial_state(self, batch_size):
            return _Place(np.zeros(batch_size, int))

        def step(self, inputs, state):
            place = state.place + 1
            logits = np.full((len(inputs), len(vocabulary)), -20, np.float32)
            logits[np.arange(len(inputs)), whole[place % len(whole)]] = 20
            return logits, _Place(place)

    for options in ({}, {"search": "greedy"}, {"search": "beam", "beam_size": 2}, {"valid_bars": True}):
        model = Untrained(configuration, Says())
        (tune,) = generate(model, None, GenerationOptions(num_outputs=1, num_steps=100, **options))
        assert tune.tokens.tolist() == whole.tolist()
        assert tune.text == "X:1\nM:C\nK:C\nA8|\n"
        assert tune.log_likelihood == pytest.approx(0, abs=1e-6)


@dataclasses.dataclass
class _Place:
    place: np.ndarray

    def take(self, indices):
        return _Place(self.place[indices])


def test_primers_that_break_the_rules_are_refused():
    name, representation, vocabulary = RECIPES["tokens"]
    configuration = dataclasses.replace(configure(name), representation=representation, vocabulary=vocabulary)
    model = Untrained(configuration, None)
    with pytest.raises(UsageError, match=r"the last sign of .*C4\|D3\|' breaks them"):
        generate(model, "M:4/4 K:Cmaj C 4 | D 3 | E 4 |", GenerationOptions(valid_bars=True))
    plain = Untrained(configure("basic"), None)
    with pytest.raises(UsageError, match="for models of tunes as text"):
        generate(plain, [60], GenerationOptions(valid_bars=True))


def test_ways_to_an_end_are_as_long_as_they_are_said_to_be():
    """After the token that the shortest way begins with, one token less is needed; at an end, none."""
    chooser = random.Random(1)
    grammar = BarGrammar(token for token in TOKENS if token[0] != "<")
    completion = Completion(grammar, dict.fromkeys(grammar.tokens, 1))
    closing = [token for token in grammar.tokens if token not in ("|:", "|1", "(3", "(2", "[", ">", "<", "-")]
    for _ in range(100):
        state = BarState()
        for token in (chooser.choice(["M:4/4", "M:6/8", "M:none"]), "K:Cmaj"):
            state = grammar.after(state, token)
        for _ in range(chooser.randrange(60)):
            possible = [after for token in grammar.tokens if (after := grammar.after(state, token)) is not None]
            state = chooser.choice(possible)
        cost = completion.cost(state)
        assert cost is not None
        assert cost < completion.bound(state)
        while cost:
            following = [after for token in closing if (after := grammar.after(state, token)) is not None]
            state = next(after for after in following if (completion.cost(after) or 0) == cost - 1)
            cost -= 1
        assert grammar.may_end(state)


def test_no_shorter_way_is_overlooked_by_much():
    """Against all ways of few tokens, from the start of a bar in an open repeat."""
    grammar = BarGrammar(["C", "2", "4", "|", "|:", ":|", "M:4/4"])
    completion = Completion(grammar, dict.fromkeys(grammar.tokens, 1))
    state = BarState()
    for token in ("M:4/4", "|:", "C", "4", "C", "4", "|", "C", "2"):
        state = grammar.after(state, token)
    shortest = next(
        length
        for length in range(10)
        for way in itertools.product(["C", "2", "4", "|", ":|"], repeat=length)
        if _ends(grammar, state, way)
    )
    assert completion.cost(state) == shortest == 5  # C2 C4 :|


def _ends(grammar, state, way):
    for token in way:
        state = None if state is None else grammar.after(state, token)
    return state is not None and grammar.may_end(state)


def test_rules_speak_of_marks():
    tokens = TokenRules(TOKENS)
    start = TOKENS.index(START)
    assert [TOKENS[token] for token in np.flatnonzero(tokens.allowed(tokens.start, 1000))] == [START]
    after = tokens.after(tokens.start, start)
    allowed = {TOKENS[token] for token in np.flatnonzero(tokens.allowed(after, 1000))}
    assert {"M:4/4", "C", "K:Cdor"} <= allowed
    assert not {UNKNOWN, START, END, "|"} & allowed
    letters = CharacterRules(CHARACTERS, START_TEXT, END_TEXT)
    state = letters.start
    for character in f"{START_TEXT}X:1\nM:4/4\nL:1/8\nK:G\nA8|\n":
        assert letters.allowed(state, 1000)[CHARACTERS.index(character)], character
        state = letters.after(state, CHARACTERS.index(character))
    for character in END_TEXT:
        assert letters.allowed(state, 1000)[CHARACTERS.index(character)], character
        state = letters.after(state, CHARACTERS.index(character))
    assert not letters.allowed(letters.after(letters.start, CHARACTERS.index("X")), 1000).any()
