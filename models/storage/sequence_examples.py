"""Melodies as SequenceExample records, in this project's form and in Magenta's.

This project's form stores the events as extracted, so that one dataset serves every configuration. Magenta's stores the
dense inputs and labels of one configuration.
"""

import functools
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from google.protobuf.message import DecodeError

from etude.models.melodies.melody import DEFAULT_STEPS_PER_QUARTER, MAGENTA_STEPS_PER_BAR, Melody, as_events
from etude.models.storage import sequence_example_pb2


def encode_melody(melody: Melody, others: Mapping[str, int] | None = None) -> bytes:
    """The SequenceExample that stores a melody; the same bytes every time.

    Context features: `id`, `source` (bytes), `steps_per_quarter`, `steps_per_bar`, `transposition` (int64). Feature
    lists: `events`, one int64 a step, and the melody's columns under their names.

    Args:
      melody: what is stored.
      others: more context features.
    """
    example = sequence_example_pb2.SequenceExample()
    context = example.context.feature
    context["id"].bytes_list.value.append(melody.id.encode())
    context["source"].bytes_list.value.append(melody.source.encode())
    context["steps_per_quarter"].int64_list.value.append(melody.steps_per_quarter)
    context["steps_per_bar"].int64_list.value.append(melody.steps_per_bar)
    context["transposition"].int64_list.value.append(melody.transposition)
    for name, number in (others or {}).items():
        context[name].int64_list.value.append(number)
    _add_lists(example, {"events": melody.events, **melody.columns})
    return example.SerializeToString(deterministic=True)


def decode_melody(record: bytes) -> Melody:
    """The melody that `encode_melody` stored.

    Raises:
      ValueError: if the record is not a SequenceExample with an `events` feature list of valid events, a column is longer or
        shorter, or its metre is not positive.
    """
    example = _parse(record)
    events, columns = _lists(example, "events")
    context = example.context.feature

    def integer(name: str, default: int) -> int:
        values = context[name].int64_list.value if name in context else ()
        return int(values[0]) if values else default

    def positive(name: str, default: int) -> int:
        value = integer(name, default)
        if value < 1:
            raise ValueError(f"{name} is {value}")
        return value

    def text(name: str) -> str:
        values = context[name].bytes_list.value if name in context else ()
        return values[0].decode(errors="replace") if values else ""

    return Melody(
        events=as_events(events),
        id=text("id"),
        source=text("source"),
        steps_per_quarter=positive("steps_per_quarter", DEFAULT_STEPS_PER_QUARTER),
        steps_per_bar=positive("steps_per_bar", MAGENTA_STEPS_PER_BAR),
        transposition=integer("transposition", 0),
        columns=columns,
    )


def encode_sequence(
    tokens: npt.NDArray[np.int64],
    id: str,
    source: str,
    attributes: Mapping[str, int],
    columns: Mapping[str, npt.NDArray[np.int64]],
) -> bytes:
    """The SequenceExample that stores a sequence of tokens; the same bytes every time.

    Context features: `id`, `source` (bytes), and the attributes (int64). Feature lists: `tokens`, one int64 each, and the
    columns under their names.
    """
    example = sequence_example_pb2.SequenceExample()
    context = example.context.feature
    context["id"].bytes_list.value.append(id.encode("utf-8", "replace"))
    context["source"].bytes_list.value.append(source.encode("utf-8", "replace"))
    for name, value in attributes.items():
        context[name].int64_list.value.append(value)
    _add_lists(example, {"tokens": tokens, **columns})
    return example.SerializeToString(deterministic=True)


def decode_sequence(
    record: bytes,
) -> tuple[npt.NDArray[np.int64], str, str, dict[str, int], dict[str, npt.NDArray[np.int64]]]:
    """Tokens, id, source, attributes and columns that `encode_sequence` stored.

    Raises:
      ValueError: if the record is not a SequenceExample with a `tokens` feature list, or a column is longer or shorter.
    """
    example = _parse(record)
    tokens, columns = _lists(example, "tokens")
    context = example.context.feature
    texts = {
        name: context[name].bytes_list.value[0].decode(errors="replace")
        for name in ("id", "source")
        if name in context and context[name].bytes_list.value
    }
    return tokens, texts.get("id", ""), texts.get("source", ""), _integers_of(example), columns


