"""Mutated texts of ABC through everything that reads text: nothing may crash or hang, and every reject has its reason.

    python scripts/bench/fuzz_abc_text.py [--count 10000] [--seed 0] [--seconds 5]

Each text goes through the reader of files (as it is, between marks, and as tokens), the validity ladder, folk-rnn's tokens
(in its key and written into C) and back, canonical text, both representations of what the reader made of it, and the score
of it as text under small models of both that have learnt nothing. A text is
a finding if anything raises what it does not say it raises, takes longer than the limit, or gives a reject without a known
reason; and if canonical text or tokens do not come back as they say.
"""

import argparse
import collections
import dataclasses
import math
import pathlib
import random
import sys
import time
from collections.abc import Sequence

from etude.models.abc.canonical import canonical
from etude.models.abc.problems import AbcError
from etude.models.abc.reading import read_text as read_tune
from etude.models.abc.tokens import text_of, tokenise
from etude.models.abc.unfolded import unfold, unfold_piece
from etude.models.abc.validity import validity
from etude.models.errors import EtudeError
from etude.models.melodies.quantisation import UnusableError
from etude.models.model import Model
from etude.models.networks.weights import initialise
from etude.models.registry import configure, make_encoding
from etude.models.representations.piece import Piece
from etude.models.representations.registry import make_representation
from etude.models.representations.representation import Representation
from etude.models.storage.texts import Text
from etude.pipelines.evaluation.score import read_text, score_sequences
from etude.pipelines.readers.abc.reader import read
from etude.pipelines.readers.reading import Reading
from etude.pipelines.reasons import REMEDIES
from scripts.bench.abc_agreement import find_corpus

SIGNS = [
    *"ABCDEFGabcdefgzxZ0123456789/|:[](){}<>-&.~^_=,'`\"!+% \n\\?é\0",
    "X:1\n",
    "K:Gdor\n",
    "M:6/8\n",
    "V:2\n",
    "P:AB\n",
]
SIGNS += [
    "|:",
    ":|",
    "::",
    "[1",
    "|2",
    "(3",
    ">>",
    "[K:D]",
    "[M:3/4]",
    "\n\n",
    "L:1/16\n",
    "<start>\n",
    "<end>\n",
    " 2 ",
    " /2 ",
]
REPRESENTATIONS = [
    make_representation(name, {"text": text})
    for name in ("abc_characters", "abc_tokens")
    for text in ("own", "canonical")
]


def mutate(text: str, source: random.Random) -> str:
    """A text with a few things changed."""
    for _ in range(source.randrange(1, 8)):
        place = source.randrange(len(text) + 1)
        length = source.choice((0, 0, 1, 1, 2, 5, 40))
        match source.randrange(4):
            case 0:
                text = text[:place] + text[place + length :]
            case 1:
                start = source.randrange(len(text) + 1)
                text = text[:place] + text[start : start + 60] + text[place + length :]
            case _:
                text = text[:place] + source.choice(SIGNS) + text[place + length :]
    return text


def check_text(text: str, counts: collections.Counter[str]) -> None:
    """Puts one text through everything."""
    ladder = validity(text)
    counts["parses" if ladder.parses else "does not parse"] += 1
    assert ladder.parses or ladder.problem
    for into_c in (False, True):
        try:
            tokens = tokenise(text, into_c)
        except UnusableError as error:
            check_reason(error.reason)
        except AbcError as error:
            check_reason("abc-syntax" if error.message else "")
        else:
            assert all(tokens)
            assert text_of(tokens)
            counts["tokens"] += 1
    for reading in read(text.encode("utf-8", "replace"), "fuzz.abc"):
        check_reading(reading, counts)


