import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2

from etude.models.registry import configure
from etude.models.storage.tensorboard_events import EventWriter, shown_hyperparameters

START = 1_700_000_000.5


def read(folder):
    accumulator = EventAccumulator(str(folder))
    accumulator.Reload()
    return accumulator


def test_scalars(tmp_path):
    writer = EventWriter(tmp_path / "train", START)
    for step in (1, 2):
        writer.scalars(step, START + step, {"loss": 3.5 / step, "metrics/accuracy": 0.25 * step})
    writer.close()
    accumulator = read(tmp_path / "train")
    assert sorted(accumulator.Tags()["scalars"]) == ["loss", "metrics/accuracy"]
    assert [(event.wall_time, event.step, event.value) for event in accumulator.Scalars("loss")] == [
        (START + 1, 1, 3.5),
        (START + 2, 2, 1.75),
    ]
    assert accumulator.FirstEventTimestamp() == START


def test_every_call_reaches_the_disk_at_once(tmp_path):
    writer = EventWriter(tmp_path, START)
    writer.scalars(1, START, {"loss": 1.0})
    assert len(read(tmp_path).Scalars("loss")) == 1
    writer.close()


def test_a_new_writer_replaces_the_old_file(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    for value in (1.0, 2.0):
        writer = EventWriter(tmp_path, START + value)
        writer.scalars(1, START, {"loss": value})
        writer.close()
    assert [event.value for event in read(tmp_path).Scalars("loss")] == [2.0]
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_hyperparameters_are_a_session_of_the_hparams_plugin(tmp_path):
    values = {"config": "lookback", "batch_size": 64, "learning_rate": 0.001}
    writer = EventWriter(tmp_path, START)
    writer.hyperparameters("my run", values, START)
    writer.close()
    accumulator = read(tmp_path)
    content = accumulator.PluginTagToContent(metadata.PLUGIN_NAME)
    start = plugin_data_pb2.HParamsPluginData.FromString(content[metadata.SESSION_START_INFO_TAG])
    assert start.version == metadata.PLUGIN_DATA_VERSION
    info = start.session_start_info
    assert info.group_name == "my run"
    assert info.start_time_secs == START
    assert info.hparams["config"].string_value == "lookback"
    assert info.hparams["batch_size"].number_value == 64
    assert info.hparams["learning_rate"].number_value == pytest.approx(0.001)
    end = plugin_data_pb2.HParamsPluginData.FromString(content[metadata.SESSION_END_INFO_TAG])
    assert end.session_end_info.status == api_pb2.Status.Value("STATUS_SUCCESS")


def test_a_picture(tmp_path):
    writer = EventWriter(tmp_path, START)
    writer.picture(7, START + 1, "melodies/1", b"bytes of a picture", 40, 30)
    writer.close()
    (event,) = read(tmp_path).Images("melodies/1")
    assert (event.step, event.width, event.height) == (7, 40, 30)
    assert event.encoded_image_string == b"bytes of a picture"


def test_hyperparameters_of_a_model():
    configuration = configure("lookback", {"rnn_layer_sizes": [8, 4]})
    shown = shown_hyperparameters(configuration, seed=3)
    assert shown["config"] == "lookback"
    assert shown["seed"] == 3
    assert shown["rnn_layer_sizes"] == "(8, 4)"
    assert all(isinstance(value, (str, int, float)) for value in shown.values())
    assert "seed" not in shown_hyperparameters(configuration, seed=None)
