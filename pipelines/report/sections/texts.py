"""What models of text wrote, and real texts beside it."""

import base64

from etude.pipelines.comparison.music.generated_sets import TextExample
from etude.pipelines.rendering.markup import element
from etude.pipelines.report.content import Content
from etude.pipelines.report.parts import Section, Text, details, heading, join, number, paragraph

SHOWN = 2
"""Texts of each model that are open to view: the first ones, not the best ones. The others open on request."""

_NOTE = (
    "Every text that the models wrote, in the order in which they were made, with its log-likelihood under the model that "
    "wrote it, and texts of the {split} split beside them."
)


def texts_section(content: Content) -> Section | None:
    """All texts by the configuration that wrote them; None where none were generated."""
    writers = list(dict.fromkeys(found.configuration for found in content.generated if found.texts))
    if not writers:
        return None
    domains = {one.name: one.domain for one in content.results.configurations}
    parts: list[Text] = [paragraph(_NOTE.format(split=content.results.dataset.split))]
    for writer in writers:
        parts.append(heading(content.title(writer)))
        for found in content.generated:
            if found.configuration == writer and found.texts:
                shown = [_generated(number_, one) for number_, one in enumerate(found.texts, start=1)]
                parts.append(_folded(shown, f"of {found.model}"))
    for domain in dict.fromkeys(domains[writer] for writer in writers):
        real = [
            _text(f"Text {number_}", source, text)
            for number_, (source, text) in enumerate(content.real_texts.get(domain, ()), start=1)
        ]
        if real:
            parts += [heading(f"Real texts of the {content.results.dataset.split} split{content.apart(domain)}")]
            parts.append(_folded(real, "of the split"))
    return Section("texts", "What they write", join(*parts))


def _generated(number_: int, one: TextExample) -> Text:
    remark = f"{number(one.token_log_likelihood, 1)} nats, {one.num_tokens:,} tokens"
    address = f"data:text/plain;charset=utf-8;base64,{base64.b64encode(one.text.encode()).decode()}"
    link = element("a", "Text", href=address, download=one.file)
    return _text(f"Text {number_}", join(remark, " ", link), one.text)


def _text(title: str, remark: Text, text: str) -> Text:
    return join(paragraph(join(element("strong", title), " ", remark)), element("pre", text, tabindex="0"))


def _folded(texts: list[Text], of: str) -> Text:
    """The first texts, and the others on request."""
    rest = texts[SHOWN:]
    return join(*texts[:SHOWN], details(f"{len(rest)} more {of}", *rest) if rest else "")
