"""A made-up language, in which every text is in brackets and 35% longer, and a look at all texts that people see in it.

python tests/pseudo_language.py FOLDER    # writes its catalogue there, and prints what didn't go through it

What stands in brackets in a record is printed as well: records are English.
"""

import contextlib
import io
import json
import os
import re
import sys
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

LANGUAGE = "xx"
_OPEN, _CLOSE = "⟦", "⟧"
_SKIPPED = {"style", "script", "code", "pre", "kbd"}
_SPOKEN = ("alt", "aria-label", "aria-description", "placeholder", "title")
_TEXTS = ("description", "tooltip", "placeholder", "label")  # of widgets
# What may stand alone: names of data sets, classes, backbones, settings' values, commands and files, numbers with their
# units, licenses, and Keras's words.
_DATA = re.compile(
    r"[\w-]+\.(jpg|png|keras|json|py|csv|html)|textures|faces|digits|colors|fashion_mnist|cifar10|flowers|cats_and_dogs|stamps|walks|my_photos|CC0|"
    r"\b(brick|grass|gravel|cat|dog|imagenet|alpha)\b|tl-widgets( [a-z]+)*|"
    r"ImageNet|TinyNet|Conv2D|Flatten|GlobalAveragePooling2D|MaxPooling2D|AveragePooling2D|Rescaling|"
    r"Preprocessing|Dropout|\w*tV2\w*|EfficientNet\w*|ResNet\w*|DenseNet\w*|MobileNet\w*|SqueezeNet\w*|Inception\w*|Xception|"
    r"Dense|VGG\w*|NASNet\w*|ConvNeXt\w*|Adam|ReLU|transfer-learning-run\S*|"
    r"--?[a-z][\w-]*|\b[A-Z][A-Z_]+\b|`[^`]*`|\w+(\.\w+)+|^ *[a-z-]+ {2,}|\b[a-z]+(_[a-z]+)+\b|"
    r"~?\d[\d.,]*\s?(k|M|G|s|ms|min|h|px|kB|MB|GB|×|x)\b|\b(MB|GB|px|ms|s)\b"
)

RECORDS = sorted((Path(__file__).parent / "data" / "records").glob("*.json"))
_COMMANDS = (
    "--help",
    *(f"{name} --help" for name in ("compare", "study", "check", "export", "fetch", "cache", "doctor", "lab")),
    *(f"assignment {name} --help" for name in ("new", "show", "grade")),
    "backbones",
    "datasets",
    "compare textures --epochs 1 --images-per-class 3 --image-size 32",
)


def in_brackets(text):
    """A translation: each stretch of text between tags in brackets, and attributes that are read aloud as well.

    Its numbers have a decimal comma, and a space before the percent sign.
    """
    text = re.sub(r"(?<=[\d}])%(?![(}])", "\N{NO-BREAK SPACE}%", text)
    text = re.sub(r"(?<=\d)\.(?=\d)(?![^{]*})", ",", text)
    text = re.sub(rf'({"|".join(_SPOKEN)})="([^"{{}}]+)"', rf'\1="{_OPEN}\2{_CLOSE}"', text)
    return "".join(
        part if part.startswith("<") or not re.search("[A-Za-z]", re.sub(r"{[^}]*}", "", part)) else _longer(part)
        for part in re.split(r"(<[^>]*>)", text)
    )


