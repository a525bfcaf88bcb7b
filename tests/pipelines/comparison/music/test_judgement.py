import numpy as np
import pytest

from etude.pipelines.comparison.music import judgement
from etude.pipelines.comparison.music.judgement import _copied, _Melodies, _ngrams, distribution_counts


def test_distributions_count_every_note():
    melodies = _Melodies([np.array([60, -2, 72, -1, 59, -2, -2, -2, 59, 59]), np.full(4, -2)], [4, 4], 4)
    counts = distribution_counts(melodies)
    assert {index: int(count) for index, count in enumerate(counts["pitch_class"]) if count} == {0: 2, 11: 3}
    assert {index - 13: int(count) for index, count in enumerate(counts["interval"]) if count} == {12: 1, -13: 1, 0: 2}
    assert {index + 1: int(count) for index, count in enumerate(counts["duration"]) if count} == {1: 3, 2: 1, 4: 1}
    assert {index: int(count) for index, count in enumerate(counts["notes_per_bar"]) if count} == {0: 1, 1: 1, 2: 2}


def test_durations_up_to_a_whole_note():
    """And all longer ones together, on every grid."""
    melodies = _Melodies([np.array([60, *[-2] * 31, 62, *[-2] * 39])], [32], 8)
    durations = distribution_counts(melodies)["duration"]
    assert len(durations) == 33
    assert (durations[31], durations[32], durations.sum()) == (1, 1, 2)


def test_copied_runs_are_found_in_any_key():
    known = np.array([60, -2, 62, 64, -2, 65, 67, -2, 69, -2])
    copied = known + 0
    copied[copied >= 0] += 5
    other = np.array([60, 72, 60, 72, 60, 72, 60, 72])
    assert _copied([copied], 4, _ngrams([known], 4)) == 1.0
    assert _copied([other], 4, _ngrams([known], 4)) == 0.0
    assert _copied([other[:3]], 4, _ngrams([known], 4)) is None
    assert 0 < _copied([copied, other], 4, _ngrams([known], 4)) < 1


@pytest.fixture(scope="session")
def judged(trained, tmp_path_factory):
    from etude.models.generation import GenerationOptions, generate
    from etude.models.model import load
    from etude.pipelines.compare import compare
    from etude.pipelines.generation.generate import write_melodies

    folder = tmp_path_factory.mktemp("music")
    for name in ("basic-0", "basic-1"):
        model, options = load(trained.runs[name]), GenerationOptions(num_outputs=4, num_steps=40)
        write_melodies(model, generate(model, [60], options), options, folder / name, qpm=120.0)
    runs = [trained.runs[name] for name in ("basic-0", "basic-1")]
    return compare(runs, trained.dataset, folder / "report", generated=[folder / "basic-0", folder / "basic-1"])


def test_seeds_are_judged_together(judged):
    (result,) = judged.music
    assert [generated_set.name for generated_set in result.sets] == ["eval", "train", "basic"]
    assert result.sets[2].num_melodies == 8
    assert result.num_steps == 40
    assert set(result.sets[2].copied) == set(judgement.COPIED_NOTES)
    assert set(result.sets[2].likelihoods) == {"event_log_likelihood", "log_likelihood", "path_log_likelihood"}


def test_training_melodies_are_more_like_real_music_than_those_of_a_tiny_model(judged):
    _, trained, basic = judged.music[0].sets
    assert trained.relative["average_interval"].overlap > basic.relative["average_interval"].overlap
    assert trained.distributions["interval"].divergence < basic.distributions["interval"].divergence
