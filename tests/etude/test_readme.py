"""README's example of the Python calls, run as it stands where there is a run of that name."""

import pathlib
import re
from typing import Any

import pytest

README = pathlib.Path(__file__).parents[2] / "README.md"


def test_the_python_example(workshop, monkeypatch):
    (example,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    monkeypatch.chdir(workshop.folder)
    names: dict[str, Any] = {}
    exec(example, names)
    model, melodies = names["model"], names["melodies"]
    assert model.configuration.config == "lookback"
    assert [len(melody.events) for melody in melodies] == [64] * 3
    assert melodies[0].events[:4].tolist() == [60, -2, 62, -2]
    likelihoods = model.log_likelihood([melody.events for melody in melodies], squash=False)
    assert [melody.log_likelihood for melody in melodies] == pytest.approx(likelihoods, rel=1e-5)
    assert max(likelihoods) < 0
