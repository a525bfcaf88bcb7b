"""What tunes cost, on equal terms: against recodings, against a source of known entropy, and by hand."""

import collections
import dataclasses
import itertools
import math

import numpy as np
import pytest

from etude.models.configuration import Configuration
from etude.models.encodings.one_hot import OneHotEncoding
from etude.models.encodings.tokens import TokenEncoding
from etude.models.evaluation.evaluation import evaluate
from etude.models.melodies.melody import Melody
from etude.models.melodies.melody_set import MelodySet
from etude.models.melodies.pitch_range import PitchRange
from etude.models.ngram import count_ngrams, make_network
from etude.models.ngram.hyperparameters import NgramHyperparameters
from etude.models.registry import configure, make_domain
from etude.models.representations.abc_characters import AbcCharacters
from etude.models.representations.abc_tokens import AbcTokens
from etude.models.representations.melody import MelodyRepresentation
from etude.models.representations.piece import Piece
from etude.models.representations.sequence import pack
from etude.models.sequences.domain import Domain
from etude.models.sequences.sequence_set import SequenceSet
from etude.models.sequences.tune_span import END, NOTES, span_breakdown
from etude.models.storage.texts import Text
from etude.pipelines.comparison.measurements import DomainMeasurement
from etude.pipelines.comparison.statistics.bootstrap import interval, resampled_sums
from etude.pipelines.comparison.tunes import Tunes, common_tunes, num_notes
from etude.pipelines.readers.abc.reader import read
from etude.pipelines.sequences.exact_tunes import WHOLE_MELODY, exact_piece
from tests.pipelines.comparison.exact_tunes import tune

LAPLACE = {"order": 2, "smoothing": "laplace"}
MELODY = MelodyRepresentation(**dataclasses.asdict(WHOLE_MELODY))


@pytest.fixture(scope="module")
def pieces():
    """Thirty exact tunes; the last ten evaluate."""
    readings = read("\n".join(map(tune, range(30))).encode())
    found = []
    for number, reading in enumerate(readings):
        reading.sequence.id = f"tune{number:02}"
        found.append(exact_piece(Piece(reading.sequence, Text(reading.sequence.id, reading.text))))
    return found


def extracted(representation, pieces):
    """The sequences of pieces, as a dataset has them."""
    sequences = [representation.extract(piece).sequences for piece in pieces]
    assert all(len(found) == 1 for found in sequences)
    return [dataclasses.replace(one, source=piece.id) for (one,), piece in zip(sequences, pieces, strict=True)]


class Counted:
    """A counted model of a representation, and the tunes that it is measured on."""

    def __init__(self, representation, pieces, hyperparameters=LAPLACE, shuffle=None):
        sequences = extracted(representation, pieces)
        symbols = ()
        if representation.has_symbols:
            counts = {symbol: 1 for one in sequences for symbol in one.tokens}
            vocabulary = representation.fit(counts)
            if shuffle is not None:
                vocabulary = dataclasses.replace(vocabulary, symbols=tuple(shuffle(list(vocabulary.symbols))))
            symbols = vocabulary.symbols
            sequences = [dataclasses.replace(one, tokens=vocabulary.encode(one.tokens)) for one in sequences]
            self.train, self.tunes = pack(sequences[:20]), pack(sequences[20:])
        else:
            melodies = [
                Melody(one.tokens, source=one.source, steps_per_bar=one.attributes["steps_per_bar"])
                for one in sequences
            ]
            self.train, self.tunes = MelodySet.of(melodies[:20]), MelodySet.of(melodies[20:])
        configuration = dataclasses.replace(
            configure("ngram", hyperparameters),
            representation=representation.name,
            vocabulary=symbols,
            transpose_to_key=None,
            unit=representation.unit,
        )
        self.domain = make_domain(configuration)
        self.encoding = encoding_of(configuration)
        chosen = NgramHyperparameters(**hyperparameters)
        self.network = make_network(self.encoding, count_ngrams(self.encoding, self.train, chosen), chosen)

    def predict(self, batch):
        return self.network.logits(self.encoding.token_labels(batch.tokens[:, :-1]))

    def measured(self):
        return measured(self.domain, self.encoding, self.tunes, self.train, self.predict)


