import dataclasses
import doctest

import numpy as np
import pytest

from etude.models.errors import UsageError
from etude.models.generation import MELODIES_AT_ONCE, GenerationOptions, generate
from etude.models.melodies.melody import as_events, squash
from etude.models.model import Model
from etude.models.registry import families_of
from etude.models.search.constraints import Constraints
from etude.models.sequences.domain import MELODY

PRIMER = [60, -2, 64, -1]
IN_RULES = Constraints(min_pitch=60, max_pitch=69, pitch_classes=(0, 2, 4, 7, 9), note_offs=False, final_pitch_class=0)
SEARCHES = {
    "sampling": GenerationOptions(num_outputs=3, num_steps=20, seed=4),
    "warm sampling": GenerationOptions(num_outputs=3, num_steps=20, seed=4, temperature=1.5),
    "stochastic": GenerationOptions(num_outputs=2, num_steps=20, beam_size=3, branch_factor=2, steps_per_iteration=3),
    "beam": GenerationOptions(num_outputs=3, num_steps=20, search="beam", beam_size=6),
    "greedy": GenerationOptions(num_outputs=1, num_steps=20, search="greedy"),
    "nucleus": GenerationOptions(num_outputs=3, num_steps=20, seed=4, top_p=0.8, temperature=0.9),
    "top-k": GenerationOptions(num_outputs=3, num_steps=20, seed=4, top_k=4),
    "constrained": GenerationOptions(num_outputs=3, num_steps=20, constraints=IN_RULES, beam_size=2, branch_factor=2),
    "constrained beam": GenerationOptions(
        num_outputs=3, num_steps=20, constraints=IN_RULES, beam_size=5, search="beam"
    ),
    "constrained greedy": GenerationOptions(num_outputs=1, num_steps=20, constraints=IN_RULES, search="greedy"),
}


@pytest.fixture(params=families_of(MELODY))
def model(request, tiny_model):
    return tiny_model(request.param)


@pytest.mark.parametrize("search", SEARCHES)
def test_every_likelihood_is_that_of_the_model(model, search):
    options = SEARCHES[search]
    melodies = generate(model, PRIMER, options)
    assert len(melodies) == options.num_outputs
    for melody in melodies:
        assert len(melody.events) == 20
        assert melody.num_primer_events == 4
        primer = melody.events[:4]
        assert primer.tolist() == squash(np.array(PRIMER), 60, 72, model.configuration.transpose_to_key)[0].tolist()
        (whole,) = model.log_likelihood([melody.events], squash=False)
        (share,) = model.log_likelihood([primer], squash=False)
        assert melody.log_likelihood == pytest.approx(whole, abs=1e-4)
        assert melody.primer_log_likelihood == pytest.approx(share, abs=1e-4)
        assert melody.event_log_likelihood >= melody.log_likelihood - 1e-4
        assert melody.primer_event_log_likelihood >= melody.primer_log_likelihood - 1e-4
        sampled = options.search == "stochastic"
        assert (melody.path_log_likelihood is not None) == sampled
        assert melody.seed == (options.seed if sampled else None)


@pytest.mark.parametrize("name", ["basic", "mono"])
def test_where_labels_are_events_all_likelihoods_agree(name, tiny_model):
    for melody in generate(tiny_model(name), PRIMER, SEARCHES["sampling"]):
        assert melody.primer_log_likelihood + melody.path_log_likelihood == pytest.approx(
            melody.log_likelihood, abs=1e-3
        )
        assert melody.event_log_likelihood == pytest.approx(melody.log_likelihood, abs=1e-3)
        assert melody.path_log_likelihood < -1


def test_the_temperature_tempers_the_path_alone(tiny_model):
    model = tiny_model("basic")
    for melody in generate(model, PRIMER, SEARCHES["warm sampling"]):
        (whole,) = model.log_likelihood([melody.events], squash=False)
        assert melody.log_likelihood == pytest.approx(whole, abs=1e-4)
        assert abs(melody.primer_log_likelihood + melody.path_log_likelihood - whole) > 0.1


def test_path_likelihood_of_repeat_labels(tiny_model):
    """Above temperature 0 the path counts one label a step: never more than all labels of its events."""
    for melody in generate(tiny_model("lookback"), PRIMER, SEARCHES["sampling"]):
        of_events = melody.event_log_likelihood - melody.primer_event_log_likelihood
        assert melody.path_log_likelihood <= of_events + 1e-4


