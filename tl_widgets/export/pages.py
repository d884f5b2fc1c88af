"""Pages that need no network, no script and no other file, in one style."""

from __future__ import annotations

from typing import Any

from tl_widgets.core.html import Markup, table
from tl_widgets.core.translation import _ as translate, language


def translated(message: str, /, **values: object) -> Markup:
    """Return a text of a template in the reader's language; it may have tags, and its values are escaped."""
    return Markup(translate(message)).format(**values)


def render(package: str, template: str, /, **content: Any) -> str:
    """Return the page of a template, which extends `page.html.jinja`.

    Args:
        package: The package that the template lies in.
        template: The name of its file.
        content: What the template shows; texts that aren't `Markup` are escaped.
    """
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined  # 60 ms that only a page needs

    pages = Environment(
        loader=ChoiceLoader([PackageLoader(package, "."), PackageLoader("tl_widgets.export", ".")]),
        autoescape=True,  # every text that isn't Markup
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    pages.globals |= {"table": table, "_": translated, "language": language()}
    return pages.get_template(template).render(**content)