def encoding_of(configuration: Configuration):
    if not configuration.vocabulary:
        return OneHotEncoding(configuration.min_note, configuration.max_note)
    return TokenEncoding(len(configuration.vocabulary), None)


def measured(domain, encoding, sequences, train, predict):
    """What tunes are, and what they cost, in the order of their pieces."""
    tunes = Tunes(DomainMeasurement(domain, sequences, train, [], [], []))
    names, _ = common_tunes([tunes])
    return tunes, tunes.costs(evaluate(encoding, sequences, predict, [span_breakdown(domain)]), names), names


def test_all_representations_have_the_same_tunes(pieces):
    tunes = [Counted(one, pieces).measured()[0] for one in (MELODY, AbcCharacters(), AbcTokens())]
    names, left_out = common_tunes(tunes)
    assert len(names) == 10
    assert not left_out
    counts = [num_notes(one, names).tolist() for one in tunes]
    expected = [len(piece.sequence.notes) - 1 for piece in pieces[20:]]
    assert counts == [expected] * 3


@pytest.mark.parametrize("representation", [AbcCharacters(), AbcTokens()], ids=lambda one: one.name)
def test_another_order_of_the_vocabulary_costs_the_same(pieces, representation):
    def shuffled(symbols):
        np.random.default_rng(1).shuffle(symbols)
        return symbols

    _, plain, _ = Counted(representation, pieces).measured()
    _, other, _ = Counted(representation, pieces, shuffle=shuffled).measured()
    np.testing.assert_allclose(other.whole, plain.whole, rtol=1e-6)
    np.testing.assert_allclose(other.without_end, plain.without_end, rtol=1e-6)