@pytest.mark.parametrize("search", ["sampling", "stochastic"])
def test_the_same_melodies_whatever_the_number_of_outputs(model, search):
    options = SEARCHES[search]
    melodies = generate(model, PRIMER, options)
    (first,) = generate(model, PRIMER, GenerationOptions(**{**vars(options), "num_outputs": 1}))
    assert first.events.tolist() == melodies[0].events.tolist()
    assert len({tuple(melody.events.tolist()) for melody in melodies}) > 1


def test_a_beams_melodies_are_different_and_in_order(model):
    melodies = generate(model, PRIMER, SEARCHES["beam"])
    assert len({tuple(melody.events.tolist()) for melody in melodies}) == 3
    likelihoods = [melody.event_log_likelihood for melody in melodies]
    assert likelihoods == sorted(likelihoods, reverse=True)


def test_the_primer_is_brought_into_the_models_key_and_back(tiny_model):
    """D major two octaves up, in a model of C major."""
    primer = [86, -2, 90, -2, 93, -2, 91]
    (melody,) = generate(tiny_model("basic"), primer, GenerationOptions(num_outputs=1, num_steps=12))
    assert melody.transpose_amount % 12 == 10
    assert melody.events[:7].tolist() == squash(np.array(primer), 60, 72, 0)[0].tolist()
    # Notes that were folded into the octave of the model come back an octave away.
    assert (melody.sounding_events[:7] % 12)[::2].tolist() == [pitch % 12 for pitch in primer[::2]]
    assert melody.sounding_events[:7].tolist()[1::2] == [-2] * 3
    steps = melody.events[7:] >= 0
    assert ((melody.sounding_events - melody.events)[7:][steps] == -melody.transpose_amount).all()


def test_bars_of_the_primers_metre(tiny_model):
    model = tiny_model("lookback", lookback_distances=[1, 2], lookback_unit="bars")
    found = [
        generate(model, PRIMER, GenerationOptions(num_outputs=1, num_steps=40, steps_per_bar=bar))[0].events.tolist()
        for bar in (2, 3)
    ]
    assert found[0] != found[1]


@pytest.mark.parametrize("steps_per_quarter", [1, 2, 3])
def test_bars_of_4_4_in_the_models_steps(tiny_model, steps_per_quarter):
    """Unless another metre is asked for; typed melodies are scored with the same bars."""
    model = tiny_model("lookback", lookback_distances=[1, 2], lookback_unit="bars")
    model = dataclasses.replace(
        model, configuration=dataclasses.replace(model.configuration, steps_per_quarter=steps_per_quarter)
    )
    options = GenerationOptions(num_outputs=2, num_steps=40)
    found = generate(model, PRIMER, options)
    chosen = generate(model, PRIMER, dataclasses.replace(options, steps_per_bar=4 * steps_per_quarter))
    for melody, same in zip(found, chosen, strict=True):
        assert melody.events.tolist() == same.events.tolist()
        assert melody.log_likelihood == same.log_likelihood
    scored = model.log_likelihood([melody.events for melody in found], squash=False)
    assert scored == pytest.approx([melody.log_likelihood for melody in found], rel=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_outputs": 0}, "--num-outputs must be from 1 to 1000000, not 0"),
        ({"num_steps": 0}, "--num-steps must be from 1 to"),
        ({"num_steps": 10**8}, "--num-steps must be from 1 to 131072, not 100000000"),
        ({"beam_size": 0}, "--beam-size must be from 1 to"),
        ({"branch_factor": -1}, "--branch-factor must be from 1 to 100000, not -1"),
        ({"steps_per_iteration": 0}, "--steps-per-iteration"),
        ({"steps_per_bar": 0}, "--steps-per-bar"),
        ({"temperature": 0.0}, "--temperature must be from 0.01 to 10, not 0.0"),
        ({"temperature": float("nan")}, "--temperature must be from 0.01 to 10"),
        ({"temperature": float("inf")}, "--temperature must be from 0.01 to 10"),
        ({"top_k": -1}, "--top-k must be from 0 to 1000000, not -1"),
        ({"top_p": 0.0}, "--top-p must be above 0, not 0.0"),
        ({"top_p": float("nan")}, "--top-p"),
        ({"top_k": 3, "search": "greedy", "num_outputs": 1}, "greedy search does not sample"),
        ({"search": "best"}, "stochastic, beam, greedy, not 'best'"),
        ({"search": "greedy", "num_outputs": 2}, "--num-outputs 1"),
        ({"search": "beam", "num_outputs": 5, "beam_size": 3}, "--beam-size 5"),
    ],
)
def test_options_out_of_range(options, message):
    with pytest.raises(UsageError, match=message):
        GenerationOptions(**options)


