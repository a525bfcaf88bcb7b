"""Scalars, pictures, sounds and hyperparameters for TensorBoard.

TensorBoard's own messages, in the frames of TFRecord files. Its own writer would import TensorFlow wherever that is
installed, and computes checksums in Python, which takes longer than making the sounds does.
"""

import dataclasses
import io
import os
import pathlib
import socket
import wave
from collections.abc import Mapping, Sequence
from typing import Any

from etude.models.configuration import Configuration
from etude.models.storage.files import explain_write_errors
from etude.models.storage.records import frame

DESCRIPTIONS = {
    "loss": "Nats a step over the labels of the encoding; not comparable between encodings.",
    "metrics/perplexity": "exp(loss); not comparable between encodings.",
    "metrics/accuracy": "Share of the steps whose most probable label is the true one.",
    "metrics/event_accuracy": "Accuracy at the steps whose true label is another than “no event”.",
    "metrics/no_event_accuracy": "Accuracy at the steps whose true label is “no event”.",
    "metrics/mean_inverse_probability": "What Magenta called perplexity until 2017.",
    "event/loss": "Nats a step over events: the labels that mean one event are added up. Compares and ranks.",
    "event/perplexity": "exp(event loss).",
    "event/accuracy": "Share of the steps whose most probable event is the true one.",
    "event/log_likelihood": "Nats a melody, over events.",
    "event/bits_per_step": "The event loss in bits.",
    "event/bits_per_note": "Bits over events, divided by the number of notes that begin.",
    "token/loss": "Nats a token.",
    "token/perplexity": "exp(token loss).",
    "token/accuracy": "Share of the tokens that were the most probable ones.",
    "token/log_likelihood": "Nats a sequence.",
    "log_likelihood": "Nats a melody over labels; Magenta's melody_log_likelihood.",
    "learning_rate": "Of the optimiser, at this step.",
    "events_per_second": "Events trained on in a second, padding not counted.",
    "epoch": "How often the training split has been gone through.",
}
"""What the scalars are that training and evaluation write, by tag."""


def shown_hyperparameters(configuration: Configuration, seed: int | None) -> dict[str, Any]:
    """What the HParams page shows of a model: family, seed where it is known, hyperparameters; numbers or words."""
    values = dataclasses.asdict(configuration.hyperparameters)
    shown = {name: str(value) if isinstance(value, tuple) else value for name, value in values.items()}
    return {"config": configuration.config, **({} if seed is None else {"seed": seed}), **shown}


