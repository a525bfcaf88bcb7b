"""A representation of a test's own goes through convert and dataset without a line changed elsewhere."""

import json
import pathlib
import sys

import pytest

from etude.models.errors import UsageError
from etude.models.representations.registry import make_representation
from etude.models.representations.vocabulary import UNKNOWN, Vocabulary
from etude.models.storage.records import read_records
from etude.pipelines.convert import convert
from etude.pipelines.dataset import create_dataset
from etude.pipelines.files.file_systems import open_to_read
from etude.pipelines.readers.notes import read_texts

NAME = "toy_representation:Letters"


@pytest.fixture
def toy(monkeypatch):
    monkeypatch.syspath_prepend(str(pathlib.Path(__file__).parent))
    yield
    sys.modules.pop("toy_representation", None)


@pytest.mark.usefixtures("toy")
def test_letters_of_tunes(music_folder, tmp_path):
    convert([str(music_folder)], tmp_path / "notes")
    description = create_dataset([tmp_path / "notes"], tmp_path / "letters", representation=NAME, eval_ratio=0.3)
    melodies = create_dataset([tmp_path / "notes"], tmp_path / "melodies", eval_ratio=0.3)
    assert description.pieces_fingerprint == melodies.pieces_fingerprint
    assert description.representation.name == "letters"
    assert dict(description.representation.options) == {"max_tokens": "1000"}
    # Pieces that were not written as ABC.
    assert dict(description.rejected) == {"no-notes": 10}
    vocabulary = Vocabulary(tuple(description.representation.vocabulary))
    assert vocabulary.symbols[:2] == (UNKNOWN, "<end>")
    assert json.loads((tmp_path / "letters" / "dataset.json").read_text())["representation"]["unit"] == "character"
    letters = make_representation(NAME, description.representation.options)
    texts = {text.id: text for path in (tmp_path / "notes").glob("texts-*") for text in read_texts(str(path))}
    seen, train_symbols = 0, set()
    for split in description.splits:
        for name in split.files:
            for record in read_records(tmp_path / "letters" / name, open_to_read):
                sequence = letters.decode(record)
                text = texts[sequence.source]
                assert letters.render(sequence.tokens, vocabulary) == text.text[text.bar_starts[0] :]
                assert sequence.attributes == {"bars": len(text.bar_starts)}
                seen += 1
                if split.name == "train":
                    train_symbols |= set(vocabulary.decode(sequence.tokens))
    assert seen == sum(split.num_melodies for split in description.splits) == 142
    assert train_symbols == set(vocabulary.symbols) - {UNKNOWN}


@pytest.mark.usefixtures("toy")
def test_what_a_representation_cannot_do_is_said(music_folder, tmp_path):
    convert([str(music_folder / "mixed.abc")], tmp_path / "notes")
    with pytest.raises(UsageError, match="letters"):
        create_dataset([tmp_path / "notes"], tmp_path / "out", representation=NAME, format="magenta", config="basic")
    with pytest.raises(UsageError, match="no representation 'nothing'"):
        create_dataset([tmp_path / "notes"], tmp_path / "out", representation="nothing")
    assert not (tmp_path / "out").exists()
