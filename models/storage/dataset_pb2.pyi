from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DatasetDescription(_message.Message):
    __slots__ = ("format", "config", "fingerprint", "version", "splits", "split_rule", "extraction", "transpositions", "num_pieces", "num_leaked_melodies_dropped", "num_truncated_melodies", "num_duplicate_melodies", "num_transposed_duplicate_melodies", "duplicates_dropped", "rejected", "remarks", "representation", "pieces_fingerprint", "num_leaked_pieces_dropped", "num_duplicate_pieces", "num_transposed_duplicate_pieces", "left_out", "eval_ngram_overlap")
    class RejectedEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    class RemarksEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    class LeftOutEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    class EvalNgramOverlapEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: int
        value: float
        def __init__(self, key: _Optional[int] = ..., value: _Optional[float] = ...) -> None: ...
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SPLITS_FIELD_NUMBER: _ClassVar[int]
    SPLIT_RULE_FIELD_NUMBER: _ClassVar[int]
    EXTRACTION_FIELD_NUMBER: _ClassVar[int]
    TRANSPOSITIONS_FIELD_NUMBER: _ClassVar[int]
    NUM_PIECES_FIELD_NUMBER: _ClassVar[int]
    NUM_LEAKED_MELODIES_DROPPED_FIELD_NUMBER: _ClassVar[int]
    NUM_TRUNCATED_MELODIES_FIELD_NUMBER: _ClassVar[int]
    NUM_DUPLICATE_MELODIES_FIELD_NUMBER: _ClassVar[int]
    NUM_TRANSPOSED_DUPLICATE_MELODIES_FIELD_NUMBER: _ClassVar[int]
    DUPLICATES_DROPPED_FIELD_NUMBER: _ClassVar[int]
    REJECTED_FIELD_NUMBER: _ClassVar[int]
    REMARKS_FIELD_NUMBER: _ClassVar[int]
    REPRESENTATION_FIELD_NUMBER: _ClassVar[int]
    PIECES_FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    NUM_LEAKED_PIECES_DROPPED_FIELD_NUMBER: _ClassVar[int]
    NUM_DUPLICATE_PIECES_FIELD_NUMBER: _ClassVar[int]
    NUM_TRANSPOSED_DUPLICATE_PIECES_FIELD_NUMBER: _ClassVar[int]
    LEFT_OUT_FIELD_NUMBER: _ClassVar[int]
    EVAL_NGRAM_OVERLAP_FIELD_NUMBER: _ClassVar[int]
    format: str
    config: str
    fingerprint: str
    version: str
    splits: _containers.RepeatedCompositeFieldContainer[Split]
    split_rule: SplitRule
    extraction: Extraction
    transpositions: _containers.RepeatedScalarFieldContainer[int]
    num_pieces: int
    num_leaked_melodies_dropped: int
    num_truncated_melodies: int
    num_duplicate_melodies: int
    num_transposed_duplicate_melodies: int
    duplicates_dropped: bool
    rejected: _containers.ScalarMap[str, int]
    remarks: _containers.ScalarMap[str, int]
    representation: Representation
    pieces_fingerprint: str
    num_leaked_pieces_dropped: int
    num_duplicate_pieces: int
    num_transposed_duplicate_pieces: int
    left_out: _containers.ScalarMap[str, int]
    eval_ngram_overlap: _containers.ScalarMap[int, float]
    def __init__(self, format: _Optional[str] = ..., config: _Optional[str] = ..., fingerprint: _Optional[str] = ..., version: _Optional[str] = ..., splits: _Optional[_Iterable[_Union[Split, _Mapping]]] = ..., split_rule: _Optional[_Union[SplitRule, _Mapping]] = ..., extraction: _Optional[_Union[Extraction, _Mapping]] = ..., transpositions: _Optional[_Iterable[int]] = ..., num_pieces: _Optional[int] = ..., num_leaked_melodies_dropped: _Optional[int] = ..., num_truncated_melodies: _Optional[int] = ..., num_duplicate_melodies: _Optional[int] = ..., num_transposed_duplicate_melodies: _Optional[int] = ..., duplicates_dropped: _Optional[bool] = ..., rejected: _Optional[_Mapping[str, int]] = ..., remarks: _Optional[_Mapping[str, int]] = ..., representation: _Optional[_Union[Representation, _Mapping]] = ..., pieces_fingerprint: _Optional[str] = ..., num_leaked_pieces_dropped: _Optional[int] = ..., num_duplicate_pieces: _Optional[int] = ..., num_transposed_duplicate_pieces: _Optional[int] = ..., left_out: _Optional[_Mapping[str, int]] = ..., eval_ngram_overlap: _Optional[_Mapping[int, float]] = ...) -> None: ...

