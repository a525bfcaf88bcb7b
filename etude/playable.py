"""What knows how it looks and sounds."""

import pathlib

from etude.pipelines.rendering.music import Music


class Playable:
    """Something with music and a title. Each `to_...` returns what a file would hold, and writes it where a path is given.

    Attributes:
      music: notes, with tempo, metre and key.
      title: of pictures and scores.
    """

    music: Music
    title: str

    def to_midi(self, path: str | pathlib.Path | None = None) -> bytes:
        """A standard MIDI file."""
        from etude.pipelines.rendering.midi import to_midi

        return written(to_midi(self.music), path)

    def to_abc(self, path: str | pathlib.Path | None = None) -> str:
        """A tune in ABC notation.

        Raises:
          UsageError: if ABC has no tuplets of as many notes as the steps need.
        """
        from etude.pipelines.rendering.abc import to_abc

        return written(to_abc(self.music, title=self.title).encode(), path).decode()

    def to_musicxml(self, path: str | pathlib.Path | None = None) -> str:
        """A score in MusicXML."""
        from etude.pipelines.rendering.musicxml import to_musicxml

        return written(to_musicxml(self.music, title=self.title).encode(), path).decode()

    def to_svg(self, path: str | pathlib.Path | None = None) -> str:
        """A picture of piano roll and score."""
        from etude.pipelines.rendering.pictures import to_svg

        return written(to_svg(self.music, title=self.title).encode(), path).decode()

    def to_wav(self, path: str | pathlib.Path | None = None) -> bytes:
        """Sound, mono, 16 bits, 44.1 kHz.

        Raises:
          EtudeError: if the sound font is missing.
        """
        from etude.pipelines.rendering.audio import to_wav

        return written(to_wav(self.music), path)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from etude.pipelines.rendering.display import to_html

        return str(to_html(self.music, title=self._description()))

    def __repr__(self) -> str:
        """One line."""
        return f"<{self._description()}>"

    def _description(self) -> str:
        return self.title


def written(content: bytes, path: str | pathlib.Path | None) -> bytes:
    """What was given, also in a file, whole or not at all."""
    from etude.models.storage.files import write_whole

    if path is not None:
        with write_whole(path) as file:
            file.write(content)
    return content