class EventWriter:
    """Writes one event file; every call reaches the disk at once."""

    def __init__(self, folder: pathlib.Path, start_time: float) -> None:
        """Starts a new event file.

        Args:
          folder: the TensorBoard run; event files already there are removed, since this one replaces them.
          start_time: seconds since 1970, part of the file's name.

        Raises:
          EtudeError: if the folder cannot be written to; every other call, too.
        """
        name = f"events.out.tfevents.{int(start_time)}.{socket.gethostname()}.{os.getpid()}"
        self._path = folder / name
        with explain_write_errors(self._path):
            folder.mkdir(parents=True, exist_ok=True)
            for old in folder.glob("events.out.tfevents.*"):
                old.unlink()
            self._file = self._path.open("wb", buffering=0)
        self._described: set[str] = set()
        self._write(start_time, file_version="brain.Event:2")

    def scalars(
        self, step: int, wall_time: float, values: Mapping[str, float], descriptions: Mapping[str, str] = DESCRIPTIONS
    ) -> None:
        """Writes scalars by tag at a step; a tag's description goes with its first value."""
        from tensorboard.compat.proto.summary_pb2 import Summary

        summary = Summary()
        for tag, scalar in values.items():
            value = summary.value.add(tag=tag, simple_value=scalar)
            self._describe(value, descriptions.get(tag, ""))
        self._write(wall_time, step=step, summary=summary)

    def picture(
        self, step: int, wall_time: float, tag: str, png: bytes, width: int, height: int, description: str = ""
    ) -> None:
        """Writes a PNG picture of `width` by `height` pixels at a step."""
        from tensorboard.compat.proto.summary_pb2 import Summary

        image = Summary.Image(width=width, height=height, colorspace=4, encoded_image_string=png)
        summary = Summary(value=[Summary.Value(tag=tag, image=image)])
        self._describe(summary.value[0], description)
        self._write(wall_time, step=step, summary=summary)

    def sound(self, step: int, wall_time: float, tag: str, wav: bytes, description: str = "") -> None:
        """Writes a WAV file of one channel at a step."""
        from tensorboard.compat.proto.summary_pb2 import Summary

        with wave.open(io.BytesIO(wav)) as file:
            audio = Summary.Audio(
                sample_rate=file.getframerate(),
                num_channels=file.getnchannels(),
                length_frames=file.getnframes(),
                encoded_audio_string=wav,
                content_type="audio/wav",
            )
        summary = Summary(value=[Summary.Value(tag=tag, audio=audio)])
        self._describe(summary.value[0], description)
        self._write(wall_time, step=step, summary=summary)

    def experiment(
        self,
        hyperparameters: Mapping[str, Sequence[Any]],
        metrics: Mapping[str, tuple[str, str]],
        wall_time: float,
    ) -> None:
        """Writes which columns the HParams page has; without it the page shows every scalar of every run.

        Args:
          hyperparameters: the different values of each.
          metrics: title and description of the scalars that are shown, by tag.
          wall_time: seconds since 1970.
        """
        from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2

        experiment = api_pb2.Experiment(time_created_secs=wall_time)
        for name, values in hyperparameters.items():
            info = experiment.hparam_infos.add(name=name, type=api_pb2.DATA_TYPE_FLOAT64)
            if any(isinstance(value, str) for value in values):
                info.type = api_pb2.DATA_TYPE_STRING
                info.domain_discrete.extend(map(str, values))
            if "differs" in info.DESCRIPTOR.fields_by_name:  # TensorBoard shows such columns first, from 2.17 on
                info.differs = len(values) > 1
        for tag, (title, description) in metrics.items():
            name = api_pb2.MetricName(tag=tag)
            experiment.metric_infos.add(name=name, display_name=title, description=description)
        content = plugin_data_pb2.HParamsPluginData(version=metadata.PLUGIN_DATA_VERSION, experiment=experiment)
        self._hparams_value(metadata.EXPERIMENT_TAG, content, wall_time)

    def hyperparameters(self, group: str, values: Mapping[str, Any], wall_time: float) -> None:
        """Writes what the HParams plugin shows beside the scalars of this run.

        Args:
          group: runs of one group are repetitions of each other; also the name of the row.
          values: hyperparameters by name: numbers or words.
          wall_time: seconds since 1970.
        """
        from tensorboard.plugins.hparams import metadata, plugin_data_pb2

        start = plugin_data_pb2.SessionStartInfo(group_name=group, start_time_secs=wall_time)
        for name, value in values.items():
            if isinstance(value, str):
                start.hparams[name].string_value = value
            else:
                start.hparams[name].number_value = value
        content = plugin_data_pb2.HParamsPluginData(version=metadata.PLUGIN_DATA_VERSION, session_start_info=start)
        self._hparams_value(metadata.SESSION_START_INFO_TAG, content, wall_time)
        end = plugin_data_pb2.SessionEndInfo(status="STATUS_SUCCESS", end_time_secs=wall_time)
        content = plugin_data_pb2.HParamsPluginData(version=metadata.PLUGIN_DATA_VERSION, session_end_info=end)
        self._hparams_value(metadata.SESSION_END_INFO_TAG, content, wall_time)

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def _describe(self, value: Any, description: str) -> None:
        if description and value.tag not in self._described:
            value.metadata.summary_description = description
        self._described.add(value.tag)

    def _hparams_value(self, tag: str, content: Any, wall_time: float) -> None:
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.plugins.hparams import metadata

        message = Summary()
        value = message.value.add(tag=tag)
        value.metadata.plugin_data.plugin_name = metadata.PLUGIN_NAME
        value.metadata.plugin_data.content = content.SerializeToString()
        self._write(wall_time, summary=message)

    def _write(self, wall_time: float, **fields: Any) -> None:
        from tensorboard.compat.proto.event_pb2 import Event

        with explain_write_errors(self._path):
            self._file.write(frame(Event(wall_time=wall_time, **fields).SerializeToString()))
