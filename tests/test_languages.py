"""The texts in other languages: how they are written, found, chosen and translated."""

import ast
import copy
import gettext
import json
import os
import pickle
import re
import string
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import translations
from babel.messages.mofile import read_mo
from test_hostile_models import record

from tl_widgets.core import translation
from tl_widgets.core.errors import InputError
from tl_widgets.core.html import Markup
from tl_widgets.core.numbers import percent, typed_number
from tl_widgets.core.text import all_of, any_of, escaped
from tl_widgets.records.codec import to_plain
from tl_widgets.records.comparison import Comparison, StudyFailure
from tl_widgets.records.verdict import judge
from tl_widgets.widgets.lab.restore import read_record

CALLS = {"_", "ngettext", "pgettext"}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
SPOKEN = re.compile(r'(aria-label|title|alt)="[^"]*"')  # attributes that are read aloud
LANGUAGES = translations.languages()
TESTS = Path(__file__).parent


def key(message):
    """The identity of a text."""
    context = message.context.decode() if isinstance(message.context, bytes) else message.context
    return context, message.id if isinstance(message.id, str) else tuple(message.id)


def texts_of(message):
    """Its translation, or all its plural forms."""
    return [message.string] if isinstance(message.string, str) else [*message.string]


@cache
def source():
    return translations.extracted()


@cache
def catalogue(language):
    return translations.merged(language, source())


def test_every_text_of_a_script_is_extracted():
    """The extraction overlooks calls inside other calls; what is translated by `in_script` must be in the catalogue."""
    found = {message.id for message in source()}
    for path in translations.PACKAGE.rglob("*.js"):
        script = path.read_text("utf-8")
        texts = [json.loads(text) for text in translation._SCRIPT_TEXT.findall(script)]
        assert script.count("_(") == len(texts)
        assert found.issuperset(texts)


