"""What a test holds, and what its page gives away: nothing."""

import base64
import io
import itertools
import json
import re

import numpy as np
import pyloudnorm
import pytest
import soundfile

from etude.models.errors import EtudeError, UsageError
from etude.pipelines.listening.create import TestOptions, create_test
from etude.pipelines.listening.design import NUM_CATCHES, PAIR, SINGLE, Key, design
from etude.pipelines.listening.pieces import Piece, sort_sources
from etude.pipelines.listening.plan import planned
from etude.pipelines.listening.sound import FADE, SAMPLE_RATE
from etude.pipelines.rendering.music import Music, Note
from tests.pipelines.listening.conftest import MODELS, TITLE

TUNE = Music((Note(0, 60, 4),), 4, 4, 16)
HEARD = {"minimum_seconds": 1.0, "qpm": 120.0, "program": 0}


def embedded(text):
    return json.loads(re.search(r'id="test">(.*?)</script>', text)[1])


def sounds(text):
    """The clips of a page by the id of their trial, decoded."""
    return {
        trial["id"]: [soundfile.read(io.BytesIO(base64.b64decode(one)))[0] for one in trial["sounds"]]
        for trial in embedded(text)["trials"]
    }


def some(name, count):
    return [Piece(f"{name}{number}", TUNE, 9.0) for number in range(count)]


def test_the_key_says_what_each_is(made_test):
    folder, key = made_test
    assert Key.from_json((folder / "key.json").read_text(), "key.json") == key
    trials = [trial for trial in key.trials if not trial.is_catch]
    assert len(key.trials) - len(trials) == NUM_CATCHES
    assert sum(len(trial.clips) for trial in trials) == 8
    clips = [clip for trial in trials for clip in trial.clips]
    assert sorted(clip.source for clip in clips) == sorted([*MODELS * 2, *["real"] * 4])
    assert len({(clip.source, clip.name) for clip in clips}) == 8
    for trial in trials:
        assert trial.model in MODELS
        if key.kind == PAIR:
            assert trial.clips[("first", "second").index(trial.answer)].source == "real"
        else:
            assert (trial.clips[0].source == "real") == (trial.answer == "real")
    assert key.answers_of_a_model() == (2 if key.kind == PAIR else 4)


def test_words_on_the_page_tell_nothing(made_test):
    """No name, title, seed or folder, and no other words than those of a test with other pieces."""
    folder, key = made_test
    text = (folder / "listen.html").read_text()
    told = re.sub(r'"sounds": ?\[[^\]]*\]', "", text)
    names = {clip.name for trial in key.trials for clip in trial.clips} | {one.rpartition("/")[2] for one in MODELS}
    for name in (
        *names,
        *MODELS,
        TITLE,
        "nursery",
        "noise",
        "random notes",
        "catch trial",
        "unmistakable",
        key.seed,
        "fiddle",
    ):
        assert name.lower() not in told.lower(), name
    assert not re.search(r"(https?:)?//(?!\s)[a-z]", told)
    assert embedded(text).keys() == {"test", "seconds", "minimum", "trials"}
    assert all(trial.keys() == {"id", "sounds"} for trial in embedded(text)["trials"])


def test_sounds_tell_nothing_but_the_music(made_test):
    """One size of file, one head, one length, one loudness, one start, one end; the key's pieces are all there."""
    folder, key = made_test
    text = (folder / "listen.html").read_text()
    files = [base64.b64decode(one) for trial in embedded(text)["trials"] for one in trial["sounds"]]
    assert len(set(files)) == len(files) == sum(len(trial.clips) for trial in key.trials)
    assert len({len(one) for one in files}) == 1
    assert not any(b"ID3" in one[:10] or one[-128:].startswith(b"TAG") for one in files)
    # Up to its checksums, the head says how the file was made: nothing that differs.
    assert len({one[:150] for one in files}) == 1
    heard = [one for those in sounds(text).values() for one in those]
    assert len({len(one) for one in heard}) == 1
    assert len(heard[0]) == pytest.approx(3 * SAMPLE_RATE, abs=2400)
    loudness = [pyloudnorm.Meter(SAMPLE_RATE).integrated_loudness(one) for one in heard]
    assert max(loudness) - min(loudness) < 0.3
    assert max(np.abs(one).max() for one in heard) < 1.0
    starts = [int(np.argmax(np.abs(one) > 0.02)) for one in heard]
    assert max(starts) - min(starts) < 0.02 * SAMPLE_RATE
    ends = [np.abs(one[round((3 - FADE / 10) * SAMPLE_RATE) :]).max() for one in heard]
    assert max(ends) < 0.05


