import json
import re
from dataclasses import replace

import numpy as np
import pytest

from etude.models.dataset import read_sequences
from etude.models.errors import EtudeError, UsageError
from etude.models.generation import GenerationOptions
from etude.models.registry import make_domain
from etude.models.storage.run_directory import RunDirectory
from etude.pipelines.listening.answers import read_key
from etude.pipelines.rendering.midi import to_midi
from etude.pipelines.rendering.music import melody_music
from etude.pipelines.studies.budget import FILE, FIRST_TRIAL_STEPS, steps_within
from etude.pipelines.studies.file import BUILT_IN, find_study, key_lines, read_study
from etude.pipelines.studies.steps import Finished, shares
from etude.pipelines.studies.study import run_study

STUDY = """\
title = "A small study"
question = "Which is better?"
sources = ["{music}"]
seeds = [0]
num_steps = 12
eval_every = 6

[dataset]
eval_ratio = 0.3

[hparams]
batch_size = 4
rnn_layer_sizes = [8]
learning_rate = 0.02

[configurations.basic]
[configurations.wide]
config = "basic"
title = "Basic, wider"
hparams = {{ rnn_layer_sizes = [12] }}

[generate]
num_outputs = 2
num_steps = 32
primer_melody = [60, -2]

[published.basic]
accuracy = 0.5
path_log_likelihood = -20.0
"""


@pytest.fixture(scope="session")
def study_file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    music = folder / "music"
    music.mkdir()
    random = np.random.default_rng(0)
    for number in range(30):
        pitches = 60 + np.array([0, 2, 4, 5, 7, 9, 11, 12])[random.integers(8, size=64)]
        events = np.full(128, -2)
        events[::2] = pitches
        (music / f"{number:02}.mid").write_bytes(to_midi(melody_music(events, steps_per_quarter=4, steps_per_bar=16)))
    path = folder / "small.toml"
    path.write_text(STUDY.format(music=music))
    return path


class Killed(BaseException):
    """Ends a study in the middle."""


def run(study_file, output, stop_at=None):
    """Runs the study; `stop_at` is a pattern of the progress at which it is killed."""
    reported = []

    def progress(done, total, note=""):
        reported.append((done / total, note))
        if stop_at and re.search(stop_at, note):
            raise Killed

    return run_study(read_study(study_file), output, command="etude study small.toml", progress=progress), reported


@pytest.fixture(scope="session")
def finished(study_file, tmp_path_factory):
    output = tmp_path_factory.mktemp("finished")
    report, reported = run(study_file, output)
    return output, report, reported


def test_everything_is_there(finished):
    output, report, _ = finished
    assert report == output / "report.html"
    runs = ["basic-seed0", "wide-seed0"]
    assert sorted(path.name for path in (output / "runs").iterdir()) == runs
    assert sorted(path.name for path in (output / "generated").iterdir()) == runs
    for name in runs:
        assert len(list((output / "generated" / name).glob("*.mid"))) == 2
    results = json.loads((output / "results.json").read_text())
    assert [configuration["name"] for configuration in results["configurations"]] == ["basic", "wide"]
    assert [configuration["title"] for configuration in results["configurations"]] == ["Basic RNN", "Basic, wider"]
    assert results["command"] == "etude study small.toml"
    assert results["published"]["basic"]["accuracy"] == 0.5
    assert {generated_set["name"] for generated_set in results["music"][0]["sets"]} == {
        "eval",
        "train",
        "basic",
        "wide",
    }
    assert "Which is better?" in report.read_text()


def test_a_listening_test_stands_beside_the_report(finished):
    """As many pieces as the runs made, which last four seconds; the real tunes are of the eval split."""
    output, *_ = finished
    key = read_key(output / "listening")
    assert key.models == ("basic", "wide")
    assert (output / "listening" / "listen.html").is_file()
    clips = [clip for trial in key.trials for clip in trial.clips]
    assert sorted(clip.source for clip in clips if clip.source in key.models) == ["basic"] * 2 + ["wide"] * 2
    sources = set(read_sequences(output / "dataset", "eval").sources)
    assert {clip.name for clip in clips if clip.source == "real"} <= sources
    assert 3 <= key.seconds <= 4


def test_progress_covers_the_whole_study(finished):
    _, _, reported = finished
    places = [place for place, _ in reported]
    assert places == sorted(places)
    assert places[-1] == 1.0
    assert any(note.startswith("3/7 training basic-seed0: loss") for _, note in reported)


