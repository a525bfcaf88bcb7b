"""Scalars and hyperparameters for TensorBoard, without TensorFlow."""

import os
import pathlib
import socket
from collections.abc import Mapping
from typing import Any

from models.records import frame


class EventWriter:
    """Writes one event file; every call reaches the disk at once."""

    def __init__(self, folder: pathlib.Path, start_time: float) -> None:
        """Starts a new event file.

        Args:
          folder: the TensorBoard run; event files already there are removed, since this one replaces them.
          start_time: seconds since 1970, part of the file's name.
        """
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("events.out.tfevents.*"):
            old.unlink()
        name = f"events.out.tfevents.{int(start_time)}.{socket.gethostname()}.{os.getpid()}"
        self._file = (folder / name).open("wb", buffering=0)
        self._write(start_time, file_version="brain.Event:2")

    def scalars(self, step: int, wall_time: float, values: Mapping[str, float]) -> None:
        """Writes scalars by tag at a step."""
        from tensorboard.compat.proto.summary_pb2 import Summary

        summary = Summary(value=[Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()])
        self._write(wall_time, step=step, summary=summary)

    def hyperparameters(self, group: str, values: Mapping[str, Any], wall_time: float) -> None:
        """Writes what the HParams plugin shows beside the scalars of this run.

        Args:
          group: runs of one group are repetitions of each other; also the name of the row.
          values: hyperparameters by name: numbers or words.
          wall_time: seconds since 1970.
        """
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.plugins.hparams import metadata, plugin_data_pb2

        start = plugin_data_pb2.SessionStartInfo(group_name=group, start_time_secs=wall_time)
        for name, value in values.items():
            if isinstance(value, str):
                start.hparams[name].string_value = value
            else:
                start.hparams[name].number_value = value
        content = plugin_data_pb2.HParamsPluginData(version=metadata.PLUGIN_DATA_VERSION, session_start_info=start)
        self._hparams_value(Summary, metadata.SESSION_START_INFO_TAG, metadata.PLUGIN_NAME, content, wall_time)
        end = plugin_data_pb2.SessionEndInfo(status="STATUS_SUCCESS", end_time_secs=wall_time)
        content = plugin_data_pb2.HParamsPluginData(version=metadata.PLUGIN_DATA_VERSION, session_end_info=end)
        self._hparams_value(Summary, metadata.SESSION_END_INFO_TAG, metadata.PLUGIN_NAME, content, wall_time)

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def _hparams_value(self, summary: Any, tag: str, plugin: str, content: Any, wall_time: float) -> None:
        message = summary()
        value = message.value.add(tag=tag)
        value.metadata.plugin_data.plugin_name = plugin
        value.metadata.plugin_data.content = content.SerializeToString()
        self._write(wall_time, summary=message)

    def _write(self, wall_time: float, **fields: Any) -> None:
        from tensorboard.compat.proto.event_pb2 import Event

        self._file.write(frame(Event(wall_time=wall_time, **fields).SerializeToString()))
