import functools

import note_seq
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from note_seq import melody_encoder_decoder
from note_seq.melody_encoder_decoder import KeyMelodyEncoderDecoder, MelodyOneHotEncoding

from etude.models.encodings.attention import AttentionEncoding
from etude.models.encodings.encoding import as_vectors
from etude.models.encodings.melody import binary_counter, lookback
from etude.models.encodings.one_hot import OneHotEncoding
from etude.models.lookback.encoding import LookbackEncoding
from etude.models.melodies.melody import metres
from etude.models.registry import configure, make_encoding

CONFIGURATIONS = ["basic_rnn", "mono_rnn", "lookback_rnn", "attention_rnn"]
KINDS = ["one_hot", "lookback", "attention"]


def our_encoding(kind, pitch_range, distances, unit="steps"):
    if kind == "one_hot":
        return OneHotEncoding(*pitch_range)
    return {"lookback": LookbackEncoding, "attention": AttentionEncoding}[kind](*pitch_range, distances, unit)


def their_encoding(kind, pitch_range, distances):
    if kind == "attention":
        return KeyMelodyEncoderDecoder(*pitch_range, list(distances))
    one_hot = MelodyOneHotEncoding(*pitch_range)
    if kind == "lookback":
        return note_seq.LookbackEventSequenceEncoderDecoder(one_hot, list(distances))
    return note_seq.OneHotEventSequenceEncoderDecoder(one_hot)


def growing_melody(events):
    """A melody as Magenta's generator makes it: appended to, so that early note-offs stay."""
    melody = note_seq.Melody()
    for event in events:
        melody.append(event)
    return melody


@st.composite
def cases(draw):
    """A kind of encoding, a range, lookback distances, and melodies that fit."""
    kind = draw(st.sampled_from(KINDS))
    low = draw(st.one_of(st.just(0), st.integers(0, 126)))
    high = draw(st.integers(low + 1, min(128, low + 40)))
    # Magenta's attention encoding cannot do without a distance.
    distances = draw(st.lists(st.integers(1, 12), min_size=kind == "attention", max_size=3, unique=True).map(sorted))
    pitches = st.integers(low, min(high - 1, low + draw(st.integers(0, 40))))
    event = st.one_of(st.just(-2), st.just(-1), pitches, pitches)
    melodies = draw(st.lists(st.lists(event, min_size=1, max_size=24), min_size=1, max_size=4))
    return kind, (low, high), tuple(distances), melodies


def padded(melodies):
    """One batch; the padding is taken from the melodies themselves, since any valid event will do."""
    steps = max(map(len, melodies))
    filler = melodies[-1][-1]
    return np.array([melody + [filler] * (steps - len(melody)) for melody in melodies], np.int64)


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_everything_equals_magenta(name, magenta_figures):
    figures = magenta_figures(name)
    encoding = make_encoding(configure(name))
    assert encoding.input_size == figures["input_size"]
    assert encoding.num_labels == figures["num_classes"]
    assert encoding.no_event_label == figures["default_event_label"]
    num_vectors = 0
    for melody in figures["melodies"]:
        events, bars = np.array([melody["squashed"]]), metres(16)
        assert encoding.labels(events, bars)[0, 1:].tolist() == melody.get("labels", [])
        inputs = as_vectors(encoding.inputs(events, bars), encoding.input_size)
        assert inputs.dtype == np.float32
        expected = np.zeros((len(melody.get("inputs_nonzero", [])), encoding.input_size))
        for step, vector in enumerate(melody.get("inputs_nonzero", [])):
            for index, value in vector:
                expected[step, index] = value
        np.testing.assert_array_equal(inputs[0, : len(expected)], expected)
        num_vectors += len(expected)
    assert num_vectors > 1000