def calls(tree):
    """Calls of `_`, `ngettext` and `pgettext`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLS:
            yield node


def own_nodes(function):
    """The nodes of a function, without those of functions and comprehensions inside it."""
    bodies = function.body if isinstance(function.body, list) else [function.body]
    left = [*bodies, *ast.walk(function.args)]
    while left:
        node = left.pop()
        yield node
        if not isinstance(node, (*FUNCTIONS, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
            left += ast.iter_child_nodes(node)


def is_bound_here(function):
    """Whether a function, or a function around the call, uses the name of the translation for something else."""
    return any(
        (isinstance(node, ast.Name) and node.id == "_" and isinstance(node.ctx, ast.Store))
        or (isinstance(node, ast.arg) and node.arg == "_")
        for node in own_nodes(function)
    )


def wrong_calls(text):
    tree = ast.parse(text)
    for call in calls(tree):
        n_texts = {"_": 1, "ngettext": 2, "pgettext": 2}[call.func.id]
        texts = [arg.value for arg in call.args[:n_texts] if isinstance(arg, ast.Constant)]
        if len(texts) < n_texts or not all(isinstance(text, str) for text in texts):
            yield f"{call.lineno}: its text isn't a literal"
            continue
        given = {keyword.arg for keyword in call.keywords} | ({"n"} if call.func.id == "ngettext" else set())
        asked = {name for text in texts[call.func.id == "pgettext" :] for name in placeholders(text)}
        if None in given:  # values in a dictionary
            continue
        if call.keywords and asked - given:
            yield f"{call.lineno}: no value for {asked - given}"
        if {name for name in given - asked if name} - {"n"}:
            yield f"{call.lineno}: no placeholder for {given - asked}"
    for text in ast.walk(tree):
        if isinstance(text, ast.JoinedStr) and any(calls(text)):
            yield f"{text.lineno}: the extraction overlooks a text inside an f-string"
    for function in ast.walk(tree):
        if isinstance(function, FUNCTIONS) and is_bound_here(function) and any(calls(function)):
            yield f"{function.lineno}: `_` has two meanings"


def placeholders(text):
    """Names of the placeholders, each with its conversion and format."""
    try:
        fields = [field for field in string.Formatter().parse(text) if field[1] is not None]
    except ValueError:  # braces of an example in code
        return {}
    return {re.split(r"[.\[]", name)[0]: (conversion, form) for _text, name, form, conversion in fields}


def test_texts_are_literals_whose_placeholders_have_values():
    wrong = {
        str(path.relative_to(translations.PACKAGE)): found
        for path in sorted(translations.PACKAGE.rglob("*.py"))
        if (found := list(wrong_calls(path.read_text("utf-8"))))
    }
    assert wrong == {}


def test_placeholders_say_what_they_stand_for():
    names = {name for message in source() if message.id for name in placeholders("".join(message.id))}
    assert [name for name in sorted(names) if re.search(r"_\d$|_self$", name)] == []


@pytest.mark.parametrize(("language", "wrong"), [("de", r"[\d}]%(?!\()"), ("es", r"(?<!-)[\d}]\s%(?!\()")])
def test_a_language_has_one_way_to_write_percent(language, wrong):
    texts = [text for message in catalogue(language) if message.id for text in texts_of(message)]
    assert [text for text in texts if re.search(wrong, re.sub(r"{[^}]*}", "{}", text))] == []


@pytest.mark.parametrize(
    "line",
    [
        '_(f"{n} images")',
        "f'{_(\"Stop\")}'",
        "_(text)",
        '_("{n} images", m=1)',
        'for _ in "ab":\n        _("Stop")',
        'lambda _: _("Stop")',
    ],
)
def test_every_wrong_call_is_found(line):
    assert list(wrong_calls(f"def show(n, text):\n    {line}\n"))
    assert not list(wrong_calls('def show(n):\n    return [_("{n} of {m}", n=n, m=0), *(m for _i in "ab")]\n'))


def test_a_translation_carries_its_english_text_into_records():
    text = translation._translated("3,5 Punkte", "3.5 points")
    error = InputError(text)
    for copied in (str(text), pickle.loads(pickle.dumps(text)), copy.deepcopy(text), str(error)):
        assert (copied, translation.in_english(copied)) == ("3,5 Punkte", "3.5 points")
    assert to_plain(StudyFailure("a point", str(error))) == {"point": "a point", "text": "3.5 points"}


def test_a_space_before_a_unit_is_not_escaped_in_the_terminal():
    assert escaped("12\N{NO-BREAK SPACE}s\x1b[1m") == "12\N{NO-BREAK SPACE}s\\x1b[1m"


def test_a_text_that_was_made_longer_or_shorter_carries_its_english_text():
    text = translation._translated("3,5 Punkte", "3.5 points")
    longer = "(" + text + ": " + translation._translated("viel", "much")
    longer += ")"
    assert (longer, translation.in_english(longer)) == ("(3,5 Punkte: viel)", "(3.5 points: much)")
    shorter = translation.in_both(longer, lambda text: text.strip("()"))
    assert (shorter, translation.in_english(shorter)) == ("3,5 Punkte: viel", "3.5 points: much")
    assert text + Markup("<br>") == Markup("3,5 Punkte<br>")
    assert Markup("<br>") + text == Markup("<br>3,5 Punkte")
    assert isinstance(text + Markup("<br>"), Markup)
    assert isinstance(Markup("<br>") + text, Markup)


LOOKING = {"startswith", "endswith", "removeprefix", "removesuffix", "find", "index"}
MAY_LOOK = re.compile(rf'" (not )?in |({"|".join(LOOKING)})\("')


def looked_for(text):
    """English words that code looks for in a text that it didn't ask for in English."""
    for node in ast.walk(ast.parse(text if MAY_LOOK.search(text) else "")):
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In | ast.NotIn):
            words, text = node.left, node.comparators[0]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LOOKING:
            words, text = node.args[0], node.func.value
        else:
            continue
        is_text = isinstance(words, ast.Constant) and isinstance(words.value, str) and " " in words.value.strip()
        if is_text and "english" not in ast.unparse(text):
            yield node.lineno, words.value


def test_no_words_are_looked_for_in_a_text_that_may_be_translated():
    """What holds the words is English everywhere, or `in_english` makes it so."""
    texts = [message.id if isinstance(message.id, str) else message.id[0] for message in source() if message.id]
    wrong = [
        (path.name, line, words)
        for path in sorted(translations.PACKAGE.rglob("*.py"))
        for line, words in looked_for(path.read_text("utf-8"))
        if any(words in text for text in texts)
    ]
    assert wrong == []