class Representation(_message.Message):
    __slots__ = ("name", "unit", "options", "vocabulary", "covers")
    class OptionsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    VOCABULARY_FIELD_NUMBER: _ClassVar[int]
    COVERS_FIELD_NUMBER: _ClassVar[int]
    name: str
    unit: str
    options: _containers.ScalarMap[str, str]
    vocabulary: _containers.RepeatedScalarFieldContainer[str]
    covers: str
    def __init__(self, name: _Optional[str] = ..., unit: _Optional[str] = ..., options: _Optional[_Mapping[str, str]] = ..., vocabulary: _Optional[_Iterable[str]] = ..., covers: _Optional[str] = ...) -> None: ...

class Split(_message.Message):
    __slots__ = ("name", "num_melodies", "num_steps", "num_notes", "max_steps", "melodies_by_steps_per_bar", "files")
    class MelodiesByStepsPerBarEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: int
        value: int
        def __init__(self, key: _Optional[int] = ..., value: _Optional[int] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    NUM_MELODIES_FIELD_NUMBER: _ClassVar[int]
    NUM_STEPS_FIELD_NUMBER: _ClassVar[int]
    NUM_NOTES_FIELD_NUMBER: _ClassVar[int]
    MAX_STEPS_FIELD_NUMBER: _ClassVar[int]
    MELODIES_BY_STEPS_PER_BAR_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    name: str
    num_melodies: int
    num_steps: int
    num_notes: int
    max_steps: int
    melodies_by_steps_per_bar: _containers.ScalarMap[int, int]
    files: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., num_melodies: _Optional[int] = ..., num_steps: _Optional[int] = ..., num_notes: _Optional[int] = ..., max_steps: _Optional[int] = ..., melodies_by_steps_per_bar: _Optional[_Mapping[int, int]] = ..., files: _Optional[_Iterable[str]] = ...) -> None: ...

class SplitRule(_message.Message):
    __slots__ = ("eval_ratio", "test_ratio", "salt")
    EVAL_RATIO_FIELD_NUMBER: _ClassVar[int]
    TEST_RATIO_FIELD_NUMBER: _ClassVar[int]
    SALT_FIELD_NUMBER: _ClassVar[int]
    eval_ratio: float
    test_ratio: float
    salt: str
    def __init__(self, eval_ratio: _Optional[float] = ..., test_ratio: _Optional[float] = ..., salt: _Optional[str] = ...) -> None: ...

class Extraction(_message.Message):
    __slots__ = ("steps_per_quarter", "min_bars", "max_steps", "min_unique_pitches", "gap_bars", "polyphony")
    STEPS_PER_QUARTER_FIELD_NUMBER: _ClassVar[int]
    MIN_BARS_FIELD_NUMBER: _ClassVar[int]
    MAX_STEPS_FIELD_NUMBER: _ClassVar[int]
    MIN_UNIQUE_PITCHES_FIELD_NUMBER: _ClassVar[int]
    GAP_BARS_FIELD_NUMBER: _ClassVar[int]
    POLYPHONY_FIELD_NUMBER: _ClassVar[int]
    steps_per_quarter: int
    min_bars: float
    max_steps: int
    min_unique_pitches: int
    gap_bars: float
    polyphony: str
    def __init__(self, steps_per_quarter: _Optional[int] = ..., min_bars: _Optional[float] = ..., max_steps: _Optional[int] = ..., min_unique_pitches: _Optional[int] = ..., gap_bars: _Optional[float] = ..., polyphony: _Optional[str] = ...) -> None: ...
