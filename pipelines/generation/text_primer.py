"""What a generated text starts with: a header, or the opening bars of a piece."""

import json
from typing import NoReturn

from etude.models.abc.canonical import key_name, metre_name
from etude.models.abc.notation.key import parse_key
from etude.models.abc.notation.metre import default_unit_length, parse_metre
from etude.models.abc.problems import AbcError
from etude.models.abc.reading import read_text
from etude.models.abc.tune_domain import TuneDomain
from etude.models.abc.unfolded import plain_key
from etude.models.abc_tokens.domain import TokenDomain
from etude.models.configuration import Configuration
from etude.models.errors import EtudeError, UsageError
from etude.models.melodies.extraction import Rejection, explain
from etude.models.melodies.quantisation import UnusableError
from etude.models.melodies.scales import Key
from etude.models.representations.abc_text import CANONICAL, OWN, text_of_piece
from etude.models.representations.piece import Piece
from etude.models.sequences.batch import Tokens
from etude.pipelines.generation.primer import chosen_pieces, split_name
from etude.pipelines.readers.abc.bars import bar_starts


def header(configuration: Configuration, domain: TuneDomain, *, metre: str, key: str, title: str) -> Tokens:
    """The header that a tune starts with, as the model writes headers; after it the model goes on.

    Args:
      configuration: the model's.
      domain: the model's.
      metre: as `M:` has it; empty for one of the model's own.
      key: as `K:` has it; empty for one of the model's own.
      title: empty for one of the model's own, if it writes any.

    Raises:
      UsageError: if one of them cannot be read or does not stand in the model's headers.
    """
    is_own = text_kind(configuration) == OWN
    if title and (isinstance(domain, TokenDomain) or not is_own):
        raise UsageError("--title: this model's tunes have no titles; leave it out")
    if key and not metre:
        raise UsageError("--key stands after the metre in a header; give --metre, too")
    try:
        parsed = parse_metre(metre) if metre else None
        tune_key = plain_key(parse_key(key) or _no_key(key)) if key else None
    except AbcError as error:
        raise UsageError(f"--metre or --key: {error.message}") from error
    if isinstance(domain, TokenDomain):
        if tune_key is not None and domain.into_c:
            tune_key = Key(0, tune_key.mode)
        tokens = [f"M:{metre_name(parsed)}", *([f"K:{key_name(tune_key)}"] if tune_key else [])]
        text = " ".join(tokens)
    elif is_own:
        unit = default_unit_length(parsed)
        lines = ["X:1", *([f"T:{title}"] if title else []), *([f"M:{metre}"] if metre else [])]
        lines += [f"L:{unit.numerator}/{unit.denominator}", f"K:{key}"] if key else []
        text = "\n".join([*lines, ""])
    else:
        name = key_name(tune_key) + "\n" if tune_key else ""
        text = f"X:1\nM:{metre_name(parsed)}\nL:1/8\nK:{name}"
    try:
        return domain.parse(text)
    except ValueError as error:
        raise UsageError(f"the model has never seen such a header: {error}") from error


def read_opening(path: str, configuration: Configuration, domain: TuneDomain, num_bars: float | None = None) -> Tokens:
    """The opening bars of a piece as the model writes tunes; what was not written as ABC, in canonical text.

    Args:
      path: a MIDI, ABC or MusicXML file, or a record file of NoteSequences; "#N" behind it chooses a tune.
      configuration: the model's.
      domain: the model's.
      num_bars: how many bars, a pickup not counted; None for all.

    Raises:
      EtudeError: if the file is missing, cannot be read, has no such tune, or holds none that can be written as text.
      UsageError: if the number of bars is none.
    """
    if num_bars is not None and (num_bars < 1 or num_bars != int(num_bars)):
        raise UsageError(f"--primer-bars must be a whole number of bars for models of text, not {num_bars}")
    file, number = split_name(path)
    reasons = []
    for piece in chosen_pieces(file, number):
        if piece.sequence is None:
            reasons += [explain(piece.rejected)] if piece.rejected else []
            continue
        try:
            kind = text_kind(configuration) if piece.text is not None else CANONICAL
            text = text_of_piece(Piece(piece.sequence, piece.text), kind)
            return domain.parse_start(first_bars(text, None if num_bars is None else int(num_bars)))
        except UnusableError as error:
            reasons.append(explain(Rejection(error.reason, error.detail)))
        except ValueError as error:
            reasons.append(str(error))
    what = f"it has no tune {number}" if number and not reasons else "; ".join(reasons) or "it has no notes"
    raise EtudeError(f"the primer {path} holds no {domain.noun}: {what}")


def first_bars(text: str, number: int | None) -> str:
    """A tune up to the end of some of its first bars, with the bar line; its pickup is not counted.

    Args:
      text: of a tune that can be read.
      number: None for the whole tune, without the line feeds at its end.
    """
    starts = bar_starts(text)
    if number is not None:
        number += _has_pickup(text)
    if number is None or number >= len(starts):
        return text.rstrip("\n")
    return text[: starts[number]]


def text_kind(configuration: Configuration) -> str:
    """Which text of a piece a model's representation takes: "own" or "canonical"."""
    return str(json.loads(configuration.representation_options.get("text", f'"{OWN}"')))


def _has_pickup(text: str) -> bool:
    played = read_text(text).performance
    metre = played.states[0][1].metre
    first = next((time for time in played.bars if time), 0)
    return metre is not None and 0 < first * metre[1] < metre[0] * played.units


def _no_key(text: str) -> NoReturn:
    raise UsageError(f"--key takes a key such as G, Edor or 'A minor', not {text!r}")
