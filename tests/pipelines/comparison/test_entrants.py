import pathlib

from etude.models.model import Model
from etude.models.registry import configure
from etude.models.storage import run_pb2
from etude.pipelines.comparison.entrants import Entrant, Space, group
from etude.pipelines.comparison.presentation import Label


def entrant(name, seed=0, config="basic", num_steps=100, **overrides):
    configuration = configure(config, overrides)
    run = run_pb2.Run(seed=seed, num_steps=num_steps)
    run.configuration.config = config
    run.configuration.hyperparameters.batch_size = configuration.hyperparameters.batch_size
    run.configuration.hyperparameters.learning_rate = configuration.hyperparameters.learning_rate
    run.dataset.path = f"anywhere/{name}"
    return Entrant(pathlib.Path("runs") / name, Model(configuration, {}, pathlib.Path(name)), run)


def names(entrants, labels=None):
    return {entry.name: [one.path.name for one in entry.entrants] for entry in group(entrants, labels)}


def test_seeds_are_grouped_in_order():
    assert names([entrant("b", 1), entrant("c", 0, "lookback"), entrant("a", 0)]) == {
        "basic": ["a", "b"],
        "lookback": ["c"],
    }


def test_names_tell_what_differs():
    found = names([entrant("a"), entrant("b", batch_size=64), entrant("c", config="lookback", batch_size=64)])
    assert found == {"basic, batch_size=128": ["a"], "basic, batch_size=64": ["b"], "lookback": ["c"]}


def test_what_differs_in_much_is_called_after_its_folder():
    found = names([entrant("a"), entrant("b", num_steps=50, batch_size=64, learning_rate=0.01)])
    assert found == {"basic, a": ["a"], "basic, b": ["b"]}


def test_copies_stand_for_themselves():
    assert names([entrant("a"), entrant("b")]) == {"basic, a": ["a"], "basic, b": ["b"]}


def test_labels_name_and_group():
    label = Label("short", "A title")
    entries = group([entrant("a", 0, num_steps=90), entrant("b", 1)], {"a": label, "b": label})
    assert [(entry.name, entry.title, len(entry.entrants)) for entry in entries] == [("short", "A title", 2)]


def test_bundles_are_called_after_their_folder():
    bundle = Entrant(pathlib.Path("basic_rnn/bundle.mag"), Model(configure("basic"), {}, pathlib.Path("x")), None)
    assert bundle.name == "basic_rnn/bundle.mag"
    assert bundle.seed is None
    assert names([bundle, entrant("a")]) == {"basic, basic_rnn/bundle.mag": ["bundle.mag"], "basic, a": ["a"]}


def test_spaces():
    assert Space.of(configure("basic")) == Space.of(configure("attention")) != Space.of(configure("mono"))
    assert Space.of(configure("basic")).name == "pitches 48 to 83, key 0"
    assert Space.of(configure("mono")).name == "pitches 0 to 127, own key"
