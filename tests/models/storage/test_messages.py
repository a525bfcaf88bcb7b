import json

from google.protobuf import json_format

from etude.models.storage.dataset_pb2 import DatasetDescription
from etude.models.storage.messages import as_dict
from etude.models.storage.run_pb2 import Configuration


def test_every_field_is_there_and_numbers_stay_numbers():
    message = DatasetDescription(fingerprint="abc", num_pieces=2**40, transpositions=[-1, 0], rejected={"b": 1, "a": 2})
    message.splits.add(name="train", num_melodies=3, melodies_by_steps_per_bar={16: 2})
    values = as_dict(message)
    assert values["num_pieces"] == 2**40
    assert values["config"] == ""
    assert values["transpositions"] == [-1, 0]
    assert list(values["rejected"].items()) == [("a", 2), ("b", 1)]
    assert values["splits"][0]["melodies_by_steps_per_bar"] == {"16": 2}
    assert values["splits"][0]["num_notes"] == 0
    assert "split_rule" not in values
    assert json_format.Parse(json.dumps(values), DatasetDescription()) == message


def test_an_optional_field_is_there_if_it_was_set():
    assert "transpose_to_key" not in as_dict(Configuration())
    assert as_dict(Configuration(transpose_to_key=0))["transpose_to_key"] == 0