def check_reading(reading: Reading, counts: collections.Counter[str]) -> None:
    """Puts what the reader made of a tune through the representations."""
    if reading.sequence is None:
        assert reading.rejected is not None
        check_reason(reading.rejected.reason)
        counts[f"rejected: {reading.rejected.reason}"] += 1
        return
    piece = Piece(reading.sequence, Text("", reading.text))
    try:
        written = canonical(unfold_piece(reading.sequence, reading.text))
    except UnusableError as error:
        check_reason(error.reason)
        counts[f"no canonical text: {error.reason}"] += 1
    else:
        counts["canonical"] += 1
        assert canonical(unfold(read_tune(written).performance)) == written
        assert text_of(tokenise(written)) == written
    for representation in REPRESENTATIONS:
        extracted = representation.extract(piece)
        assert extracted.sequences or extracted.rejections
        for rejection in extracted.rejections:
            check_reason(rejection.reason)
        for sequence in extracted.sequences:
            assert isinstance(sequence.tokens, tuple)
            vocabulary = representation.fit(collections.Counter(sequence.tokens))
            assert vocabulary is not None
            assert representation.render(vocabulary.encode(sequence.tokens), vocabulary)


def untrained(representation: Representation, originals: Sequence[str]) -> Model:
    """A small model of random weights that knows the symbols of some texts."""
    symbols: collections.Counter[str] = collections.Counter()
    for text in originals:
        for reading in read(text.encode("utf-8", "replace"), "fuzz.abc"):
            if reading.sequence is not None:
                for one in representation.extract(Piece(reading.sequence, Text("", reading.text))).sequences:
                    assert isinstance(one.tokens, tuple)
                    symbols.update(one.tokens)
    vocabulary = representation.fit(symbols)
    assert vocabulary is not None
    configuration = dataclasses.replace(
        configure(representation.name.replace("_", "-"), {"rnn_layer_sizes": (8,)}),
        representation=representation.name,
        vocabulary=vocabulary.symbols,
        representation_options=representation.options(),
        unit=representation.unit,
    )
    weights = initialise(configuration.hyperparameters, make_encoding(configuration), 0)
    return Model(configuration, weights, pathlib.Path(representation.name))


def check_score(text: str, models: Sequence[Model], counts: collections.Counter[str]) -> None:
    """Scores a text under models, as `etude score --text` does."""
    for model in models:
        try:
            sequence = read_text(model, "fuzz.abc", text)
        except EtudeError as error:
            check_error(str(error))
            counts[f"no score by {model.path}"] += 1
        else:
            (line,) = score_sequences(model, [sequence])
            assert math.isfinite(line["log_likelihood"])
            assert line["log_likelihood"] <= 0
            counts[f"scored by {model.path}"] += 1


def check_error(message: str) -> None:
    """An error names what it is about."""
    assert message.startswith("fuzz.abc is "), message


def check_reason(reason: str) -> None:
    """A reject has a reason with a remedy, and none that says that the reader is at fault."""
    assert reason in REMEDIES, reason
    assert reason != "reader-failed", reason


def main() -> None:
    """Fuzzes, and prints what became of the texts."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=5.0, help="of processor time that a text may take")
    parser.add_argument("--corpus", default="ryansMammoth", help="whose tunes are mutated")
    arguments = parser.parse_args()
    originals = [path.read_text(encoding="utf-8", errors="replace") for path in find_corpus(arguments.corpus)]
    originals = [text for text in originals if len(text) < 1000]
    originals += [" ".join(tokenise(text)).replace("K:", "\nK:", 1) + "\n" for text in originals[:20]]
    models = [untrained(representation, originals[:100]) for representation in REPRESENTATIONS]
    counts: collections.Counter[str] = collections.Counter()
    findings, slowest = 0, 0.0
    for number in range(arguments.count):
        source = random.Random(f"{arguments.seed} {number}")
        text = mutate(source.choice(originals), source)
        start = time.process_time()
        try:
            check_text(text, counts)
            check_score(text, models, counts)
        except Exception as error:
            findings += 1
            print(f"finding: text {number}: {type(error).__name__}: {error}\n{text!r}", flush=True)
        seconds = time.process_time() - start
        slowest = max(slowest, seconds)
        if seconds > arguments.seconds:
            findings += 1
            print(f"finding: text {number} took {seconds:.1f} s\n{text!r}", flush=True)
        if number % 1000 == 999:
            print(f"{number + 1:,} texts", file=sys.stderr, flush=True)
    print(f"{arguments.count:,} texts, {findings} findings, the slowest took {slowest:.2f} s of processor time")
    for result, count in counts.most_common():
        print(f"  {count:7,} {result}")
    sys.exit(bool(findings))


if __name__ == "__main__":
    main()