@settings(max_examples=200)
@given(cases())
@example(("attention", (0, 12), (2,), [[0, -2, 5, 0, -1, 0]]))  # Magenta takes pitch 0 for silence
@example(("lookback", (60, 72), (), [[60, -2, 61]]))
def test_whole_melodies_equal_note_seq(case):
    kind, pitch_range, distances, melodies = case
    ours, theirs = our_encoding(kind, pitch_range, distances), their_encoding(kind, pitch_range, distances)
    assert ours.input_size == theirs.input_size
    assert ours.num_labels == theirs.num_classes
    assert ours.no_event_label == theirs.default_event_label
    # Lookback in steps does not mind the metre.
    bars = metres([16, 12, 6, 1][: len(melodies)])
    batch = padded(melodies)
    inputs, labels = as_vectors(ours.inputs(batch, bars), ours.input_size), ours.labels(batch, bars)
    for row, events in enumerate(map(growing_melody, melodies)):
        for step in range(len(events)):
            np.testing.assert_array_equal(inputs[row, step], theirs.events_to_input(events, step))
            assert labels[row, step] == theirs.events_to_label(events, step)


@given(cases())
def test_every_label_means_what_it_means_to_note_seq(case):
    kind, pitch_range, distances, melodies = case
    ours, theirs = our_encoding(kind, pitch_range, distances), their_encoding(kind, pitch_range, distances)
    batch = padded(melodies)
    aliases = ours.aliases(batch, metres(np.full(len(batch), 16)))
    fixed = ours.label_tokens()
    assert len(fixed) == ours.num_tokens
    for row, melody in enumerate(melodies):
        for step in range(len(melody)):
            meanings = np.concatenate([fixed, aliases[row, step]])
            expected = [theirs.class_index_to_event(label, melody[:step]) for label in range(ours.num_labels)]
            assert meanings.tolist() == expected


@given(cases())
def test_labels_decode_to_the_events(case):
    kind, pitch_range, distances, melodies = case
    encoding = our_encoding(kind, pitch_range, distances)
    batch, bars = padded(melodies), metres(np.full(len(melodies), 16))
    fixed = np.broadcast_to(encoding.label_tokens(), (*batch.shape, encoding.num_tokens))
    meanings = np.concatenate([fixed, encoding.aliases(batch, bars)], axis=-1)
    labels = encoding.labels(batch, bars)
    np.testing.assert_array_equal(np.take_along_axis(meanings, labels[..., None], -1)[..., 0], batch)
    np.testing.assert_array_equal(encoding.token_labels(fixed[0, 0]), np.arange(encoding.num_tokens))


@given(cases(), st.sampled_from(["steps", "bars"]), st.data())
def test_streams_equal_whole_encodings(case, unit, data):
    """Step by step, also after the batch was reordered, repeated and cut, and after another batch went on from it."""
    kind, pitch_range, distances, melodies = case
    encoding = our_encoding(kind, pitch_range, distances, unit)
    batch = padded(melodies)
    bars = metres(data.draw(st.lists(st.integers(1, 5), min_size=len(batch), max_size=len(batch))))
    inputs, aliases = as_vectors(encoding.inputs(batch, bars), encoding.input_size), encoding.aliases(batch, bars)
    stream = encoding.stream(len(batch), bars)
    rows = np.arange(len(batch))
    taken_at = data.draw(st.integers(0, batch.shape[1]))
    for step in range(batch.shape[1]):
        if step == taken_at:
            taken = data.draw(st.lists(st.integers(0, len(rows) - 1), min_size=1, max_size=5))
            before, stream = stream, stream.take(np.array(taken))
            other = before.take(rows)
            other.append(np.full(len(rows), -1))
            np.testing.assert_array_equal(
                as_vectors(before.append(batch[rows, step]), encoding.input_size), inputs[rows, step]
            )
            rows = rows[taken]
        np.testing.assert_array_equal(stream.aliases(), aliases[rows, step])
        np.testing.assert_array_equal(
            as_vectors(stream.append(batch[rows, step]), encoding.input_size), inputs[rows, step]
        )


