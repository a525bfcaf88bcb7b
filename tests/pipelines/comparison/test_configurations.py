import pathlib

from etude.models.configuration import pitch_range
from etude.models.hyperparameters import as_text
from etude.models.model import Model
from etude.models.registry import configure
from etude.models.storage import run_pb2
from etude.pipelines.comparison.configurations import Run, group
from etude.pipelines.comparison.presentation import Label


def run(name, seed=0, config="basic", num_steps=100, **overrides):
    configuration = configure(config, overrides)
    run = run_pb2.Run(seed=seed, num_steps=num_steps)
    run.configuration.config = config
    run.configuration.hyperparameters.values.update(as_text(configuration.hyperparameters))
    run.dataset.path = f"anywhere/{name}"
    return Run(pathlib.Path("runs") / name, Model(configuration, {}, pathlib.Path(name)), run)


def names(runs, labels=None):
    return {configuration.name: [run.path.name for run in configuration.runs] for configuration in group(runs, labels)}


def test_seeds_are_grouped_in_order():
    assert names([run("b", 1), run("c", 0, "lookback"), run("a", 0)]) == {
        "basic": ["a", "b"],
        "lookback": ["c"],
    }


def test_names_tell_what_differs():
    found = names([run("a"), run("b", batch_size=64), run("c", config="lookback", batch_size=64)])
    assert found == {"basic, batch_size=128": ["a"], "basic, batch_size=64": ["b"], "lookback": ["c"]}


def test_what_differs_in_much_is_called_after_its_folder():
    found = names([run("a"), run("b", num_steps=50, batch_size=64, learning_rate=0.01)])
    assert found == {"basic, a": ["a"], "basic, b": ["b"]}


def test_copies_stand_for_themselves():
    assert names([run("a"), run("b")]) == {"basic, a": ["a"], "basic, b": ["b"]}


def test_labels_name_and_group():
    label = Label("short", "A title")
    configurations = group([run("a", 0, num_steps=90), run("b", 1)], {"a": label, "b": label})
    assert [(configuration.name, configuration.title, len(configuration.runs)) for configuration in configurations] == [
        ("short", "A title", 2)
    ]


def test_bundles_are_called_after_their_folder():
    bundle = Run(pathlib.Path("basic_rnn/bundle.mag"), Model(configure("basic"), {}, pathlib.Path("x")), None)
    assert bundle.name == "basic_rnn/bundle.mag"
    assert bundle.seed is None
    assert names([bundle, run("a")]) == {"basic, basic_rnn/bundle.mag": ["bundle.mag"], "basic, a": ["a"]}


def test_pitch_ranges():
    assert pitch_range(configure("basic")) == pitch_range(configure("attention")) != pitch_range(configure("mono"))
    assert pitch_range(configure("basic")).name == "pitches 48 to 83, key 0"
    assert pitch_range(configure("mono")).name == "pitches 0 to 127, own key"
