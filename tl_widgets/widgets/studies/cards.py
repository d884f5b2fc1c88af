"""The studies as cards under their topics: a sketch, the question, and what it costs. One is chosen."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence

from tl_widgets.core.html import Markup, join
from tl_widgets.core.translation import _
from tl_widgets.studies.registry import STUDIES, TOPICS
from tl_widgets.widgets.shared.picture import Picture


class StudyCards(Picture):
    """The topics, and a card for each study of one of them; a Tab stop for each of the two."""

    def show(self, costs: Mapping[str, str], chosen: str, *, enabled: bool) -> None:
        """Show the cards of the studies of one topic, each with a text about its cost."""
        topic = STUDIES[chosen].topic
        self.markup = Markup(
            '<div class="tlw-study-menu"><div class="tlw-topics" data-roam="topics" tabindex="0" role="group" '
            'aria-label="{}">{}</div>'
            '<div class="tlw-study-cards" data-roam="cards" tabindex="0" role="group" aria-label="{}">{}</div></div>'
        ).format(
            _("What do you want to know?"),
            join(_topic(name, name == topic, enabled) for name in TOPICS),
            TOPICS[topic],
            join(_card(name, cost, name == chosen, enabled) for name, cost in costs.items()),
        )


def sketch(study: str, width: int = 44) -> Markup:
    """Return the sketch of a study as a small picture."""
    content = Markup(STUDIES[study].sketch)  # our own declarations
    return Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 44 30" width="{}" height="{}" aria-hidden="true">{}</svg>'
    ).format(width, round(width * 30 / 44), content)


def static_cards(studies: Sequence[str]) -> Markup:
    """Return the sketches and questions of studies as HTML that needs neither a kernel nor a style sheet."""
    if len(studies) == 1:
        return Markup("<p>{} {}</p>").format(_static_card(studies[0]), STUDIES[studies[0]].lead)
    return join(
        Markup("<p>{}<br>{}</p>").format(title, join(_static_card(name) for name in of_topic(topic, studies)))
        for topic, title in TOPICS.items()
    )


def _static_card(study: str) -> Markup:
    data = b64encode(sketch(study, 88).encode()).decode()
    return Markup(
        '<span style="display:inline-block;min-width:210px"><img alt="" src="data:image/svg+xml;base64,{}" '
        'style="background:#fff;vertical-align:middle" width="66"> <b>{}</b></span>'
    ).format(data, STUDIES[study].question)


def of_topic(topic: str, studies: Iterable[str]) -> list[str]:
    """Return the names of the studies that have this topic."""
    return [name for name in studies if STUDIES[name].topic == topic]


def _topic(topic: str, is_chosen: bool, enabled: bool) -> Markup:
    return Markup('<div data-click="topic:{}" aria-pressed="{}" aria-disabled="{}">{}</div>').format(
        topic, str(is_chosen).lower(), str(not enabled).lower(), TOPICS[topic]
    )


def _card(study: str, cost: str, is_chosen: bool, enabled: bool) -> Markup:
    question = STUDIES[study].question
    return Markup(
        '<div class="tlw-study-card" data-click="{}" aria-pressed="{}" aria-disabled="{}" aria-label="{} {}">'
        "{}<b>{}</b><small>{}</small></div>"
    ).format(study, str(is_chosen).lower(), str(not enabled).lower(), question, cost, sketch(study), question, cost)


def pace_buttons(paces: Iterable[tuple[str, str, str]], chosen: str, *, enabled: bool) -> Markup:
    """Return the choice of how thoroughly a study measures: (key, title, cost) for each."""
    buttons = join(
        Markup('<span data-click="{}" aria-pressed="{}" aria-disabled="{}">{}{}</span>').format(
            key,
            str(key == chosen).lower(),
            str(not enabled).lower(),
            title,
            Markup(" <small>{}</small>").format(cost) if cost else "",
        )
        for key, title, cost in paces
    )
    label = _("How thoroughly")
    return Markup('<div class="tlw-paces" role="group" aria-label="{}">{}</div>').format(label, buttons)