def context_integers(record: bytes) -> dict[str, int]:
    """The integers of a record's context, by name.

    Raises:
      ValueError: if the record is not a SequenceExample.
    """
    return _integers_of(_parse(record))


def _integers_of(example: sequence_example_pb2.SequenceExample) -> dict[str, int]:
    context = sorted(example.context.feature.items())
    return {name: int(feature.int64_list.value[0]) for name, feature in context if feature.int64_list.value}


def encode_inputs_and_labels(inputs: npt.NDArray[np.float32], labels: npt.NDArray[np.int64]) -> bytes:
    """Magenta's SequenceExample: feature lists `inputs` [steps, input_size] and `labels` [steps], no context."""
    example = sequence_example_pb2.SequenceExample()
    lists = example.feature_lists.feature_list
    lists["inputs"].MergeFromString(_vectors(inputs))
    lists["labels"].MergeFromString(_integers(labels))
    return example.SerializeToString(deterministic=True)


def decode_inputs_and_labels(record: bytes) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Inputs [steps, input_size] and labels [steps] of a Magenta record.

    Raises:
      ValueError: if the record is not a SequenceExample with `inputs` and `labels` of one length.
    """
    lists = _parse(record).feature_lists.feature_list
    if "inputs" not in lists or "labels" not in lists:
        raise ValueError("the record has no feature lists 'inputs' and 'labels'")
    inputs = np.array([feature.float_list.value for feature in lists["inputs"].feature], dtype=np.float32)
    labels = np.array([value for feature in lists["labels"].feature for value in feature.int64_list.value], np.int64)
    if inputs.ndim != 2 or len(inputs) != len(labels):
        raise ValueError(f"'inputs' has the shape {inputs.shape} where 'labels' has {labels.shape}")
    return inputs, labels


def _add_lists(example: sequence_example_pb2.SequenceExample, lists: Mapping[str, npt.NDArray[np.int64]]) -> None:
    for name, values in lists.items():
        example.feature_lists.feature_list[name].MergeFromString(_integers(values))


def _lists(
    example: sequence_example_pb2.SequenceExample, first: str
) -> tuple[npt.NDArray[np.int64], dict[str, npt.NDArray[np.int64]]]:
    """The integers of the feature list `first`, and those of all others by name."""
    stored = example.feature_lists.feature_list
    if first not in stored:
        raise ValueError(f"the record has no feature list {first!r}")
    lists = {
        name: np.array([value for feature in stored[name].feature for value in feature.int64_list.value], np.int64)
        for name in (first, *sorted(set(stored) - {first}))
    }
    tokens = lists.pop(first)
    for name, values in lists.items():
        if len(values) != len(tokens):
            raise ValueError(f"its {name!r} are {len(values)} where its {first!r} are {len(tokens)}")
    return tokens, lists


def _integers(values: npt.NDArray[np.int64]) -> bytes:
    """A serialised FeatureList of one integer a step; the bytes of such lists, joined, are those of the joined list."""
    return b"".join(map(_integer, values.tolist()))


@functools.lru_cache(maxsize=1024)
def _integer(value: int) -> bytes:
    feature = sequence_example_pb2.Feature(int64_list=sequence_example_pb2.Int64List(value=[value]))
    return sequence_example_pb2.FeatureList(feature=[feature]).SerializeToString()


def _vectors(vectors: npt.NDArray[np.float32]) -> bytes:
    """A serialised FeatureList of one vector a step, [steps, size]: the same bytes stand before each vector."""
    steps, size = vectors.shape
    feature = sequence_example_pb2.Feature(float_list=sequence_example_pb2.FloatList(value=[0.0] * size))
    template = sequence_example_pb2.FeatureList(feature=[feature]).SerializeToString()
    rows = np.empty((steps, len(template)), np.uint8)
    rows[:] = np.frombuffer(template, np.uint8)
    rows[:, len(template) - 4 * size :] = np.ascontiguousarray(vectors, "<f4").view(np.uint8)
    return rows.tobytes()


def _parse(record: bytes) -> sequence_example_pb2.SequenceExample:
    try:
        return sequence_example_pb2.SequenceExample.FromString(record)
    except DecodeError as error:
        raise ValueError("the record is not a SequenceExample") from error