def test_a_loaded_verdict_is_in_the_readers_language(monkeypatch):
    plain = Comparison.from_json(json.dumps(record()))
    judged = replace(plain, verdict=judge(plain.scratch, plain.transfer, plain.control, plain.fine_tuned))
    assert read_record("record.json", judged.to_json().encode()) == judged
    monkeypatch.setattr(translation, "_catalogue", lambda: GERMAN)
    loaded = read_record("record.json", judged.to_json().encode())
    assert loaded.verdict.text.startswith("Zu knapp")
    assert loaded.to_json() == judged.to_json()
    assert read_record("record.json", plain.to_json().encode()) == plain  # its verdict isn't ours


GERMAN = gettext.translation(translation.DOMAIN, translation.FOLDER, ["de"])


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("It overfits: 98.3% of its training images are right, but only 61.7% of the test images.", "98,3\xa0%"),
        ("In fold 2: It is stuck at chance: 33.3% of its training images are right, and always giving the most "
         "frequent class gets 33.3%. 5 of the 8 ReLU units in a Dense layer are 0 for all training images looked at, "
         "and no gradient passes them.", "In Fold 2: "),
        ("Try a lower learning rate, or other weights.", "Versuche eine"),
        ("Somebody else wrote this.", "Somebody else"),
        ("", ""),
    ],
)  # fmt: skip
def test_a_sentence_of_a_record_is_translated(text, start, monkeypatch):
    monkeypatch.setattr(translation, "_catalogue", lambda: GERMAN)
    monkeypatch.setattr(translation, "language", lambda: "de")
    monkeypatch.setattr(translation, "_sentences", translation._sentences.__wrapped__)
    german = translation.from_english(text)
    assert start in german
    assert "33.3" not in german
    assert translation.in_english(german) == text


@pytest.mark.parametrize(
    ("language", "both", "either", "share"),
    [
        ("en", "a, b and InceptionV3", "ResNet50 or others", "91.1%"),
        ("de", "a, b und InceptionV3", "ResNet50 oder others", "91,1\xa0%"),
        ("es", "a, b e InceptionV3", "ResNet50 u others", "91,1%"),
    ],
)
def test_lists_and_shares_are_written_as_the_language_does(language, both, either, share, monkeypatch):
    texts = None if language == "en" else gettext.translation(translation.DOMAIN, translation.FOLDER, [language])
    monkeypatch.setattr(translation, "_catalogue", lambda: texts)
    monkeypatch.setattr(translation, "language", lambda: language)
    monkeypatch.setattr("tl_widgets.core.text.language", lambda: language)
    assert (all_of(["a", "b", "InceptionV3"]), any_of(["ResNet50", "others"])) == (both, either)
    assert translation.in_english(all_of(["a", "b"])) == "a and b"
    assert percent(0.911) == share
    assert all_of(["a"]) == any_of(["a"]) == "a"


def what_others_read():
    """What programs and other people read: a script, and where a record says that images come from."""
    from tl_widgets.core.config import Config
    from tl_widgets.data.catalogue import load_dataset
    from tl_widgets.experiments.comparison import summarize
    from tl_widgets.export.script import script_for

    images = summarize(load_dataset("textures", image_size=96, n_per_class=5))
    yield json.dumps(to_plain(images))
    for backbone, cut in (("MobileNetV2", 5), ("ResNet50", None), ("EfficientNetB0", None)):
        yield script_for(images, Config(backbone=backbone, cut=cut, control=True, augment=1))