@pytest.mark.parametrize("kind", [SINGLE, PAIR])
def test_ids_and_order_tell_nothing(kind):
    """At every place of a page, and after every answer, either answer is as likely; ids are never those of another test."""
    tests = 400
    keys = [
        design(kind, f"seed {number}", some("tune", 6), {"a": some("a", 3), "b": some("b", 3)}, 5.0, **HEARD)[0]
        for number in range(tests)
    ]
    right = np.array([[trial.answer in ("real", "first") for trial in key.trials] for key in keys])
    bound = 4 * np.sqrt(0.25 / tests)
    assert np.abs(right.mean(axis=0) - 0.5).max() < bound
    # Half of all are real, so that neighbours differ a little more often than not.
    expected = (right.shape[1] / 2) / (right.shape[1] - 1)
    changes = (right[:, 1:] != right[:, :-1]).mean(axis=0)
    assert np.abs(changes - expected).max() < bound
    models = np.array([[trial.model == "a" for trial in key.trials] for key in keys])
    assert np.abs(models.mean(axis=0) - (0.5 - 1 / right.shape[1])).max() < bound
    ids = [name for key in keys for name in (key.test, *(trial.id for trial in key.trials))]
    assert len(set(ids)) == len(ids)
    assert all([trial.id for trial in key.trials] == sorted(trial.id for trial in key.trials) for key in keys)


def test_real_tunes_stand_first_as_often_as_second():
    key, _ = design(PAIR, "s", some("tune", 10), {"a": some("a", 10)}, 5.0, **HEARD)
    assert sum(trial.answer == "first" for trial in key.trials) == len(key.trials) / 2


def test_the_same_seed_makes_the_same_test_and_another_does_not(listening_sources, tmp_path):
    made = {}
    for name, seed in (("a", "1"), ("b", "1"), ("c", ""), ("d", "")):
        options = TestOptions(num_clips=4, seconds=3, seed=seed)
        key = create_test(sort_sources(listening_sources), tmp_path / name, options)
        made[name] = key.test, (tmp_path / name / "listen.html").read_bytes()
    assert made["a"] == made["b"]
    assert all(made[one][0] != made[other][0] for one, other in itertools.combinations("acd", 2))


def test_clips_are_as_long_as_the_pieces_allow(listening_sources, tmp_path):
    """12 quarter notes of the models last 6 seconds at 120; the real tunes are longer."""
    key = create_test(sort_sources(listening_sources), tmp_path, TestOptions(num_clips=4))
    assert (key.seconds, key.minimum_seconds) == (6.0, 5.0)


def test_twenty_clips_are_small(listening_sources, tmp_path):
    create_test(sort_sources(listening_sources), tmp_path, TestOptions(num_clips=4, seconds=6))
    per_clip = (tmp_path / "listen.html").stat().st_size / 6
    assert 22 * per_clip * 15 / 6 < 10e6


def test_what_is_said_before_anybody_is_asked(made_test):
    _, key = made_test
    said = " ".join(planned(key))
    assert "90 answers" in said
    assert f"{-(-90 // key.answers_of_a_model())} listeners" in said


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_clips": 2}, "too few for 2 models.* give --clips 4"),
        ({"num_clips": 24}, "5 pieces last 3 seconds or longer, and 6 are needed"),
        ({"num_clips": 4, "seconds": 10}, "0 pieces last 10 seconds"),
        ({"num_clips": 20, "seconds": 3}, "the real tunes: 8 pieces last 3 seconds or longer, and 10 are needed"),
    ],
)
def test_too_little_music(options, message, listening_sources, tmp_path):
    with pytest.raises(EtudeError, match=message):
        create_test(sort_sources(listening_sources), tmp_path / "test", TestOptions(**options))
    assert not (tmp_path / "test").exists()


def test_options_are_checked():
    for options, name in (
        ({"kind": "both"}, "--kind"),
        ({"num_clips": 1}, "--clips"),
        ({"seconds": 1}, "--seconds"),
        ({"minimum_seconds": 0}, "--minimum"),
        ({"qpm": float("nan")}, "--qpm"),
        ({"program": 128}, "--program"),
    ):
        with pytest.raises(UsageError, match=name):
            TestOptions(**options)


def test_both_sides_are_needed(listening_sources):
    made, music = listening_sources
    with pytest.raises(UsageError, match="no real tunes"):
        sort_sources([made])
    with pytest.raises(UsageError, match="nothing that a model made"):
        sort_sources([music])


def test_a_longer_primer_is_not_heard(listening_sources, tmp_path):
    """The first bar was given: it is as if the model had begun after it."""
    from etude.pipelines.listening.pieces import generated_pieces
    from tests.pipelines.listening.conftest import write_generated

    folder = write_generated(tmp_path / "made", 5, num=1)
    (plain,) = generated_pieces([folder], print)
    line = json.loads((folder / "generated.jsonl").read_text())
    (folder / "generated.jsonl").write_text(json.dumps({**line, "num_primer_events": 16}))
    (cut,) = generated_pieces([folder], print)
    assert cut[1].notes == plain[1].notes[8:]
