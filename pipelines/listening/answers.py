"""The answers of listeners, read from the files or the text that the page gave them."""

import dataclasses
import json
import pathlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from etude.models.errors import EtudeError
from etude.pipelines.listening.create import KEY_FILE
from etude.pipelines.listening.design import CHOICES, Key

FORMAT = "etude listening answers"
SUFFIXES = (".json", ".txt")
CONFIDENCES = (1, 2, 3)
MAX_BYTES = 1 << 22

_TOLERANCE = 0.1
"""Seconds that a browser's clock may be off."""


@dataclasses.dataclass(frozen=True)
class Answer:
    """A listener's answer to a trial.

    Attributes:
      choice: one of those of the kind of test.
      confidence: 1 (a guess) to 3 (very sure).
      known: whether the listener knows the tune, or one of a pair.
      is_heard: whether every clip was heard for the minimum.
    """

    choice: str
    confidence: int
    known: bool
    is_heard: bool


@dataclasses.dataclass(frozen=True)
class Sheet:
    """All answers of a listener, by the id of the trial."""

    listener: str
    answers: Mapping[str, Answer]

    def failed_catches(self, key: Key) -> int:
        """Catch trials that were answered wrongly."""
        return sum(trial.is_catch and self.answers[trial.id].choice != trial.answer for trial in key.trials)


@dataclasses.dataclass(frozen=True)
class SetAside:
    """A file that does not count, and why."""

    file: str
    reason: str


def read_key(path: pathlib.Path) -> Key:
    """The key of a test: its file, or the folder that holds it.

    Raises:
      EtudeError: if there is none, or it is damaged.
    """
    file = path / KEY_FILE if path.is_dir() else path
    try:
        return Key.from_json(_text(file), str(file))
    except (OSError, ValueError) as error:
        raise EtudeError(f"cannot read the key {file}: {error}; name the key.json of the test") from error


def find_answers(paths: Sequence[pathlib.Path]) -> list[pathlib.Path]:
    """The files of answers: those that are named, and all in folders that are named but the test's own.

    Raises:
      EtudeError: if one does not exist, or there are none.
    """
    found: list[pathlib.Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(one for one in path.iterdir() if one.suffix in SUFFIXES and one.name != KEY_FILE)
        elif path.is_file():
            found.append(path)
        else:
            raise EtudeError(f"{path} does not exist; name files of answers, or a folder of them")
    if not found:
        raise EtudeError(f"there are no answers ({' '.join(SUFFIXES)}) in {' '.join(map(str, paths))}")
    return list(dict.fromkeys(found))


def read_sheets(paths: Iterable[pathlib.Path], key: Key) -> tuple[list[Sheet], list[SetAside]]:
    """The sheets of a test, and what is none, in the order of the files."""
    sheets: dict[str, tuple[pathlib.Path, Sheet]] = {}
    aside = []
    for path in paths:
        try:
            sheet = read_sheet(_text(path), key)
            if sheet.listener in sheets:
                raise ValueError(f"the same listener as {sheets[sheet.listener][0]}")
            sheets[sheet.listener] = path, sheet
        except (OSError, ValueError) as error:
            aside.append(SetAside(str(path), str(error)))
    return [sheet for _, sheet in sheets.values()], aside


def read_sheet(text: str, key: Key) -> Sheet:
    """The answers in a text; what a mail program puts around it, or before its lines, does no harm.

    Raises:
      ValueError: if it holds no whole sheet of this test; the message says why.
    """
    bare = re.sub(r"^[> \t]+", "", text, flags=re.MULTILINE)
    try:
        values: dict[str, Any] = json.loads(bare[bare.index("{") : bare.rindex("}") + 1])
    except (ValueError, RecursionError) as error:
        raise ValueError(f"damaged: no JSON ({error})") from error
    if values.get("format") != FORMAT:
        raise ValueError("no answers to a listening test")
    if values.get("test") != key.test:
        raise ValueError(f"answers to another test ({values.get('test')}, not {key.test})")
    listener, given = values.get("listener"), values.get("answers")
    if not isinstance(listener, str) or not isinstance(given, list):
        raise ValueError("damaged: it has no listener or no answers")
    answers: dict[str, Answer] = {}
    known = {trial.id for trial in key.trials}
    for number, one in enumerate(given, start=1):
        try:
            trial, answer = str(one["trial"]), _answer(one, key)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"damaged: answer {number}: {error!r}") from error
        if trial not in known or trial in answers:
            what = "a trial that was answered before" if trial in answers else "no trial of the test"
            raise ValueError(f"damaged: answer {number} is to {what}")
        answers[trial] = answer
    if len(answers) < len(known):
        raise ValueError(f"not finished: {len(answers)} of {len(known)} answers")
    return Sheet(listener, answers)


def _answer(values: Mapping[str, Any], key: Key) -> Answer:
    choice, confidence, known, heard = (values[name] for name in ("choice", "confidence", "known", "heard"))
    num_clips = len(key.trials[0].clips)
    if choice not in CHOICES[key.kind] or confidence not in CONFIDENCES or not isinstance(known, bool):
        raise ValueError(f"{choice!r}, {confidence!r}, {known!r}")
    if len(heard) != num_clips:
        raise ValueError(f"{len(heard)} clips were heard, not {num_clips}")
    return Answer(choice, confidence, known, all(one >= key.minimum_seconds - _TOLERANCE for one in heard))


def _text(path: pathlib.Path) -> str:
    """A small text file; UTF-16, as Windows saves what is copied, too."""
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ValueError(f"larger than {MAX_BYTES:,} bytes")
    return data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
