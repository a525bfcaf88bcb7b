"""What the models made, and real tunes beside it: scores, piano rolls, files and a player."""

import base64
import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from markupsafe import Markup

from etude.models.errors import UsageError
from etude.pipelines.comparison.music.generated_sets import GeneratedSet
from etude.pipelines.rendering.abc import to_abc
from etude.pipelines.rendering.engraving import Score, engrave, view_box
from etude.pipelines.rendering.markup import element
from etude.pipelines.rendering.mei import to_mei
from etude.pipelines.rendering.midi import to_midi
from etude.pipelines.rendering.music import Music, Note
from etude.pipelines.rendering.piano_roll import piano_roll
from etude.pipelines.report.content import Content
from etude.pipelines.report.parts import Section, Text, details, heading, join, number, paragraph, templates

SHOWN = 2
"""Pieces of each kind that are open to view: the first ones, not the best ones. The others open on request."""

_NOTE = (
    "Every piece that the models made, in the order in which they were made, in the key that the model works in, and "
    "pieces of the {split} split beside them, cut to the same length. A primer is drawn in grey."
)


class File(NamedTuple):
    """A file to download, which the page holds itself."""

    kind: str
    name: str
    address: str


class Piece(NamedTuple):
    """A piece as the page shows it."""

    number: int
    name: str
    title: str
    remark: str
    files: Sequence[File]
    roll: Markup
    score: Markup


class Item(NamedTuple):
    """A piece before it is drawn."""

    name: str
    title: str
    remark: str
    file: str
    music: Music


@dataclasses.dataclass(frozen=True)
class Pieces:
    """All pieces of the page.

    Attributes:
      content: what the page shows.
      items: the pieces.
      scores: their scores; None where one could not be engraved.
    """

    content: Content
    items: Sequence[Item]
    scores: Sequence[Score | None]

    @property
    def glyphs(self) -> Mapping[str, Markup]:
        """The signs that the scores share."""
        return {name: glyph for score in self.scores if score for name, glyph in sorted(score.glyphs.items())}

    @property
    def players(self) -> list[dict[str, Any]]:
        """What the player needs of each piece: notes as onset, length and pitch in steps; drums with a 1 behind."""
        return [
            {
                "secondsPerStep": item.music.seconds_per_step,
                "numSteps": item.music.num_steps,
                "notes": [_played(note) for note in sorted(item.music.notes)],
            }
            for item in self.items
        ]

    def section(self) -> Section | None:
        """All pieces by the configuration that made them; None where none were generated."""
        if not _players(self.content):
            return None
        pieces = iter(self._drawn)
        split = self.content.results.dataset.split
        parts: list[Text] = [paragraph(_NOTE.format(split=split))]
        for configuration in _players(self.content):
            parts.append(heading(self.content.title(configuration)))
            for number_, found in enumerate(_sets(self.content, configuration)):
                made = [next(pieces) for _ in found.examples]
                parts.append(_folded(made, SHOWN if number_ == 0 else 0, f"of {found.model}"))
        real = [next(pieces) for _ in self.content.real]
        parts += [heading(f"Real tunes of the {split} split"), _folded(real, SHOWN, "of the split")]
        return Section("music", "What they play", join(*parts))

    @property
    def apart(self) -> list[Piece]:
        """The tunes that one representation predicts far better than another, which come last."""
        return self._drawn[len(self._drawn) - len(self.content.far_apart) :]

    @functools.cached_property
    def _drawn(self) -> list[Piece]:
        return [_piece(*numbered) for numbered in enumerate(zip(self.items, self.scores, strict=True))]


def _played(note: Note) -> list[int]:
    return [note.onset, note.duration, note.pitch, *([1] if note.is_drum else [])]


def pieces_of(content: Content) -> Pieces:
    """All pieces of a page, engraved."""
    items = []
    for configuration in _players(content):
        for found in _sets(content, configuration):
            for number_, example in enumerate(found.examples, start=1):
                title = f"{example.domain.noun.capitalize()} {number_}"
                remark = f"{number(example.event_log_likelihood, 1)} nats"
                file = example.file.removesuffix(".mid")
                items.append(Item(f"{title.lower()} of {found.model}", title, remark, file, example.music))
    if items:
        for number_, (source, music) in enumerate(content.real, start=1):
            title = f"Tune {number_}"
            items.append(Item(f"real {title.lower()}", title, source, f"real-{number_:02}", music))
    for number_, (one, music) in enumerate(content.far_apart, start=1):
        remark = (
            f"{number(one.bits_better, 2)} bits a note by {content.title(one.better)}, {number(one.bits_worse, 2)} by "
            f"{content.title(one.worse)}"
        )
        items.append(Item(f"{one.piece}, {number_}", one.piece, remark, f"apart-{number_:02}", music))
    return Pieces(content, items, engrave([to_mei(item.music) for item in items]))


def _players(content: Content) -> list[str]:
    """The configurations that made melodies."""
    return list(dict.fromkeys(found.configuration for found in content.generated if found.examples))


def _sets(content: Content, configuration: str) -> list[GeneratedSet]:
    return [found for found in content.generated if found.configuration == configuration]


def _folded(pieces: Sequence[Piece], shown: int, of: str) -> Text:
    """The first pieces, and the others on request."""
    rest = pieces[shown:]
    opened = templates().cards(pieces[:shown]) if shown else ""
    return join(
        opened,
        details(f"{len(rest)} more {of}" if shown else f"{len(rest)} {of}", templates().cards(rest)) if rest else "",
    )


def _piece(number_: int, found: tuple[Item, Score | None]) -> Piece:
    item, score = found
    roll = piano_roll(item.music, f"Piano roll of {item.name}: {_described(item.music)}")
    drawn = Markup('<p class="basis">No score could be set.</p>')
    if score is not None:
        drawn = element(
            "svg",
            score.content,
            viewBox=view_box(score),
            role="img",
            aria_label=f"Score of {item.name}",
            class_="score",
        )
    return Piece(number_, item.name, item.title, item.remark, _files(item), roll, drawn)


def _described(music: Music) -> str:
    """A piece in words, for those who do not see it."""
    bars = -(-(music.num_steps - music.pickup_steps) // music.steps_per_bar)
    return f"{len(music.notes)} notes in {bars} bars"


def _files(item: Item) -> list[File]:
    files = [File("MIDI", f"{item.file}.mid", _address("audio/midi", to_midi(item.music)))]
    try:
        text = to_abc(item.music, title=item.file)
    except UsageError:  # ABC cannot write every step.
        return files
    return [*files, File("ABC", f"{item.file}.abc", _address("text/vnd.abc;charset=utf-8", text.encode()))]


def _address(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"
