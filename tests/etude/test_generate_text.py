"""`etude generate` with a model whose sequences are text."""

import json

import pytest

from etude.models.configuration import Configuration
from etude.models.ngram.hyperparameters import NgramHyperparameters
from etude.models.registry import family
from etude.models.sequences.sequence_set import SequenceSet
from etude.models.storage import run_pb2
from etude.models.storage.run_directory import RunDirectory, to_proto
from etude.models.training.counting import count_model

VOCABULARY = ("<start>", "A", "B", "|", "<end>")


@pytest.fixture
def letters(etude):
    configuration = Configuration(
        "ngram", hyperparameters=NgramHyperparameters(3), representation="letters", vocabulary=VOCABULARY
    )
    run = RunDirectory(etude.folder / "letters")
    run.write(run_pb2.Run(configuration=to_proto(configuration)))
    lists = SequenceSet.pack([[0, *([1, 2, 2, 3] * bars), 4] for bars in range(1, 6)])
    count_model(run, configuration, family("ngram").counting, lists, lists, seed=0)
    return run.path


def test_text_files_and_their_lines(etude, letters):
    words = ("generate", letters, "--output", "out", "--num-outputs", 3, "--seed", 2, "--num-steps", 40)
    done = etude(*words, "--primer-text", "AB")
    lines = [json.loads(text) for text in (etude.folder / "out" / "generated.jsonl").read_text().splitlines()]
    assert [line["file"] for line in lines] == [f"ngram-stochastic-seed2-0{number}.txt" for number in (1, 2, 3)]
    for line in lines:
        assert (etude.folder / "out" / line["file"]).read_text() == line["text"]
        assert line["text"].startswith("AB")
        assert line["text"] == "".join(VOCABULARY[token] for token in line["tokens"] if token not in (0, 4))
        assert line["num_primer_tokens"] == 3
        assert line["token_log_likelihood"] == pytest.approx(line["log_likelihood"])
    assert done.stderr.count("log-likelihood") == 3
    assert "makes text" in etude(*words, "--primer-melody", "[60]", status=2).stderr
