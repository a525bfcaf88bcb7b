"""Data pipelines: music files to NoteSequences, to datasets; generation, evaluation and comparison of models.

The transforms are for any Beam pipeline:

>>> from etude.pipelines import ReadMusic  # doctest: +SKIP

Names are imported when they are first used, as Beam takes seconds to import.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from etude.pipelines.evaluation.evaluate_sequences import EvaluateSequences
    from etude.pipelines.readers.describe import Describe
    from etude.pipelines.readers.isolated_reader import Limits
    from etude.pipelines.readers.notes import ReadNotes
    from etude.pipelines.readers.piece_coder import Piece
    from etude.pipelines.readers.read import ReadMusic
    from etude.pipelines.records.write import WriteRecords
    from etude.pipelines.sequences.exact_tunes import KeepExactTunes
    from etude.pipelines.sequences.extract import ExtractPieces, ExtractSequences, ListSequences
    from etude.pipelines.sequences.leaks import DropDuplicates, DropLeaks
    from etude.pipelines.sequences.split import SplitByContent
    from etude.pipelines.sequences.split_rule import SplitRule
    from etude.pipelines.sequences.vocabulary import FitVocabulary
    from etude.pipelines.sources.match import MatchMusic

_HOMES = {
    "Describe": "readers.describe",
    "DropDuplicates": "sequences.leaks",
    "DropLeaks": "sequences.leaks",
    "EvaluateSequences": "evaluation.evaluate_sequences",
    "ExtractPieces": "sequences.extract",
    "ExtractSequences": "sequences.extract",
    "FitVocabulary": "sequences.vocabulary",
    "KeepExactTunes": "sequences.exact_tunes",
    "Limits": "readers.isolated_reader",
    "ListSequences": "sequences.extract",
    "MatchMusic": "sources.match",
    "Piece": "readers.piece_coder",
    "ReadMusic": "readers.read",
    "ReadNotes": "readers.notes",
    "SplitByContent": "sequences.split",
    "SplitRule": "sequences.split_rule",
    "WriteRecords": "records.write",
}

__all__ = [
    "Describe",
    "DropDuplicates",
    "DropLeaks",
    "EvaluateSequences",
    "ExtractPieces",
    "ExtractSequences",
    "FitVocabulary",
    "KeepExactTunes",
    "Limits",
    "ListSequences",
    "MatchMusic",
    "Piece",
    "ReadMusic",
    "ReadNotes",
    "SplitByContent",
    "SplitRule",
    "WriteRecords",
]


def __getattr__(name: str) -> Any:
    """Imports a public name (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'etude.pipelines' has no attribute {name!r}")
    return getattr(importlib.import_module(f"etude.pipelines.{_HOMES[name]}"), name)
