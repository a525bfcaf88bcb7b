"""Generation where steps have several tokens, and of drums."""

import numpy as np
import pytest

from etude.models.errors import EtudeError, UsageError
from etude.models.generation import GenerationOptions, generate
from etude.models.polyphony import events

PRIMER = [[0, None], [3, 64], [3, 60], [2, None], [4, 64], [3, 59], [2, None], [2, None], [1, None]]
STEPS = [[67, 63], [195, 62], []]
SEARCHES = {
    "sampling": {"num_outputs": 5},
    "stochastic": {"num_outputs": 3, "beam_size": 3, "branch_factor": 2, "steps_per_iteration": 4},
    "beam": {"num_outputs": 2, "search": "beam", "beam_size": 3},
    "greedy": {"num_outputs": 1, "search": "greedy"},
}


@pytest.fixture(scope="module")
def model(magenta_model):
    return magenta_model("polyphony")


def steps_of(tokens):
    """The tokens of each step, without its end: by splitting a list of Python's."""
    found = [[]]
    for token in tokens.tolist()[1:]:
        if token == events.STEP_END:
            found.append([])
        else:
            found[-1].append(token)
    return found


@pytest.mark.parametrize("goes_on", [False, True])
@pytest.mark.parametrize("search", SEARCHES)
def test_polyphony_has_the_steps_that_are_asked_for(model, search, goes_on):
    options = GenerationOptions(num_steps=12, seed=3, condition_on_primer=goes_on, **SEARCHES[search])
    found = generate(model, PRIMER, options)
    assert len(found) == options.num_outputs
    for sequence in found:
        # It ends with a step, has its steps with those of the primer, and begins with the primer or anew after it.
        steps = steps_of(sequence.tokens)
        assert steps.pop() == []
        assert len(steps) == (12 if goes_on else 9)
        given = steps_of(sequence.tokens[: sequence.num_primer_tokens] if goes_on else sequence.prelude)
        assert given == [*STEPS, []]
        assert (sequence.prelude is None) == goes_on
        # The primer's notes come once more, and the model goes on with each step.
        after = steps[3:] if goes_on else steps
        assert [step[: len(notes)] for step, notes in zip(after, STEPS, strict=False)] == STEPS
        (whole,) = model.log_likelihood([sequence.tokens])
        assert sequence.log_likelihood == pytest.approx(whole, rel=1e-5)


def test_nothing_is_injected_where_that_is_not_wanted(model):
    options = GenerationOptions(num_outputs=20, num_steps=8, inject_primer=False)
    firsts = {tuple(steps_of(sequence.tokens)[0][:2]) for sequence in generate(model, PRIMER, options)}
    assert len(firsts) > 5


def test_a_sequence_does_not_depend_on_how_many_there_are(model):
    few, many = (
        generate(model, PRIMER, GenerationOptions(num_outputs=number, num_steps=10, seed=5)) for number in (2, 60)
    )
    for one, same in zip(few, many, strict=False):
        assert one.tokens.tolist() == same.tokens.tolist()


def test_sampled_polyphony_follows_the_models_probabilities(model):
    """The first token after the start, of many samples, beside the probabilities of the network."""
    number = 4000
    options = GenerationOptions(num_outputs=number, num_steps=1, seed=2)
    firsts = np.array([sequence.tokens[1] for sequence in generate(model, None, options)])
    logits = model.network.logits(model.encoding.inputs(np.array([[events.START]]), {}))[0, 0].astype(np.float64)
    expected = np.exp(logits - logits.max())
    expected *= number / expected.sum()
    counts = np.bincount(firsts, minlength=events.NUM_TOKENS)
    often = expected > 20
    statistic = ((counts[often] - expected[often]) ** 2 / expected[often]).sum()
    assert statistic < often.sum() + 5 * np.sqrt(2 * often.sum())


def test_a_primer_as_long_as_what_is_wanted_is_refused(model):
    with pytest.raises(UsageError, match="the primer has 3 steps"):
        generate(model, PRIMER, GenerationOptions(num_outputs=1, num_steps=3))


def test_a_model_that_ends_no_step_is_told_of(model, monkeypatch):
    weights = {**model.weights, "output/bias": model.weights["output/bias"].copy()}
    weights["output/bias"][events.STEP_END] = -100
    from etude.models.model import Model

    endless = Model(model.configuration, weights, model.path)
    with pytest.raises(EtudeError, match="do not come to an end"):
        generate(endless, None, GenerationOptions(num_outputs=1, num_steps=4))


@pytest.mark.parametrize("name", ["one_drum", "drum_kit"])
@pytest.mark.parametrize("search", SEARCHES)
def test_drums(magenta_model, name, search):
    model = magenta_model(name)
    found = generate(model, [[36], [], [42]], GenerationOptions(num_steps=20, seed=3, **SEARCHES[search]))
    for sequence in found:
        assert len(sequence.tokens) == 20
        assert sequence.tokens[:3].tolist() == model.domain.parse([[36], [], [42]]).tolist()
        assert sequence.log_likelihood == pytest.approx(model.log_likelihood([sequence.tokens])[0], rel=1e-5)
