"""How Sphinx builds the site: `sphinx-build -W --keep-going -b html docs docs/_build/html`."""

import os
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ["TL_WIDGETS_LANG"] = "en"  # the site is English, whatever the language of the machine

from tl_widgets import __version__  # noqa: E402

project = "tl_widgets"
author = "The tl_widgets authors"
copyright = "the tl_widgets authors, Apache-2.0"  # noqa: A001 (Sphinx's name)
release = version = __version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]

# The notebooks are shown as they were run: what they print is checked by their own tests.
nb_execution_mode = "off"
nb_merge_streams = True
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

default_role = "code"  # docstrings write `names` with single backquotes
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
napoleon_use_ivar = True
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88

html_title = "tl_widgets"
html_theme = "pydata_sphinx_theme"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_theme_options = {
    "github_url": "https://github.com/tl-widgets/tl_widgets",
    "header_links_before_dropdown": 6,  # more would take a second row on a laptop
    "navigation_with_keys": False,
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    # Both are styles of Pygments with enough contrast.
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
_ALONE = ("glossary", "predictions", "changelog", "contributing", "architecture", "index")
html_sidebars: dict[str, list[str]] = {page: [] for page in _ALONE}

# A notebook stands in its folder for JupyterLab and Binder; Sphinx reads only what lies under docs/. Links to what lies
# beside it lead elsewhere here.
_LINKS = {
    "](README.md)": "](index.md)",
    "](../docs/": "](../",
    "](solutions/": f"]({html_theme_options['github_url']}/blob/main/notebooks/solutions/",
}
for _notebook in sorted((ROOT / "notebooks").glob("*.ipynb")):
    _copy, _text = ROOT / "docs" / "tutorial" / _notebook.name, _notebook.read_text("utf-8")
    for _here, _there in _LINKS.items():
        _text = _text.replace(_here, _there)
    if not _copy.exists() or _copy.read_text("utf-8") != _text:
        _copy.write_text(_text, "utf-8")


def _show_code(_app: object, _what: str, _name: str, _of: object, _options: object, lines: list[str]) -> None:
    """Make the indented code of a docstring a code block: it ends its lead-in with one colon, Sphinx wants two."""
    for i, line in enumerate(lines[:-2]):
        if line.endswith(":") and not lines[i + 1] and lines[i + 2].startswith(line[: -len(line.lstrip())] + "    "):
            lines[i] += ":"


def _show_default(
    _app: object, _what: str, _name: str, _of: object, _options: object, signature: str | None, returns: str | None
) -> tuple[str | None, str | None]:
    """Write a function that is a default as its name: Sphinx can't parse `<function ignore>`."""
    return (re.sub(r"<function (\w+)>", r"\1", signature) if signature else signature), returns


def _link_copies(_app: object, _name: str, source: list[str]) -> None:
    """Lead a page's links to notebooks, which work on GitHub, to the copies here."""
    source[0] = re.sub(r"\]\((?:\.\./)+notebooks/(\w+\.ipynb)\)", r"](/tutorial/\1)", source[0])


def setup(app):
    """Register what this file adds to Sphinx."""
    app.connect("source-read", _link_copies)
    app.connect("autodoc-process-signature", _show_default)
    app.connect("autodoc-process-docstring", _show_code, priority=400)  # before napoleon