@dataclasses.dataclass(frozen=True)
class Merged(Domain):
    """Tunes of tokens, two of which are one after the first note's pitch, and again after the last note's."""

    single: Domain
    size: int

    name = "merged"
    default_primer = np.zeros(1, np.int64)

    def parse(self, given):
        raise NotImplementedError

    def render(self, tokens):
        raise NotImplementedError

    def merge(self, tokens, attributes):
        span = self.single.tune_span(tokens, attributes)
        pairs = [
            self.size * (1 + first) + second
            for part in (tokens[span.first : span.last], tokens[span.last :])
            for first, second in zip(part[::2], part[1::2], strict=True)
        ]
        return np.concatenate([tokens[: span.first], pairs]).astype(np.int64)

    def split(self, tokens):
        parts = [[token] if token < self.size else divmod(token - self.size, self.size) for token in tokens.tolist()]
        return np.array(list(itertools.chain.from_iterable(parts)), np.int64)

    def tune_span(self, tokens, attributes):
        span = self.single.tune_span(self.split(tokens), attributes)
        return span._replace(last=span.first + (span.last - span.first) // 2)


def test_tokens_merged_in_pairs_cost_the_same(pieces):
    one = Counted(AbcTokens(), pieces)
    size = one.encoding.num_tokens
    merged = Merged(one.domain, size)
    tunes, costs, names = one.measured()
    spans = [tunes.spans[name] for name in names]
    lengths = [one.tunes.lengths[place] for place in tunes.places(names)]
    even = [
        index
        for index, (span, length) in enumerate(zip(spans, lengths, strict=True))
        if (span.last - span.first) % 2 == 0 and (length - span.last) % 2 == 0
    ]
    assert even
    # The probability of each token after each other one, and so of each pair after each token.
    after = one.network.log_probabilities(np.arange(size)[:, None])
    pairs = after[:, :, None] + after[None, :, :]
    table = np.concatenate([after, pairs.reshape(size, size * size)], axis=1)
    np.testing.assert_allclose(np.exp(pairs).sum(axis=(1, 2)), 1, rtol=1e-4)
    places = [int(tunes.places(names)[index]) for index in even]
    chosen = one.tunes.select(places)
    attributes = [{name: int(values[place]) for name, values in one.tunes.attributes.items()} for place in places]
    sequences = SequenceSet.pack(
        [merged.merge(one.tunes.tokens(place), found) for place, found in zip(places, attributes, strict=True)],
        chosen.ids,
        chosen.sources,
        {name: values.tolist() for name, values in chosen.attributes.items()},
    )
    last = np.where(np.arange(size + size**2) < size, np.arange(size + size**2), (np.arange(size + size**2)) % size)
    found = measured(
        merged,
        TokenEncoding(size + size**2, None),
        sequences,
        sequences,
        lambda batch: table[last[batch.tokens[:, :-1]]],
    )
    np.testing.assert_allclose(found[1].whole, costs.whole[even], rtol=1e-6)
    np.testing.assert_allclose(found[1].without_end, costs.without_end[even], rtol=1e-6)
    np.testing.assert_array_equal(num_notes(found[0], found[2]), num_notes(tunes, [names[index] for index in even]))


def test_what_is_paid_of_a_text_by_hand(pieces):
    """Add-one bigrams of characters, counted and summed one by one, after the first pitch."""
    _, costs, names = Counted(AbcCharacters(), pieces).measured()
    texts = ["\0" + piece.text.text + "\1" for piece in pieces]
    # The unknown is a symbol, too.
    size = len(set("".join(texts))) + 1
    pairs = [pair for text in texts[:20] for pair in itertools.pairwise(text)]
    counts, before = collections.Counter(pairs), collections.Counter(first for first, _ in pairs)

    for name, whole, without_end in zip(names, costs.whole, costs.without_end, strict=True):
        text = texts[int(name.removeprefix("tune"))]
        body = text.index("\n", text.index("K:")) + 1
        letters = [place for place in range(body, len(text)) if text[place].upper() in "ABCDEFG"]
        onsets = [
            place
            for place in letters
            if text[:place].rstrip("^_=")[-1:] != "-" and text[:place].rstrip("^_=")[-2:] != "-|"
        ]
        ends = [place + 1 + len(text[place + 1 :]) - len(text[place + 1 :].lstrip(",'")) for place in onsets]
        paid = [math.log((counts[pair] + 1) / (before[pair[0]] + size)) for pair in itertools.pairwise(text)]
        assert whole == pytest.approx(sum(paid[ends[0] - 1 :]), rel=1e-5)
        assert without_end == pytest.approx(sum(paid[ends[0] - 1 : ends[-1] - 1]), rel=1e-5)


def test_what_is_paid_of_a_melody_by_hand():
    """Bigrams of events after the first note up to the last, and the counts of how two melodies begin and end."""
    train = [[60, -2, 62, -2, 64, -2, -2, -2], [-2, -2, -2, 67, 60, -2, -1, -2, 62, -2, -2, -2]]
    held_out = [60, -2, 62, 64, -2, -2, -2, -2]
    sets = [MelodySet.of(Melody(np.array(one), steps_per_bar=4) for one in some) for some in (train, [held_out])]
    domain, encoding = PitchRange(48, 84, None), OneHotEncoding(48, 84)
    chosen = NgramHyperparameters(**LAPLACE)
    network = make_network(encoding, count_ngrams(encoding, sets[0], chosen), chosen)
    predict = lambda batch: network.logits(encoding.token_labels(batch.tokens[:, :-1]))  # noqa: E731
    _, costs, _ = measured(domain, encoding, sets[1], sets[0], predict)
    # 38 events. After 60 came -2 twice; after -2 came 62 twice, 64 once, -2 five times, and so on.
    pairs = [pair for one in train for pair in itertools.pairwise(one)]
    before = [first for first, _ in pairs]
    paid = sum(
        math.log((pairs.count(pair) + 1) / (before.count(pair[0]) + 38)) for pair in itertools.pairwise(held_out[:4])
    )
    # Begins on the bar line, as one of two; a quarter of one more is as likely.
    paid += math.log((1 + 1 / 4) / 3)
    # Of 7 notes 2 were the last; in bar 0 at 0 one note, not the last; at 2 one, not; at 3 one, not.
    anywhere = 3 / 8
    before_last = 2 * math.log(1 - anywhere / 2)
    last = math.log(anywhere / 2)
    # Five sixteenths at place 3 of the bar: neither there nor anywhere in the metre.
    geometric = 1 / 5 * (4 / 5) ** 4
    length = math.log(geometric / 3)
    assert costs.without_end == pytest.approx([paid], rel=1e-5)
    assert costs.whole == pytest.approx([paid + before_last + last + length], rel=1e-5)


def source_tunes(random, number, transitions):
    """Tunes of 32 eighths, each drawn after the one before: pitches as indices, [tunes, 32]."""
    states = np.zeros((number, 32), np.int64)
    cumulated = transitions.cumsum(axis=1)
    for place in range(1, 32):
        states[:, place] = (random.random(number)[:, None] > cumulated[states[:, place - 1]]).sum(axis=1)
    return states


@pytest.mark.parametrize(("order", "is_enough"), [(1, False), (3, True), (5, True)])
def test_nothing_is_better_than_the_source(order, is_enough):
    random = np.random.default_rng(5)
    transitions = random.dirichlet(np.full(5, 0.8), size=5)
    train, held_out = source_tunes(random, 1000, transitions), source_tunes(random, 300, transitions)
    pitches = np.array([60, 62, 64, 67, 69])

    def melodies(states):
        events = np.full((len(states), 64), -2)
        events[:, ::2] = pitches[states]
        return MelodySet.of(Melody(one, source=f"{number:04}", steps_per_bar=16) for number, one in enumerate(events))

    encoding, chosen = OneHotEncoding(48, 84), NgramHyperparameters(order)
    counted = melodies(train)
    network = make_network(encoding, count_ngrams(encoding, counted, chosen), chosen)
    predict = lambda batch: network.logits(encoding.token_labels(batch.tokens[:, :-1]))  # noqa: E731
    _, costs, _ = measured(PitchRange(48, 84, None), encoding, melodies(held_out), counted, predict)
    known = np.log(transitions[held_out[:, :-1], held_out[:, 1:]]).sum(axis=1)
    excess = known - costs.whole
    low, high = interval(resampled_sums(excess[:, None])[:, 0] / len(excess))
    assert high > 0
    # What estimating the 20 free transitions costs, and counts of the ends: within sampling error of the source.
    counts = np.bincount((train[:, :-1] * 5 + train[:, 1:]).ravel(), minlength=25).reshape(5, 5)
    shares = (counts / counts.sum(axis=1, keepdims=True))[held_out[:, :-1], held_out[:, 1:]]
    of_estimate = float((known - np.log(shares).sum(axis=1)).mean())
    if is_enough:
        assert low < of_estimate + 0.05
        assert excess.mean() < 0.2
    else:
        assert low > 1


def test_parts_of_a_text_are_those_that_are_said(pieces):
    one = Counted(AbcTokens(), pieces)
    batch = one.tunes.batch(np.arange(len(one.tunes)), 0)
    parts = span_breakdown(one.domain).index(batch)
    for row, piece in enumerate(pieces[20:]):
        length = batch.lengths[row]
        symbols = [one.domain.symbols[token] for token in batch.tokens[row, 1:length]]
        paid = [symbol for symbol, part in zip(symbols, parts[row, : length - 1], strict=True) if part in (NOTES, END)]
        given = symbols[: len(symbols) - len(paid)]
        assert given[:2] == [line for line in piece.text.text.splitlines() if line[:2] in ("M:", "K:")]
        assert len(given) == 3
        end = [symbol for symbol, part in zip(symbols, parts[row, : length - 1], strict=True) if part == END]
        assert end[-1] == "<end>"
        assert not [symbol for symbol in end[:-1] if symbol[0].upper() in "ABCDEFG" and "-" not in end]