def test_again_does_nothing(study_file, finished):
    output, *_ = finished
    before = {
        path: path.stat().st_mtime_ns for path in output.rglob("*") if path.is_file() and "study" not in path.name
    }
    run(study_file, output)
    assert before == {path: path.stat().st_mtime_ns for path in before}


def test_killed_at_three_moments_and_started_again(study_file, finished, tmp_path):
    whole, *_ = finished
    for moment in ("training basic-seed0: loss", "training wide-seed0: loss", "comparing: evaluating"):
        with pytest.raises(Killed):
            run(study_file, tmp_path, stop_at=moment)
        assert not (tmp_path / "report.html").exists()
    run(study_file, tmp_path)
    again = (tmp_path / "results.json").read_text().replace(str(tmp_path), str(whole))
    assert again == (whole / "results.json").read_text()


def test_runs_at_once_are_the_runs_one_after_another(study_file, finished, tmp_path):
    whole, *_ = finished
    reported = []
    run_study(
        read_study(study_file),
        tmp_path,
        command="etude study small.toml",
        parallel=2,
        progress=lambda done, total, note="": reported.append((done / total, note)),
    )
    checkpoints = sorted(path.relative_to(whole) for path in whole.glob("runs/*/checkpoints/*.npz"))
    assert len(checkpoints) >= 4
    for path in checkpoints:
        assert (whole / path).read_bytes() == (tmp_path / path).read_bytes()
    again = (tmp_path / "results.json").read_text().replace(str(tmp_path), str(whole))
    assert again == (whole / "results.json").read_text()
    assert [share for share, _ in reported] == sorted(share for share, _ in reported)
    assert {"basic-seed0", "wide-seed0"} <= {note.split()[2].rstrip(":") for _, note in reported if "training" in note}


@pytest.mark.parametrize("parallel", [1, 2])
def test_a_run_that_fails_does_not_stop_the_others(study_file, tmp_path, parallel):
    path = tmp_path / "failing.toml"
    wide, narrow = "hparams = { rnn_layer_sizes = [12] }", "hparams = { learning_rate = 1e38 }"
    assert wide in study_file.read_text()
    path.write_text(study_file.read_text().replace(wide, narrow).replace("[configurations.basic]", "", 1))
    path.write_text(path.read_text().replace("[published.basic]", "[configurations.basic]\n[published.basic]"))
    study = read_study(path)
    assert list(study.runs()) == ["wide-seed0", "basic-seed0"]
    reason = "1 of 2 training runs failed; the others are finished.*\n  wide-seed0: the loss is "
    with pytest.raises(EtudeError, match=reason):
        run_study(study, tmp_path / "output", parallel=parallel)
    assert (tmp_path / "output" / "runs" / "basic-seed0" / "checkpoints" / "step-00000012.npz").is_file()
    assert not (tmp_path / "output" / "report.html").exists()


def test_a_number_of_runs_at_once(study_file, tmp_path):
    with pytest.raises(UsageError, match="--parallel must be at least 1, not 0"):
        run_study(read_study(study_file), tmp_path, parallel=0)


def test_a_new_configuration_trains_nothing_else(study_file, finished, tmp_path):
    output, *_ = finished
    changed = tmp_path / "more.toml"
    changed.write_text(study_file.read_text().replace("num_outputs = 2", "num_outputs = 1"))
    checkpoints = {path: path.stat().st_mtime_ns for path in output.glob("runs/*/checkpoints/*")}
    assert checkpoints
    run(changed, output)
    assert checkpoints == {path: path.stat().st_mtime_ns for path in checkpoints}
    assert len(list((output / "generated" / "wide-seed0").glob("*.mid"))) == 1
    run(study_file, output)


def test_a_beam_that_finds_fewer_melodies_than_are_wanted(study_file, finished, tmp_path):
    """Known after training alone, so that the study goes on with what there is."""
    output, *_ = finished
    changed = tmp_path / "beam.toml"
    wanted = 'search = "beam"\nbeam_size = 60\nnum_outputs = 60\nnum_steps = 3'
    changed.write_text(study_file.read_text().replace("num_outputs = 2\nnum_steps = 32", wanted))
    said = []
    run_study(read_study(changed), output, say=said.append)
    found = len(list((output / "generated" / "wide-seed0").glob("*.mid")))
    assert 1 < found < 60
    assert f"wide-seed0: a beam search found only {found} different melodies where the study asks for 60" in said
    run(study_file, output)