def test_scripts_and_records_are_english_in_every_language():
    code = "import sys, json, test_languages as tests; sys.stdout.write(json.dumps(list(tests.what_others_read())))"
    environment = {**os.environ, "TL_WIDGETS_LANG": "de", "PYTHONPATH": os.pathsep.join([str(TESTS), *sys.path])}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == list(what_others_read())


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_keep_placeholders_and_tags(language):
    wrong = []
    for message in catalogue(language):
        if not message.id or message in translations.missing([message]):
            continue
        originals = [message.id] if isinstance(message.id, str) else message.id
        for i, text in enumerate(texts_of(message)):
            # A singular may leave out its number: "one image".
            allowed = [placeholders(originals[min(i, len(originals) - 1)]), placeholders(originals[-1])]
            tags = [sorted(re.findall(r"<[^>]+>", SPOKEN.sub("", each))) for each in (originals[-1], text)]
            if placeholders(text) not in allowed or tags[0] != tags[1]:
                wrong.append((originals[0], text))
    assert wrong == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_catalogues_are_compiled(language):
    with translations.po_file(language).with_suffix(".mo").open("rb") as file:
        compiled = {key(message): texts_of(message) for message in read_mo(file) if message.id}
    written = translations.read(language)
    lacking = translations.missing(written)
    expected = {key(message): texts_of(message) for message in written if message.id and message not in lacking}
    assert compiled == expected, "run tests/translations.py"


@pytest.mark.parametrize("language", sorted(translation.OFFERED))
def test_languages_that_are_offered_are_complete(language):
    assert [message.id for message in translations.missing(catalogue(language))] == []


def test_all_that_people_see_went_through_the_catalogue(tmp_path):
    """A walk in a made-up language, in which every text of the catalogue is in brackets."""
    walk = [sys.executable, translations.PACKAGE.parent / "tests" / "pseudo_language.py", tmp_path]
    done = subprocess.run(walk, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout == "{}\n", done.stderr[-2000:]


def test_the_language_of_the_system_is_shown(tmp_path):
    env = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "TL_WIDGETS_LANG"))}
    env |= {"LANG": "de_DE.UTF-8", "JUPYTER_CONFIG_DIR": str(tmp_path)}
    for changes, word in (({}, "Aufruf:"), ({"LANG": "es_MX.UTF-8"}, "uso:"), ({"TL_WIDGETS_LANG": "en"}, "usage:")):
        command = [sys.executable, "-m", "tl_widgets", "--help"]
        done = subprocess.run(command, env=env | changes, capture_output=True, text=True, encoding="utf-8", check=True)
        assert done.stdout.startswith(word)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"LANG": "de_AT.UTF-8"}, "de"),
        ({"LANG": "de_AT.UTF-8", "offered": ()}, "en"),
        ({"LANG": "de_AT.UTF-8", "offered": (), "TL_WIDGETS_LANG": "de"}, "de"),
        ({"LANG": "de_AT.UTF-8", "LC_ALL": "C.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LANGUAGE": "fr:de:en"}, "de"),
        ({"LANG": "de_DE.UTF-8", "jupyterlab": "en"}, "en"),
        ({"LANG": "de_DE.UTF-8", "jupyterlab": "fr_FR"}, "en"),
        ({"LANG": "de_DE.UTF-8", "jupyterlab": "default"}, "de"),
        ({"LANG": "en_US.UTF-8", "jupyterlab": "de_DE"}, "de"),
        ({"LANG": "de_DE.UTF-8", "jupyterlab": "de_DE", "TL_WIDGETS_LANG": "en_GB"}, "en"),
        ({"TL_WIDGETS_LANG": "xx"}, "en"),
    ],
)
def test_the_language_is_chosen(tmp_path, monkeypatch, settings, expected):
    settings = dict(settings)
    for name in list(os.environ):
        if name.startswith(("LC_", "LANG", translation.VARIABLE)):
            monkeypatch.delenv(name)
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path))
    monkeypatch.setattr(translation, "OFFERED", frozenset(settings.pop("offered", ("de",))))
    if jupyterlab := settings.pop("jupyterlab", ""):
        file = tmp_path / translation._SETTINGS
        file.parent.mkdir(parents=True)
        file.write_text(f'{{\n    // the language\n    "locale": "{jupyterlab}"\n}}')
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert translation.language.__wrapped__() == expected


@pytest.mark.parametrize(
    ("text", "number"),
    [("1.000", 1000), ("0,001", 0.001), ("0.001", 0.001), ("2.5", 2.5), ("12.500,5", 12_500.5), ("1e-3", 0.001)],
)
def test_numbers_are_typed_with_a_decimal_comma_or_a_point(text, number, monkeypatch):
    monkeypatch.setattr("tl_widgets.core.numbers.language", lambda: "de")
    assert typed_number(text) == number