@pytest.mark.parametrize(
    ("primer", "message"),
    [
        ([], "the primer is empty"),
        ([60, 200], "event 200 at step 1 is outside"),
        ("sixty", "not a melody"),
        ([60] * 16, "16 steps and the melodies are to have 16, primer included; use --num-steps 32"),
        ([60] * 20, "--num-steps 36"),
    ],
)
def test_primers_that_cannot_be_continued(tiny_model, primer, message):
    with pytest.raises(UsageError, match=message):
        generate(tiny_model("basic"), primer, GenerationOptions(num_steps=16))


@pytest.mark.parametrize("search", SEARCHES)
def test_a_melody_without_a_note_so_far(tiny_model, search):
    """Whatever is generated after silence, the stored events have the stored likelihood."""
    model = tiny_model("lookback")
    model.weights["output/bias"][model.encoding.token_labels(np.array([-1]))] += 5
    melodies = generate(model, [-2, -2], SEARCHES[search])
    for melody in melodies:
        assert melody.events.tolist() == as_events(melody.events).tolist()
        (whole,) = model.log_likelihood([melody.events], squash=False)
        assert melody.log_likelihood == pytest.approx(whole, abs=1e-4)


@pytest.mark.parametrize("search", ["constrained", "constrained beam", "constrained greedy"])
def test_melodies_keep_the_rules(model, search):
    for melody in generate(model, PRIMER, SEARCHES[search]):
        assert np.isin(melody.sounding_events[len(PRIMER) :], [-2, 60, 62, 64, 67, 69]).all()
        assert melody.sounding_events[melody.events >= 0][-1] == 60


def test_rules_are_about_what_sounds(tiny_model):
    """The primer is in D, the model in C; the end is on the tonic that is heard."""
    rules = Constraints(pitch_classes=(2, 4, 6, 9, 11), final_pitch_class=2)
    options = GenerationOptions(num_outputs=5, num_steps=30, constraints=rules)
    for melody in generate(tiny_model("basic"), [62, -2, 66, -2, 69, -2, 61], options):
        assert melody.transpose_amount % 12 == 10
        heard = melody.sounding_events[7:]
        assert set(heard[heard >= 0] % 12) <= {2, 4, 6, 9, 11}
        assert heard[heard >= 0][-1] % 12 == 2


def test_rules_that_no_note_keeps(tiny_model):
    with pytest.raises(UsageError, match="leave no pitch: 20 to 30"):
        generate(tiny_model("basic"), PRIMER, GenerationOptions(constraints=Constraints(20, 30)))


def test_more_melodies_than_one_batch(tiny_model):
    """Every batch is reported of; a melody depends on its number alone."""
    reported = []
    number = 2 * MELODIES_AT_ONCE[1] + 3
    options = GenerationOptions(num_outputs=number, num_steps=12, seed=8)
    melodies = generate(
        tiny_model("basic"), PRIMER, options, lambda done, total, note="": reported.append((done, total))
    )
    assert len(reported) > 2
    assert reported == sorted(reported)
    assert reported[-1] == (number, number)
    few = generate(tiny_model("basic"), PRIMER, GenerationOptions(num_outputs=300, num_steps=12, seed=8))
    assert [one.events.tolist() for one in few] == [melody.events.tolist() for melody in melodies[:300]]
    assert len({tuple(melody.events.tolist()) for melody in melodies}) > number / 2


def test_beams_wider_than_there_are_melodies(tiny_model):
    """One step after the primer there are as many melodies as events."""
    model = tiny_model("basic")
    options = dict(num_steps=5, search="beam", beam_size=100)
    assert len(generate(model, PRIMER, GenerationOptions(num_outputs=14, **options))) == 14
    with pytest.raises(UsageError, match=r"only 14 different melodies of 5 steps .* use --num-outputs 14"):
        generate(model, PRIMER, GenerationOptions(num_outputs=15, **options))
    assert len(generate(model, PRIMER, GenerationOptions(num_outputs=15, **options), or_fewer=True)) == 14


def test_the_example_of_the_python_call(tiny_model):
    """As the docstring of `Model.generate` has it."""
    (example,) = doctest.DocTestFinder(recurse=False).find(Model.generate, globs={"model": tiny_model("lookback")})
    assert len(example.examples) == 4
    assert doctest.DocTestRunner().run(example).failed == 0
    assert len(tiny_model("basic").generate(num_outputs=1)[0].events) == 128
