"""Update the catalogues in `tl_widgets/locale`: extract the texts from the source, merge them, compile what is there.

    python tests/translations.py         # after you added or changed texts or translations
    python tests/translations.py de      # the same, then print what German lacks

A text that only changed a little keeps its translation, marked as fuzzy: check it and delete the mark.
"""

import io
import sys
from datetime import UTC, datetime

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from tl_widgets.core.translation import DOMAIN, FOLDER

PACKAGE = FOLDER.parent
DATE = datetime(2026, 1, 1, tzinfo=UTC)  # of the headers: the same each time, so merges don't meet there
KEYWORDS = {"_": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2)}


def extracted():
    """The catalogue of all texts in the source, without translations."""
    catalogue = Catalog(charset="utf-8", fuzzy=False)
    kinds = [("**.py", "python"), ("**.js", "javascript"), ("**.jinja", "jinja2")]
    found = extract_from_dir(PACKAGE, kinds, keywords=KEYWORDS, comment_tags=("Translators:",))
    for name, _line, message, comments, context in found:
        flags = ("python-brace-format",) if "{" in "".join(message) else ()
        catalogue.add(message, locations=[(name, None)], auto_comments=comments, context=context, flags=flags)
    return catalogue


def po_file(language):
    return FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def read(language):
    with po_file(language).open("rb") as file:
        return read_po(file, locale=language)


def languages():
    return sorted(path.parents[1].name for path in FOLDER.glob(f"*/LC_MESSAGES/{DOMAIN}.po"))


def merged(language, source):
    """The catalogue of a language with the texts of today; what nobody shows any more is dropped."""
    catalogue = read(language)
    catalogue.update(source, no_fuzzy_matching=True)  # it compares each new text with all others, for minutes
    catalogue.obsolete.clear()
    catalogue.creation_date = catalogue.revision_date = DATE
    return catalogue


def po_bytes(catalogue):
    """A text says in which files it stands, not in which lines, so editing them leaves the catalogues alone."""
    file = io.BytesIO()
    write_po(file, catalogue, width=120, sort_by_file=True, include_lineno=False, omit_header=False)
    return file.getvalue()


def mo_bytes(catalogue):
    complete = read_po(io.BytesIO(po_bytes(catalogue)), locale=catalogue.locale)
    for message in missing(complete):
        complete.delete(message.id, message.context)
    file = io.BytesIO()
    write_mo(file, complete)
    return file.getvalue()


def missing(catalogue):
    """The texts without a translation, and those that were changed since it was written."""
    return [m for m in catalogue if m.id and (m.fuzzy or not all([m.string] if isinstance(m.id, str) else m.string))]


def main(names):
    source = extracted()
    for language in languages():
        catalogue = merged(language, source)
        po_file(language).write_bytes(po_bytes(catalogue))
        po_file(language).with_suffix(".mo").write_bytes(mo_bytes(catalogue))
        lacking = missing(catalogue)
        print(f"{language}: {len(catalogue) - len(lacking)} of {len(catalogue)} texts are translated.")
        if language in names:
            print(*(m.id if isinstance(m.id, str) else m.id[0] for m in lacking), sep="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
