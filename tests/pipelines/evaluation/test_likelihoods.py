"""What is reported of a generated melody is what the model, and `score` without squash, say of its events."""

import pathlib

import pytest

from etude.models.generation import GenerationOptions, generate
from etude.models.melodies.melody import Melody, as_events
from etude.models.model import Model, load
from etude.models.registry import families_of, family
from etude.models.search.constraints import Constraints
from etude.models.sequences.domain import MELODY
from etude.pipelines.evaluation.score import score
from etude.pipelines.generation.generate import read_generated, write_melodies

BUNDLES = pathlib.Path(__file__).parents[2] / "testdata" / "magenta"
PRIMER = [62, -2, 66, -2, 69, -1]
STEPS = 28

SEARCHES = {
    "sampling": {"num_outputs": 3},
    "stochastic beam": {"num_outputs": 2, "beam_size": 3, "branch_factor": 2, "steps_per_iteration": 2},
    "top-k": {"num_outputs": 2, "top_k": 4},
    "nucleus": {"num_outputs": 2, "top_p": 0.7},
    "beam": {"num_outputs": 3, "search": "beam", "beam_size": 5},
    "greedy": {"num_outputs": 1, "search": "greedy"},
}
CONSTRAINTS = {
    "free": Constraints(),
    "range": Constraints(min_pitch=57, max_pitch=69),
    "scale": Constraints(pitch_classes=(2, 4, 6, 7, 9, 11, 1)),
    "no rests": Constraints(note_offs=False),
    "ending": Constraints(final_pitch_class=2),
    "all": Constraints(57, 74, (2, 4, 6, 9, 11), note_offs=False, final_pitch_class=2),
}


@pytest.fixture(scope="module", params=[name for name in families_of(MELODY) if family(name).counting is None])
def model(request) -> Model:
    return load(BUNDLES / f"{request.param}_rnn" / "bundle.mag")


@pytest.mark.parametrize("constraints", CONSTRAINTS)
@pytest.mark.parametrize("temperature", [0.6, 1.0, 1.8])
@pytest.mark.parametrize("search", SEARCHES)
def test_every_search_temperature_constraint_and_family(model, search, temperature, constraints, tmp_path):
    options = GenerationOptions(
        num_steps=STEPS, seed=3, temperature=temperature, constraints=CONSTRAINTS[constraints], **SEARCHES[search]
    )
    write_melodies(model, generate(model, PRIMER, options), options, tmp_path)
    lines = read_generated(tmp_path / "generated.jsonl")
    assert len(lines) == options.num_outputs
    primers = [line["events"][: line["num_primer_events"]] for line in lines]
    for prefix, lists in (("", [line["events"] for line in lines]), ("primer_", primers)):
        likelihoods = model.log_likelihood(lists, squash=False)
        scores = score(model, [Melody(as_events(events)) for events in lists], squash=False)
        for line, likelihood, scored in zip(lines, likelihoods, scores, strict=True):
            assert line[f"{prefix}log_likelihood"] == pytest.approx(likelihood, rel=1e-5, abs=1e-4)
            assert line[f"{prefix}log_likelihood"] == pytest.approx(scored["log_likelihood"], rel=1e-5, abs=1e-4)
            reported = line[f"{prefix}event_log_likelihood"]
            assert reported == pytest.approx(scored["event_log_likelihood"], rel=1e-5, abs=1e-4)
    for line in lines:
        sampled = options.search == "stochastic"
        assert (line["path_log_likelihood"] is not None) == sampled
        if not sampled or temperature != 1.0:
            continue
        # Without temperature a path is at most all paths to its events; without repeat labels it is the only one.
        path = line["primer_event_log_likelihood"] + line["path_log_likelihood"]
        assert path <= line["event_log_likelihood"] + 1e-3
        if not model.encoding.num_aliases:
            assert path == pytest.approx(line["log_likelihood"], rel=1e-5, abs=1e-3)