def _longer(part):
    inner = part.strip()
    start = part.index(inner)
    more = "~" * (len(inner) * 35 // 100)
    return f"{part[:start]}{_OPEN}{inner}{more}{_CLOSE}{part[start + len(inner) :]}"


def write_catalogue(folder):
    """Compile the catalogue of the made-up language from the source."""
    import translations

    catalogue = translations.extracted()
    catalogue.locale = "en"
    for message in catalogue:
        if message.id:
            texts = [message.id] if isinstance(message.id, str) else message.id
            changed = tuple(map(in_brackets, texts))
            message.string = changed[0] if isinstance(message.id, str) else changed
    file = Path(folder) / LANGUAGE / "LC_MESSAGES" / f"{translations.DOMAIN}.mo"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(translations.mo_bytes(catalogue))


class _Texts(HTMLParser):
    """Collects the texts of a page, those that are read aloud too."""

    def __init__(self, html):
        super().__init__()
        self.texts, self._skipped = [], 0
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self._skipped += tag in _SKIPPED
        self.texts += [value for name, value in attrs if name in _SPOKEN and value]

    def handle_startendtag(self, tag, attrs):
        self.texts += [value for name, value in attrs if name in _SPOKEN and value]

    def handle_endtag(self, tag):
        self._skipped -= tag in _SKIPPED

    def handle_data(self, data):
        if not self._skipped:
            self.texts.append(data)


@cache
def _catalogue():
    import translations

    return [
        " ".join(text.split()) for m in translations.extracted() for text in ([m.id] if isinstance(m.id, str) else m.id)
    ]


def foreign(texts):
    """The texts of which something is in no brackets, apart from names and numbers."""
    found = set()
    for text in texts:
        left, shorter = None, text
        while left != shorter:
            left, shorter = shorter, re.sub(f"{_OPEN}[^{_OPEN}{_CLOSE}]*{_CLOSE}", " ", shorter)
        if len(left.split()) > 3 and any(left.strip() in text for text in _catalogue()):
            continue  # the middle of a sentence in a drawing that takes three lines
        left = re.sub(f"{_OPEN}.*$|^.*{_CLOSE}", " ", left, flags=re.DOTALL)  # it was cut, or runs over several lines
        found.update(line.strip() for line in left.splitlines() if re.search("[A-Za-z]{2}", _DATA.sub(" ", line)))
    return found


# A number as English writes it, such as 0.5 or 91%; 1.000 is a thousand in the made-up language.
_ENGLISH_NUMBER = re.compile(r"(?<![\w.,])\d+\.(?!\d{3}\b)\d+(?![\w.,])|\d%|\d,\d{3},\d{3}")


def english_numbers(texts):
    """The texts with a number that isn't written as in the made-up language."""
    return {text for text in texts if _ENGLISH_NUMBER.search(text)}


def widget_texts(app):
    """All texts of an app."""
    from helpers import all_parts
    from ipywidgets import HTML

    for part in all_parts(app):
        yield from (text for name in _TEXTS if isinstance(text := getattr(part, name, None), str))
        yield from getattr(part, "titles", ())
        yield from (str(label) for label in getattr(part, "_options_labels", ()))
        html = part.value if isinstance(part, HTML) else getattr(part, "markup", "")
        yield from _Texts(html if isinstance(html, str) else "").texts


def result_texts(record):
    """All texts of a study's result: sentences, table, both figures and StudyLab's chart."""
    from matplotlib.text import Text

    from tl_widgets.plots.style import root_figure
    from tl_widgets.studies.registry import STUDIES, read_study
    from tl_widgets.studies.stage import stage_svg
    from tl_widgets.studies.study import SoFar
    from tl_widgets.widgets.shared.source import DataSource

    name, result = read_study(record, tuple(STUDIES))
    study = STUDIES[name]
    yield from (study.headline(result), study.text(result), *study.sentences(result))
    yield from (cell for row in result.rows for cell in row)
    figure = root_figure(study.draw(result))
    for axes in figure.axes:
        yield from (label.get_text() for label in [*axes.get_xticklabels(), *axes.get_yticklabels()])
    yield from (text.get_text() for text in figure.findobj(Text))
    arguments = study.arguments()
    if chart := study.stage(arguments, SoFar(DataSource().facts(arguments.image_settings), (), result)):
        yield from _Texts(stage_svg(chart, None, width=626, height=326)).texts


def screens(folder):
    """The texts of the Lab before and after a training, of its images, of each study's form and of the terminal."""
    from helpers import SMALL, write_walks
    from tiny import standing_in

    import tl_widgets
    from tl_widgets.studies.registry import STUDIES
    from tl_widgets.widgets import StudySettings

    with standing_in():
        lab = tl_widgets.TransferLab(settings=SMALL)
        yield "the Lab before a run", list(widget_texts(lab))
        write_walks(folder / "walks")
        lab.images.open_path(folder / "walks")
        assert lab.images.last_run.finished.wait(60)
        yield "images", list(widget_texts(lab.images))
        lab.run(wait=True)
        yield "the Lab after a run", list(widget_texts(lab))
        yield "a report", [_TYPED.sub(" ", text) for text in _Texts(tl_widgets.to_report(lab.result)).texts]
        yield "a record", [f"in brackets: {line}" for line in lab.result.to_json().splitlines() if _OPEN in line]
        lab.close()
        studies = tl_widgets.StudyLab()
        for name in STUDIES:
            studies.settings = StudySettings(name)
            yield name, list(widget_texts(studies))
        studies.close()
        for path in RECORDS:
            yield f"the result in {path.name}", list(result_texts(path.read_text("utf-8")))
        for command in _COMMANDS:
            yield f"tl-widgets {command}", _printed(command.split())
        for name in STUDIES:
            yield f"tl-widgets study {name} --help", _printed(["study", name, "--help"])


_TYPED = re.compile(r"\b(flatten|max|scratch|transfer|size|domain|all|random)\b")  # values of settings


def _printed(command):
    from tl_widgets.cli import run

    output = io.StringIO()
    sys.argv = ["tl-widgets", *command]
    with contextlib.redirect_stdout(output), contextlib.suppress(SystemExit):
        run()
    return [_TYPED.sub(" ", output.getvalue())]


if __name__ == "__main__":
    folder = Path(sys.argv[1]).resolve()
    os.environ["TL_WIDGETS_LANG"] = LANGUAGE
    (folder / "notebooks").mkdir()
    os.chdir(folder / "notebooks")
    os.environ["COLUMNS"] = "1000"  # lines aren't broken
    write_catalogue(folder)
    from tl_widgets.core import translation

    translation.FOLDER = folder
    found = {name: sorted(foreign(texts) | english_numbers(texts)) for name, texts in screens(folder)}
    print(json.dumps({name: texts for name, texts in found.items() if texts}, indent=1))
