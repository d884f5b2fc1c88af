"""A made-up language, in which every text is in brackets and 35% longer, and a look at all texts that people see in it.

python tests/pseudo_language.py FOLDER    # writes its catalogue there, and prints what didn't go through it
"""

import contextlib
import io
import json
import os
import re
import sys
from html.parser import HTMLParser
from pathlib import Path

LANGUAGE = "xx"
_OPEN, _CLOSE = "⟦", "⟧"
_SKIPPED = {"style", "script", "code", "pre", "kbd"}
_SPOKEN = ("alt", "aria-label", "aria-description", "placeholder", "title")
_TEXTS = ("description", "tooltip", "placeholder", "label")  # of widgets
# What may stand alone: names of data sets, classes, backbones and files, numbers with their units, and Keras's words.
_DATA = re.compile(
    r"textures|faces|digits|colors|fashion_mnist|cifar10|flowers|cats_and_dogs|stamps|brick|grass|gravel|"
    r"ImageNet|TinyNet|Conv2D|Dense|Flatten|GlobalAveragePooling2D|MaxPooling2D|AveragePooling2D|Rescaling|"
    r"Preprocessing|Dropout|EfficientNet\w*|ResNet\w*|DenseNet\w*|MobileNet\w*|SqueezeNet\w*|Inception\w*|Xception|"
    r"VGG\w*|NASNet\w*|ConvNeXt\w*|Adam|ReLU|\w+\.(jpg|keras|json|py|csv|html)|transfer-learning-run\S*|"
    r"--?[a-z][\w-]*|\b[A-Z][A-Z_]+\b|`[^`]*`|\w+(\.\w+)+|~?"
    r"\d[\d.,]*\s?(k|M|G|s|ms|min|h|px|kB|MB|GB|×|x)\b|\b(MB|GB|px|ms|s)\b"
)


# What argparse says by itself.
_ARGPARSE = re.compile(
    "usage: .*|options:|positional arguments:|show this help message and exit|show program's version number and exit"
)


def in_brackets(text):
    """A translation: each stretch of text between tags in brackets, and attributes that are read aloud as well."""
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


def foreign(texts):
    """The texts of which something is in no brackets, apart from names and numbers."""
    found = set()
    for text in texts:
        left, shorter = None, text
        while left != shorter:
            left, shorter = shorter, re.sub(f"{_OPEN}[^{_OPEN}{_CLOSE}]*{_CLOSE}", " ", shorter)
        left = re.sub(f"{_OPEN}.*$|^.*{_CLOSE}", " ", left, flags=re.DOTALL)  # it was cut, or runs over several lines
        if re.search("[A-Za-z]{2}", _DATA.sub(" ", _ARGPARSE.sub(" ", left))):
            found.add(text.strip())
    return found


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


def screens():
    """The texts of the Lab before and after a training, of its panel of images, of StudyLab and of the terminal."""
    from helpers import SMALL
    from tiny import standing_in

    import tl_widgets

    with standing_in():
        lab = tl_widgets.TransferLab(settings=SMALL)
        yield "lab before", list(widget_texts(lab))
        lab.run_button.click() if hasattr(lab, "run_button") else lab.screen.run_button.click()
        assert lab.last_run.finished.wait(120)
        yield "lab after", list(widget_texts(lab))
        lab.close()
        studies = tl_widgets.StudyLab()
        yield "studies", list(widget_texts(studies))
        studies.close()
        for command in (
            ["--help"],
            ["compare", "--help"],
            ["backbones"],
            ["datasets"],
            ["compare", "textures", "--epochs", "1", "--images-per-class", "3", "--image-size", "32"],
        ):
            yield " ".join(command), _printed(command)


def _printed(command):
    from tl_widgets.cli import run

    output = io.StringIO()
    sys.argv = ["tl-widgets", *command]
    with contextlib.redirect_stdout(output), contextlib.suppress(SystemExit):
        run()
    return output.getvalue().splitlines()


if __name__ == "__main__":
    folder = sys.argv[1]
    os.environ["TL_WIDGETS_LANG"] = LANGUAGE
    os.environ["COLUMNS"] = "1000"  # lines aren't broken
    write_catalogue(folder)
    from tl_widgets.core import translation

    translation.FOLDER = Path(folder)
    print(json.dumps({name: sorted(found) for name, texts in screens() if (found := foreign(texts))}, indent=1))
