import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etude.models.melodies.melody import Melody, as_events
from etude.models.storage.sequence_example_pb2 import SequenceExample
from etude.models.storage.sequence_examples import (
    decode_inputs_and_labels,
    decode_melody,
    encode_inputs_and_labels,
    encode_melody,
)

MELODY = Melody(np.array([60, -2, -1, 127, 0]), "an id", "Überall.mid", 6, 18, -3)


def same(one, other):
    fields = ("id", "source", "steps_per_quarter", "steps_per_bar", "transposition")
    return one.events.tolist() == other.events.tolist() and all(
        getattr(one, field) == getattr(other, field) for field in fields
    )


@given(
    st.lists(st.integers(-2, 127)),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.integers(1, 64),
    st.integers(-12, 12),
)
def test_melodies_come_back(events, text, bar, transposition):
    melody = Melody(as_events(events), text, text, 4, bar, transposition)
    assert same(decode_melody(encode_melody(melody)), melody)


def test_the_same_melody_gives_the_same_bytes():
    assert encode_melody(MELODY) == encode_melody(decode_melody(encode_melody(MELODY)))


def test_tensorflow_parses_it():
    tf = pytest.importorskip("tensorflow")
    number = tf.io.FixedLenFeature([], tf.int64)
    context, lists = tf.io.parse_single_sequence_example(
        encode_melody(MELODY),
        {
            "id": tf.io.FixedLenFeature([], tf.string),
            "source": tf.io.FixedLenFeature([], tf.string),
            "steps_per_quarter": number,
            "steps_per_bar": number,
            "transposition": number,
        },
        {"events": tf.io.FixedLenSequenceFeature([], tf.int64)},
    )
    assert lists["events"].numpy().tolist() == MELODY.events.tolist()
    assert context["source"].numpy().decode() == "Überall.mid"
    assert [int(context[name]) for name in ("steps_per_quarter", "steps_per_bar", "transposition")] == [6, 18, -3]


def test_inputs_and_labels_are_magentas_form():
    """As `note_seq.sequence_example_lib` writes and Magenta's graph reads them."""
    tf = pytest.importorskip("tensorflow")
    inputs, labels = np.array([[0, 1, -1], [1, 0, 0.5]], np.float32), np.array([3, 0])
    record = encode_inputs_and_labels(inputs, labels)
    _, lists = tf.io.parse_single_sequence_example(
        record,
        {},
        {
            "inputs": tf.io.FixedLenSequenceFeature([3], tf.float32),
            "labels": tf.io.FixedLenSequenceFeature([], tf.int64),
        },
    )
    np.testing.assert_array_equal(lists["inputs"], inputs)
    np.testing.assert_array_equal(lists["labels"], labels)
    found_inputs, found_labels = decode_inputs_and_labels(record)
    np.testing.assert_array_equal(found_inputs, inputs)
    np.testing.assert_array_equal(found_labels, labels)


def example(**lists):
    message = SequenceExample()
    for name, steps in lists.items():
        features = message.feature_lists.feature_list[name].feature
        for values in steps:
            feature = features.add()
            (feature.int64_list if name != "inputs" else feature.float_list).value.extend(values)
    return message.SerializeToString(deterministic=True)  # for the names of tests


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (b"\xff\xff", "not a SequenceExample"),
        (b"", "no feature list 'events'"),
        (example(labels=[[1]]), "no feature list 'events'"),
        (example(events=[[60], [128]]), "event 128 at step 1"),
        (example(events=[[-3]]), "event -3 at step 0"),
    ],
)
def test_what_is_no_melody(record, message):
    with pytest.raises(ValueError, match=message):
        decode_melody(record)


@pytest.mark.parametrize(
    "record",
    [
        b"\xff\xff",
        b"",
        example(inputs=[[1.0]]),
        example(labels=[[1]]),
        example(inputs=[[1.0], [2.0]], labels=[[1]]),
        example(inputs=[[1.0], [2.0]], labels=[[1], []]),
        example(inputs=[[1.0], [2.0, 3.0]], labels=[[1], [2]]),
    ],
)
def test_what_is_no_record_of_magenta(record):
    with pytest.raises(ValueError, match=r"record|shape|inhomogeneous"):
        decode_inputs_and_labels(record)


def test_missing_context_has_defaults():
    melody = decode_melody(example(events=[[60], [-2]]))
    assert (melody.id, melody.source, melody.steps_per_quarter, melody.steps_per_bar) == ("", "", 4, 16)


@pytest.mark.parametrize("name", ["steps_per_bar", "steps_per_quarter"])
@pytest.mark.parametrize("value", [0, -16])
def test_a_metre_that_cannot_be(name, value):
    message = SequenceExample.FromString(encode_melody(MELODY))
    message.context.feature[name].int64_list.value[0] = value
    with pytest.raises(ValueError, match=f"{name} is {value}"):
        decode_melody(message.SerializeToString())
