"""Music in a notebook: piano roll, score and sound, with nothing fetched."""

import base64

from markupsafe import Markup

from etude.pipelines.rendering.audio import to_wav
from etude.pipelines.rendering.markup import element
from etude.pipelines.rendering.music import Music
from etude.pipelines.rendering.pictures import to_svg

SAMPLE_RATE = 22050
"""Half that of files, since a notebook keeps all sound that it shows: 2.6 MB a minute."""


def to_html(music: Music, *, title: str) -> Markup:
    """A picture with a player below.

    The picture is an image of its own, so that its style stays within.

    Args:
      music: what to show.
      title: shown above.

    Raises:
      EtudeError: if the sound font is missing.
    """
    picture = element("img", src=_inline("image/svg+xml", to_svg(music, title=title).encode()), alt=title, width="100%")
    player = element("audio", controls="controls", src=_inline("audio/wav", to_wav(music, SAMPLE_RATE)))
    return element("figure", picture, player, style="margin: 0; max-width: 60em")


def _inline(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"