@pytest.mark.parametrize("name", BUILT_IN)
def test_built_in_studies_are_valid(name):
    study = read_study(find_study(name))
    assert study.num_steps > 0 or study.num_epochs > 0
    assert all(source.startswith("corpus:") for source in study.sources) or name == "piano"
    if name.startswith("abc-") or name == "folk-rnn":
        assert 0 < study.expected_minutes <= 60
        assert len(study.seeds) == 3
        floor = next(one.configuration for one in study.configurations if one.name == study.floor)
        assert (floor.config, floor.hyperparameters.order) == ("ngram", 5)
        large = read_study(find_study(name), is_large=True)
        assert large.num_epochs > study.num_epochs
        assert large.expected_minutes > study.expected_minutes
    elif name in ("chorales", "piano"):
        assert 0 < study.expected_minutes <= 60
        assert len(study.seeds) == 3
        assert set(study.datasets()) == {
            one.configuration.representation for one in study.configurations if one.configuration.config != "ngram"
        }
        assert read_study(find_study(name), is_large=True).expected_minutes > study.expected_minutes
    else:
        used = {configuration.configuration.config for configuration in study.configurations}
        assert {"basic", "lookback", "attention"} & used
        others = {
            "magenta-all": {"basic-improv", "attention-improv", "chord-pitches-improv"},
            "representations": {"abc-characters", "abc-tokens"},
        }
        assert used <= {"basic", "lookback", "attention", "mono"} | others.get(name, set())


def test_models_over_chords_are_compared_with_those_of_melodies_alone():
    study = read_study(find_study("magenta-all"))
    assert list(study.datasets()) == ["lead_sheet"]
    domains = {make_domain(replace(one.configuration, representation="lead_sheet")) for one in study.configurations}
    assert len(domains) == 1