@pytest.mark.parametrize("kind", ["lookback", "attention"])
def test_distances_in_bars_are_distances_in_steps_of_each_metre(kind, monkeypatch, random_events):
    bars = np.array([4, 6, 9])
    batch = np.stack([random_events(seed, 40) for seed in range(3)])
    in_bars = our_encoding(kind, (60, 72), (1, 2), "bars")
    inputs, labels = in_bars.inputs(batch, metres(bars)), in_bars.labels(batch, metres(bars))
    for row, steps in enumerate(bars.tolist()):
        # note_seq's bar flag knows one bar length, which is a constant of its module.
        monkeypatch.setattr(melody_encoder_decoder, "DEFAULT_STEPS_PER_BAR", steps)
        theirs = their_encoding(kind, (60, 72), (steps, 2 * steps))
        melody = note_seq.Melody(batch[row].tolist())
        for step in range(len(melody)):
            np.testing.assert_array_equal(inputs[row, step], theirs.events_to_input(melody, step))
            assert labels[row, step] == theirs.events_to_label(melody, step)


def test_bars_of_sixteen_steps_are_magentas():
    events = np.array([[60, -2, 62, -1] * 12])
    for kind in ("lookback", "attention"):
        steps, bars = our_encoding(kind, (48, 84), (16, 32)), our_encoding(kind, (48, 84), (1, 2), "bars")
        for function in ("inputs", "labels", "aliases"):
            np.testing.assert_array_equal(
                getattr(steps, function)(events, metres(16)), getattr(bars, function)(events, metres(16))
            )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("pitch", [47, 84])
def test_a_pitch_outside_the_range_is_named(kind, pitch):
    encoding = our_encoding(kind, (48, 84), (2,))
    events, bars = np.array([[60, pitch]]), metres(16)
    stream = encoding.stream(1, bars)
    for call in (
        functools.partial(encoding.inputs, events, bars),
        functools.partial(encoding.labels, events, bars),
        functools.partial(encoding.check, events),
        functools.partial(stream.append, events[:, 1]),
    ):
        with pytest.raises(ValueError, match=rf"pitch {pitch} is outside the range \[48, 84\)"):
            call()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("event", [-3, -129, 128, 256, 1 << 40, -(1 << 63), (1 << 63) - 1])
def test_what_is_no_event_is_named(kind, event):
    encoding = our_encoding(kind, (48, 128), (2,))
    events, bars = np.array([[60, event]]), metres(16)
    stream = encoding.stream(1, bars)
    message = "outside the range" if event > 0 else r"none of -2 \(no event\), -1 \(note-off\), pitches in \[48, 128\)"
    for call in (
        functools.partial(encoding.inputs, events, bars),
        functools.partial(encoding.labels, events, bars),
        functools.partial(encoding.token_labels, events),
        functools.partial(encoding.check, events),
        functools.partial(stream.append, events[:, 1]),
    ):
        with pytest.raises(ValueError, match=rf"{event} is {message}"):
            call()


@pytest.mark.parametrize("kind", KINDS)
def test_events_of_any_integer_type(kind):
    encoding = our_encoding(kind, (0, 128), (2,))
    events = encoding.label_tokens()
    for integer in (np.int8, np.int16, np.int32):
        np.testing.assert_array_equal(encoding.token_labels(events.astype(integer)), np.arange(130))


@pytest.mark.parametrize("pitch_range", [(-1, 84), (48, 129), (48, 48), (84, 48)])
@pytest.mark.parametrize("kind", KINDS)
def test_ranges_outside_midi_are_refused(kind, pitch_range):
    with pytest.raises(ValueError, match="is not within"):
        our_encoding(kind, pitch_range, ())


@pytest.mark.parametrize("distances", [(0,), (-4, 4), (8, 4), (4, 4)])
def test_distances_that_do_not_ascend_are_refused(distances):
    with pytest.raises(ValueError, match="positive and ascending"):
        LookbackEncoding(48, 84, distances)


def test_an_unknown_unit_is_refused():
    with pytest.raises(ValueError, match="'beats'"):
        LookbackEncoding(48, 84, (1,), "beats")


def test_lookback():
    events = np.array([[60, 62, 64], [70, 72, 74]])
    found = lookback(events, np.array([[0, 1], [2, 5]]))
    assert found[0].tolist() == [[60, -2], [62, 60], [64, 62]]
    assert found[1].tolist() == [[-2, -2], [-2, -2], [70, -2]]


def test_binary_counter():
    assert binary_counter(np.array([0, 1, 6, 8]), 3).tolist() == [[-1, -1, -1], [1, -1, -1], [-1, 1, 1], [-1, -1, -1]]