def test_a_key_that_is_none_is_refused(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text("sources = ['corpus:bach']\nnum_steps = 1\n[configurations.basic]\nkey = 'H'\n")
    with pytest.raises(EtudeError, match="line 4: key takes the name of a major key"):
        read_study(path)


def test_the_published_study():
    study = read_study(find_study("published"))
    assert study.num_steps == 200
    assert study.split_rule.eval_ratio == 0.1
    assert study.generation == GenerationOptions(num_outputs=10, num_steps=128)
    losses = [study.published[configuration.name]["loss"] for configuration in study.configurations]
    assert losses == [1.675, 3.649, 2.190]


def test_the_study_of_representations_takes_the_same_tunes_for_all():
    study = read_study(find_study("representations"))
    assert study.exact_tunes
    assert list(study.datasets()) == ["abc_characters", "abc_tokens", "melody"]
    assert not read_study(find_study("demo")).exact_tunes


def test_distances_in_bars():
    units = {
        configuration.name: configuration.configuration.hyperparameters.lookback_unit
        for configuration in read_study(find_study("bars")).configurations
        if configuration.name != "mono"
    }
    assert units["lookback"] == "steps"
    assert units["lookback-bars"] == units["attention-bars"] == "bars"


@pytest.mark.parametrize(
    ("before", "after", "line", "message"),
    [
        (
            "num_steps = 12",
            "num_stepz = 12",
            5,
            "unknown key 'num_stepz'; did you mean 'num_steps'\\? the valid ones are: title, question",
        ),
        ("num_steps = 12", 'num_steps = "12"', 5, "num_steps takes a whole number, not '12'"),
        ("num_steps = 12", "num_steps = 0", 5, "must be from 1 to 99999999, not 0"),
        ("num_steps = 12", "num_epochs = -1", 5, "--num-epochs must be from 0 to"),
        ("eval_every = 6", "eval_every = 0", 6, "eval_every = 0, once an epoch, goes with num_epochs"),
        ("eval_every = 6", 'floor = "bacic"', 6, "there is no configuration 'bacic'; did you mean 'basic'"),
        ("eval_every = 6", 'contrasts = [["basic"]]', 6, "contrasts takes a list of pairs of texts"),
        (
            'config = "basic"',
            'config = "basic"\nas_many_parameters_as = "wide"',
            19,
            "there is no configuration 'wide'; those known here are: basic",
        ),
        (
            "[generate]",
            "[sweeps.size]\nvalues = [{ rnn_layer_sizes = [3] }]\n[generate]",
            22,
            r"a sweep takes values = \[\{ NAME = VALUE \}, ...\] of two settings or more",
        ),
        ("[generate]", "[sweeps.size]\nvalues = [{ size = 3 }]\n[generate]", 23, "unknown hyperparameter 'size'"),
        (
            "[generate]",
            "[samplings]\nsettings = [{ temperature = 1000 }]\n[generate]",
            23,
            "--temperature must be from 0.01 to 10, not 1000",
        ),
        ("num_steps = 12", "num_steps = 12\nminutes = 3.0", 1, "one of num_steps, num_epochs and minutes"),
        ("seeds = [0]", "seeds = [0, 0]", 4, "none twice"),
        ("eval_ratio = 0.3", "exact_tunes = 1", 9, "exact_tunes takes true or false, not 1"),
        ("eval_ratio = 0.3", "eval_ratio = 1.5", 8, "--eval-ratio must be from 0"),
        (
            "batch_size = 4",
            "batchsize = 4",
            12,
            "unknown hyperparameter 'batchsize'; did you mean 'batch_size'\\? the valid ones",
        ),
        (
            'config = "basic"',
            'config = "basics"',
            18,
            "unknown configuration 'basics'; did you mean 'basic'\\? choose one of: basic",
        ),
        (
            "num_outputs = 2",
            "num_output = 2",
            23,
            r"unknown key 'num_output' in \[generate\]; did you mean 'num_outputs'\? the valid ones are: num",
        ),
        ("primer_melody = [60, -2]", "primer_melody = [60, 200]", 25, "event 200 at step 1 is outside"),
        ("num_steps = 32", "num_steps = 2", 25, "the primer needs from 1 to 1 events, not 2"),
        ("[configurations.wide]", '[configurations."../wide"]', 17, "cannot name a configuration"),
        ("num_outputs = 2", "num_outputs = 0", 22, "must be from 1 to 1000000, not 0"),
        ("num_steps = 12", 'num_steps = 12\nsplit = "valid"', 6, "split must be one of train, eval, not 'valid'"),
        ("num_steps = 12", 'num_steps = 12\nsplit = "test"', 6, "split must be one of train, eval, not 'test'"),
        ("num_steps = 12", 'num_steps = 12\ncheckpoint = "first"', 6, "checkpoint must be one of best, latest, 12"),
        ("num_steps = 12", "minutes = inf", 5, "minutes takes a number, not inf"),
        ("num_steps = 12", "minutes = 1e9", 5, "minutes must be above 0 and at most 1,000,000"),
        ("num_steps = 12", f"num_steps = 0x{'f' * 5000}", 5, "num_steps takes a whole number, not what is there"),
        ("seeds = [0]", "seeds = [-1]", 4, "--seed must be from 0 to"),
        ("eval_ratio = 0.3", "eval_ratio = 0", 9, "training needs an eval split"),
        ("num_outputs = 2", "num_outputs = 2\nqpm = 0", 24, "--qpm must be from 4 to 1000"),
        ("num_outputs = 2", "num_outputs = 2\ntemperature = nan", 24, "temperature takes a number, not nan"),
        (
            "[published.basic]",
            "[published.bassic]",
            27,
            "unknown key 'bassic'.*; did you mean 'basic'\\? the valid ones are: basic, wide",
        ),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path, before, after, line, message):
    path = tmp_path / "wrong.toml"
    assert before in STUDY
    path.write_text(STUDY.format(music="music").replace(before, after))
    with pytest.raises(EtudeError, match=rf"wrong\.toml, line {line}: .*{message}"):
        read_study(path)


def test_no_toml_and_no_file(tmp_path):
    (tmp_path / "bad.toml").write_text("title = \n")
    with pytest.raises(EtudeError, match=r"bad.toml is no valid TOML: .*line 1"):
        read_study(tmp_path / "bad.toml")
    (tmp_path / "deep.toml").write_text(f"title = {'[' * 5000}")
    with pytest.raises(EtudeError, match=r"deep.toml is no study: .*nested too deep"):
        read_study(tmp_path / "deep.toml")
    (tmp_path / "long.toml").write_text(f"num_steps = {'9' * 5000}")
    with pytest.raises(EtudeError, match=r"long.toml is no valid TOML"):
        read_study(tmp_path / "long.toml")
    with pytest.raises(EtudeError, match="no study file missing; built-in studies are: demo, published, bars"):
        find_study("missing")


def test_key_lines():
    text = '# comment\na = 1\n\n[b . "c"]\nd.e = 2\n"f" = [\n  3,\n]\n'
    assert key_lines(text) == {"a": 2, "b.c": 4, "b.c.d.e": 5, "b.c.f": 6}


def test_a_step_counts_once_it_ended(tmp_path):
    product = tmp_path / "product"

    def take(inputs, fails=False):
        finished = Finished(tmp_path, ["dataset"])
        with finished.step("one", inputs, [product]) as is_finished:
            product.touch()
            if fails:
                raise Killed
        return is_finished

    with pytest.raises(Killed):
        take(1, fails=True)
    assert not take(1)
    assert take(1)
    assert not take(2)
    product.unlink()
    assert not take(2)
    assert take(2)


def test_shares_of_progress():
    reported = []
    first, second = shares([1.0, 3.0], lambda done, total, note="": reported.append((done / total, note)))
    first("one")(1, 2, "half")
    second("two")(1, 3)
    first("one")(1, 4)
    first("one")(1, 1)
    assert reported == [
        (0.125, "1/2 one: half"),
        (0.375, "2/2 two"),
        (0.375, "1/2 one"),
        (0.5, "1/2 one"),
    ]


def metrics_line(split, step, wall_time):
    return {"split": split, "step": step, "label": {"loss": 1.0}, "event": {"loss": 1.0}, "wall_time": wall_time}


def test_a_budget_is_settled_once(tmp_path):
    """Half a second a step and three an evaluation; starting takes long, and the machine is busy once."""
    run = RunDirectory(tmp_path)
    calls, lines, clock = [], [], [1000.0]

    def train_until(num_steps):
        calls.append(num_steps)
        clock[0] += 40.0
        step = lines[-1]["step"] if lines else 0
        while step < num_steps:
            step += 1
            clock[0] += 30.5 if step == 33 else 0.5
            if step % 10 == 0 or step == num_steps:
                lines.append(metrics_line("train", step, clock[0]))
            if step % 25 == 0 or step == num_steps:
                clock[0] += 3.0
                lines.append(metrics_line("eval", step, clock[0]))
        run.metrics.write_text("".join(json.dumps(line) + "\n" for line in lines))

    # 0.5 + 3 / 25 seconds a step.
    whole = int(600 / 0.62)
    assert steps_within(10.0, run, 25, train_until) == pytest.approx(whole, abs=1)
    assert calls == [FIRST_TRIAL_STEPS, max(80, whole // 10)]
    assert steps_within(10.0, run, 25, train_until) == pytest.approx(whole, abs=1)
    assert calls == [FIRST_TRIAL_STEPS, max(80, whole // 10)]
    (tmp_path / FILE).write_text("many\n")
    with pytest.raises(EtudeError, match="damaged"):
        steps_within(10.0, run, 25, train_until)


def test_no_budget_is_too_small(tmp_path):
    run = RunDirectory(tmp_path)
    lines = [*(metrics_line("train", step, 10.0 * step) for step in (10, 20)), metrics_line("eval", 20, 210.0)]
    run.metrics.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert steps_within(0.01, run, 50, lambda _: None) == FIRST_TRIAL_STEPS


def test_a_budget_in_minutes(study_file, tmp_path):
    path = tmp_path / "minutes.toml"
    path.write_text(study_file.read_text().replace("num_steps = 12", "minutes = 0.005", 1))
    with pytest.raises(Killed):
        run(path, tmp_path / "output", stop_at="training wide-seed0: measuring")
    settled = (tmp_path / "output" / "runs" / "basic-seed0" / FILE).read_text()
    _, reported = run(path, tmp_path / "output")
    assert (tmp_path / "output" / "runs" / "basic-seed0" / FILE).read_text() == settled
    results = json.loads((tmp_path / "output" / "results.json").read_text())
    assert len(results["configurations"]) == 2
    assert any("measuring the speed" in note for _, note in reported)
    shares_done = [share for share, note in reported if "wide-seed0: measuring" in note]
    assert len(set(shares_done)) == 1
