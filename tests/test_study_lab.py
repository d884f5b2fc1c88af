"""StudyLab without a browser and in a real kernel: real studies on tiny data, driven through its public parts."""

import json
import re
from importlib import import_module
from itertools import combinations, pairwise
from xml.etree import ElementTree

import nbformat
import pytest
from helpers import own_dataset, page, wait_until
from ipywidgets.widgets.widget import _instances
from nbclient import NotebookClient

from tl_widgets import InputError, StudyLab, TransferLab, learning_curve, load_dataset
from tl_widgets.core.model_name import ModelName
from tl_widgets.core.numbers import rough_duration
from tl_widgets.plots.svg import text_width
from tl_widgets.setup_checks.registry import MISTAKES
from tl_widgets.studies.guess import BANDS
from tl_widgets.studies.registry import STUDIES, TOPICS
from tl_widgets.studies.stage import Axis, Dot, StageChart, stage_svg
from tl_widgets.studies.stage_guess import GuessMarks
from tl_widgets.widgets.shared.html import page_file
from tl_widgets.widgets.studies.settings import StudySettings, controls_of

pytestmark = pytest.mark.usefixtures("tiny_default")

DATA = {"image_size": 32, "sizes": (2, 4), "seeds": (0, 1), "epochs": 2}
TINY = {"image_size": 32, "n_per_class": 4, "epochs": 2}


@pytest.fixture
def make_lab(tmp_path, monkeypatch):
    """Make apps in a folder of their own; they are closed at the end, however the test ends."""
    monkeypatch.chdir(tmp_path)
    made = []

    def make(*args, **kwargs):
        made.append(StudyLab(*args, **kwargs))
        return made[-1]

    yield make
    for lab in made:
        lab.close()
        if lab.last_run is not None:
            assert lab.last_run.finished.wait(30)


def state(lab):
    return re.search(r'data-state="(\w+)"', page(lab))[1]


# A model of the learner's own


def save_model(path, *layers):
    import keras

    model = keras.Sequential([keras.Input((32, 32, 3)), *layers, keras.layers.Flatten(), keras.layers.Dense(2, "relu")])
    model.compile("adam", "sparse_categorical_crossentropy")
    model.save(path)


def upload(view, path):
    def tell(step, *buffers, **content):
        view._on_message(view, {"number": "7", "upload": "u", "step": step, **content}, list(buffers))

    data = path.read_bytes()
    tell("begin", files=[[path.name, len(data)]])
    tell("part", memoryview(data), file=0, start=0)
    tell("end")


def test_a_model_of_any_origin_is_checked_and_what_is_wrong_is_listed(make_lab, tmp_path):
    import keras

    assert make_lab("data").own_model is None
    (there := tmp_path / "elsewhere").mkdir()
    save_model(there / "<b>mine.keras", keras.layers.Conv2D(4, 3, activation="relu"))
    save_model(tmp_path / "bad.keras", keras.layers.Lambda(lambda x: x))
    panel = make_lab().own_model
    panel.check().wait()
    assert "Choose a model first" in page(panel)
    upload(panel.upload, there / "<b>mine.keras")
    panel.check().wait()
    assert "Type the path of the folder or archive" in page(panel)
    panel.data.value = "faces"
    panel.check().wait()
    text = page(panel)
    assert "The model ends with relu (2 units)" in text
    assert "<span>fix</span> <code>keras.layers.Dense(2, activation=&#34;softmax&#34;)</code>" in text
    assert "&lt;b&gt;mine.keras · faces" in text
    assert "<b>mine" not in text
    panel.file.value = "bad.keras"
    panel.check().wait()
    assert "bad.keras holds a layer Lambda, which would run code from the file" in page(panel)
    assert panel.stop_button.disabled
    assert not panel.check_button.disabled
    panel.release()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.keras", "elsewhere"]  # the upload is gone


# Settings and controls


def test_every_study_has_its_panel_and_its_record_names_a_class():
    for name, study in STUDIES.items():
        assert controls_of(name)
        for kind in study.results():
            with pytest.raises(InputError):
                study.read("{}", kind.__name__)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (("tulips", {}), "no study 'tulips'; choose one of data, time"),
        (("data", {"size": (2,)}), "has no control 'size'; it has dataset, image_size, sizes"),
        (("data", {"sizes": ()}), "sizes must be one or more whole numbers"),
        (("data", {"sizes": "2,4"}), "sizes must be one or more whole numbers"),
        (("data", {"seeds": (1, 1)}), "seeds must all be different"),
        (("data", {"arms": ("none",)}), "arms must be some of"),
        (("time", {"epochs": 0}), "epochs must be"),
        (("time", {"epochs": "x"}), "epochs must be"),
        (("mistake", {"mistake": "none"}), "mistake must be one of raw_pixels"),
        (("backbones", {"backbones": ("Xceptio",)}), "Did you mean Xception"),
        (("data", [1]), "values must map names"),
    ],
)
def test_settings_that_cannot_be_are_refused_in_words(settings, said):
    with pytest.raises(InputError, match=re.escape(said)):
        StudySettings(*settings)


def test_what_the_app_refuses_leaves_no_widget():
    before = len(_instances)
    for arguments in ((None, "textures"), ("data", None, {"sizes": (2, 999)}), ("x",)):
        with pytest.raises(InputError):
            StudyLab(*arguments[:2], values=arguments[2] if len(arguments) > 2 else None)
    assert len(_instances) == before


def test_controls_change_settings_and_settings_move_controls(make_lab):
    lab = make_lab()
    lab.form.control("sizes").value = "8, 2 4"
    lab.form.control("seeds").value = 2
    assert (lab.settings.values["sizes"], lab.settings.values["seeds"]) == ((2, 4, 8), (0, 1))
    assert "<b>12 models</b>: 3 sizes × 2 seeds × 2 kinds of model" in page(lab)
    lab.settings = lab.settings.with_values({"seeds": (3, 5, 9), "sizes": (10,)})
    assert (lab.form.control("seeds").value, lab.form.control("sizes").value) == (3, "10")
    for wrong, said in (("2, x", "is not a list of whole numbers"), ("2, 999", "Choose at most 50")):
        lab.form.control("sizes").value = wrong
        assert said in page(lab)
        assert lab.settings.values["sizes"] == (10,)
        assert lab.form.control("sizes").value == "10"


def test_each_study_keeps_its_values_while_another_is_looked_at(make_lab):
    lab = make_lab()
    lab.form.control("epochs").value = 7
    n_widgets = len(_instances)
    for study in (*STUDIES, "data"):
        lab.form.choose(study)
        assert lab.settings.study == study
        assert set(lab.settings.values) == {control.name for control in controls_of(study)}
    assert lab.form.control("epochs").value == 7
    assert len(_instances) == n_widgets


def test_another_data_set_has_only_so_many_images(make_lab):
    lab = make_lab("data", values={"dataset": "digits", "sizes": (5, 70)})
    lab.form.control("dataset").value = "textures"
    assert lab.settings.values["sizes"] == (5, 50)


# Running


def test_the_app_measures_what_the_function_does_and_says_how_long_it_takes(make_lab):
    lab = make_lab("data", values=DATA)
    assert "judging by the last run" not in page(lab)
    assert re.search(r"about <b>\d+ s</b>\.", page(lab))  # from the speed of this machine
    curve = lab.run(wait=True).result
    assert lab.result is curve
    textures = load_dataset("textures", image_size=32)
    expected = learning_curve(textures, n_per_class=(2, 4), seeds=(0, 1), arms=("scratch", "transfer"), epochs=2)
    found = [(p.arm, p.n_per_class, p.seed, p.test_accuracy) for p in curve.points]
    assert found == [(p.arm, p.n_per_class, p.seed, p.test_accuracy) for p in expected.points]
    shown = page(lab)
    assert state(lab) == "done"
    assert all(sentence in shown for sentence in curve.sentences)
    assert '<img alt="Line chart of test accuracy' in shown
    assert "judging by the last run" in shown
    took = lab._estimator.seconds(lab.settings)
    assert f"about <b>{rough_duration(took)}</b>, judging by the last run" in shown
    lab.form.control("epochs").value = 40
    assert took < lab._estimator.seconds(lab.settings) < 20 * took  # building the models costs the same


@pytest.mark.parametrize(
    ("study", "values", "record"),
    [
        ("time", TINY, "TimeStudy"),
        ("backbones", {**TINY, "control": False}, "BackboneStudy"),
        ("fine-tuning", {**TINY, "dataset": "faces", "more_epochs": 1}, None),
        ("inside", {**TINY, "images": 1}, "LookInside"),
        ("repeat", {**TINY, "repeats": 2}, None),
        ("depth", {**TINY, "control": False, "seeds": (0,)}, "DepthStudy"),
        ("heads", {**TINY, "control": False}, "HeadStudy"),
        ("stress", {**TINY, "images": 3}, "StressTest"),
        ("noise", {**TINY, "shares": (0, 25), "seeds": (0,)}, "LabelNoise"),
        ("size", {**TINY, "sizes": (32, 40), "seeds": (0,)}, "SizeStudy"),
        ("opponent", {"image_size": 32, "n_per_class": 4, "budget": 1, "passes": 4}, "TunedOpponent"),
        ("sure", TINY, "Calibration"),
        ("cures", {"image_size": 32, "few": 3, "epochs": 2, "seeds": (0,)}, "OverfittingCures"),
    ],
)
def test_every_study_runs_is_saved_and_is_read_back(make_lab, tmp_path, study, values, record):
    lab = make_lab(study, values=values)
    result = lab.run(wait=True).result
    assert state(lab) == "done", page(lab)
    assert json.loads(result.to_json()).get("study") == record
    headline = STUDIES[study].headline(result)
    assert headline in lab.screen.outcome.headline.value
    assert len(headline) < 160
    assert ". " not in headline
    paper = lab.paper._html
    assert headline in paper
    has_narrow = STUDIES[study].draw_narrow(result) is not None
    assert paper.count('<img alt="') == 1 + has_narrow  # another for a narrow page
    assert "tlw-sr" not in paper  # what only a style sheet hides
    shown = lab.screen.sentences.value
    lab.screen.save_button.click()
    assert {f"study-{study}.json", f"study-{study}.png"} == {path.name for path in tmp_path.iterdir()}
    again = make_lab()
    assert again.load(f"study-{study}.json").to_json() == result.to_json()
    assert again.settings.study == study
    facts = f"; read from study-{study}.json"
    assert again.screen.sentences.value.replace(facts, "") == shown


def test_the_guess_comes_first(make_lab):
    lab = make_lab("mistake", values={"mistake": "trainable_without_compile"})
    study = lab.run(wait=True).result
    assert (study.right, study.wrong) == (1.0, 0.0)
    assert "The result is ready. Keep your guess on the left" in page(lab)
    assert not any(sentence in page(lab) for sentence in study.sentences)
    assert lab.screen.save_button.disabled
    lab.screen.guess.button.click()
    assert "Choose an answer first" in page(lab)
    lab.screen.guess.field.value = "ruined (more than 30 points)"
    lab.screen.guess.button.click()
    assert all(sentence in page(lab) for sentence in study.sentences)
    assert "You guessed “ruined (more than 30 points)”, and that is right." in page(lab)
    assert lab.screen.guess.field.disabled
    lab.form.control("mistake").value = "bottleneck"
    assert not lab.screen.guess.field.disabled
    assert MISTAKES["bottleneck"].wrong in page(lab)


def test_all_mistakes_are_measured_in_one_go_stopped_saved_and_read_back(make_lab, monkeypatch):
    lab, on_event = make_lab("mistake", values={"mistake": "all"}), None
    assert "<b>22 models</b>: each of 11 mistakes beside the right way, each on its own images" in page(lab)
    assert "How many of them will make a clear difference?" in page(lab)
    on_event = lab.screen.on_event

    def stop_after_two(event):
        on_event(event)
        if event.phase == "study" and event.n_done == 2:
            lab.stop()

    monkeypatch.setattr(lab.screen, "on_event", stop_after_two)
    found = lab.run(wait=True).result
    assert state(lab) == "stopped", page(lab)
    assert [study.mistake for study in found.studies] == list(MISTAKES)[:2]
    assert "The result is ready. Keep your guess on the left" in page(lab)
    lab.screen.guess.field.value = "all 11"
    lab.screen.guess.button.click()
    assert "You guessed" not in page(lab)  # two of eleven say nothing of how many there are
    n_clear = sum(study.measured.is_clear for study in found.studies)
    assert lab.screen.guess.sentence(STUDIES["mistake"].guess(lab.settings.arguments), found) == (
        f"You guessed “all 11”; the result is “{'1 to 3' if n_clear else 'none'}”."
    )
    assert f"{n_clear} of 2 mistakes" in page(lab)
    assert "digits, 64 pixels" in page(lab)
    # The numbers, for those who do not see the figure:
    assert "Raw pixels: images digits, 64 px, 50; right (95% interval) " in lab.screen.figure.value
    lab.screen.save_button.click()
    assert "tl_widgets.MistakeStudies.from_json" in page(lab)
    again = make_lab()
    assert again.load("study-mistake.json") == found
    assert again.settings.study == "mistake"


# Cards, chart and guess


def clicked(picture, key):
    """Click a part of a Picture, as the browser reports it."""
    picture._on_message(picture, {"click": key}, [])


def dots(lab):
    return lab.screen.stage.chart.markup.count('class="tlw-dot"')


def test_topics_and_their_studies_have_a_tab_stop_each_and_one_study_alone_has_none(make_lab):
    lab = make_lab()
    shown = []
    for topic, title in TOPICS.items():
        clicked(lab.form.cards, f"topic:{topic}")
        markup = lab.form.cards.markup
        studies = [name for name, study in STUDIES.items() if study.topic == topic]
        pressed = {f"topic:{topic}", studies[0]}
        assert re.findall(r'data-click="([^"]+)" aria-pressed="(\w+)"', markup) == [
            (key, str(key in pressed).lower()) for key in [*(f"topic:{name}" for name in TOPICS), *studies]
        ]
        assert f'role="group" aria-label="{title}"' in markup
        assert markup.count("tabindex") == 2
        assert all(STUDIES[name].question in markup and STUDIES[name].sketch in markup for name in studies)
        assert lab.settings.study == studies[0]
        shown += studies
    assert sorted(shown) == sorted(STUDIES)
    lab.form.choose("time")
    clicked(lab.form.cards, "topic:trust")
    clicked(lab.form.cards, "topic:effort")  # where the last choice was another card than the first
    assert lab.settings.study == "time"
    assert 'data-click="time" aria-pressed="true"' in lab.form.cards.markup
    assert re.search(r"<small>24 models, ~\d+ s</small>", lab.form.cards.markup)
    clicked(lab.form.cards, "data")
    assert lab.settings.study == "data"
    alone = make_lab("data")
    assert alone.form.cards.markup == ""
    assert "tlw-study-card" not in page(alone).replace(".tlw-study-card", "")


@pytest.mark.parametrize("study", [name for name in STUDIES if name != "inside"])
def test_axes_with_titles_stand_there_before_anything_is_measured(make_lab, study):
    lab = make_lab(study)
    svg, _, table = lab.screen.stage.chart.markup.rpartition("</svg>")
    assert "Nothing is measured yet." in svg
    assert table == ""
    assert dots(lab) == 0
    assert re.search(r">(training images per class|seconds|milliseconds|epochs|seed|accuracy)", svg)
    ElementTree.fromstring(f"{svg}</svg>")


def test_quick_and_thorough_set_the_controls_and_say_their_seconds(make_lab):
    lab = make_lab("repeat", values={"image_size": 32, "n_per_class": 4, "epochs": 5})
    assert 'data-click="thorough" aria-pressed="false"' in lab.form.paces.markup
    clicked(lab.form.paces, "quick")
    assert (lab.settings.values["repeats"], lab.settings.values["n_per_class"]) == (2, 4)
    assert 'data-click="quick" aria-pressed="true"' in lab.form.paces.markup
    assert len(re.findall(r"~\d+ s", lab.form.paces.markup)) == 2  # from the speed of this machine
    lab.run(wait=True)
    quick, thorough = (lab._estimator.seconds(lab.form._at_pace(pace)) for pace in ("quick", "thorough"))
    assert quick < thorough
    clicked(lab.form.paces, "thorough")
    assert (lab.settings.values["repeats"], lab.settings.values["epochs"]) == (3, 10)
    lab = make_lab(None, own_dataset())
    clicked(lab.form.paces, "quick")
    assert lab.settings.values["sizes"] == (2, 5, 6)  # the set has no ten of a class


def test_points_drop_in_while_they_are_measured(make_lab, monkeypatch):
    lab, seen = make_lab("data", values={**DATA, "seeds": (0,)}), []
    on_event = lab.screen.on_event

    def watch(event):
        on_event(event)
        if event.point is not None:
            lab.screen.stage.draw()
            seen.append((event.point.arm, dots(lab)))

    monkeypatch.setattr(lab.screen, "on_event", watch)
    lab.run(wait=True)
    assert seen == [("transfer", 1), ("transfer", 2), ("scratch", 3), ("scratch", 4)]
    assert dots(lab) == 4
    assert "<caption>Test accuracy against training images per class</caption>" in lab.screen.stage.chart.markup


def test_a_curve_grows_with_the_epochs(make_lab, monkeypatch):
    lab, counts = make_lab("time", values=TINY), []
    on_event = lab.screen.on_event

    def watch(event):
        on_event(event)
        if event.metrics:
            lab.screen.stage.draw()
            counts.append(dots(lab))

    monkeypatch.setattr(lab.screen, "on_event", watch)
    lab.run(wait=True)
    assert counts == [1, 2, 3, 4]
    assert dots(lab) == 4


def test_a_guess_is_given_on_the_axes_drawn_there_and_kept_when_the_run_starts(make_lab):
    lab = make_lab("data", values=DATA)
    chart, box = lab.screen.stage.chart, lab.screen.guess
    assert "tlw-guess-mark" not in chart.markup
    clicked(chart, "guess:3")
    assert box.field.value == "3×"
    assert "tlw-guess-mark" in chart.markup
    assert 'data-click="guess:3" aria-pressed="true"' in chart.markup
    box.field.value = "5×"
    assert 'data-click="guess:4" aria-pressed="true"' in chart.markup
    curve = lab.run(wait=True).result
    assert "You guessed “5×”" in lab.screen.outcome.headline.value
    assert STUDIES["data"].headline(curve) in lab.screen.outcome.headline.value
    assert "tlw-guess-mark" in chart.markup
    assert 'data-click="guess:' not in chart.markup  # it can't be changed any more
    assert box.field.disabled
    clicked(chart, "guess:0")
    assert box.field.value == "5×"


@pytest.mark.parametrize("keep", [False, True])
def test_a_guess_stays_while_its_question_and_options_do(make_lab, keep):
    lab = make_lab("data")
    box = lab.screen.guess
    clicked(lab.screen.stage.chart, "guess:3")
    if keep:
        box.button.click()
    for pace in ("quick", "thorough"):
        clicked(lab.form.paces, pace)
        assert (box.field.value, box.field.disabled) == ("3×", keep)
        assert ("Your guess is kept." in page(lab)) == keep
        assert "your guess: 3×" in lab.screen.stage.chart.markup
    lab.settings = lab.settings.with_values({**DATA, "seeds": (0,)})
    lab.run(wait=True)
    assert "You guessed “3×”" in lab.screen.outcome.headline.value
    lab.form.control("sizes").value = "2, 8"
    assert (box.field.value, box.field.disabled) == ("3×", False)  # its answer was shown: it may change


def test_the_options_of_a_guess_are_a_row_of_their_own(make_lab):
    for study in ("mistake", "data", "time"):
        markup = make_lab(study).screen.stage.chart.markup
        rects = re.findall(r'<g class="tlw-option".*?<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)"', markup)
        boxes = [tuple(map(float, rect)) for rect in rects]
        assert len(boxes) >= 5
        assert len({top for _, top, _ in boxes}) == 1
        for (left, _, width), (after, _, _) in pairwise(boxes):
            assert left + width + 4 < after
        assert boxes[0][0] == 2
        assert boxes[-1][0] + boxes[-1][2] <= 626


def test_every_backbone_is_named_and_no_name_covers_a_bar():
    names = ("SqueezeNet", "EfficientNetLite0", "EfficientNetLite1", "EfficientNetLite2", "MobileNetV2")
    places = ((0.54, 0.66), (1.4, 1.0), (1.4, 0.99), (1.9, 1.0), (0.56, 0.6))
    dots = [
        Dot("transfer", x, y, (y - 0.06, min(1.0, y + 0.06)), name, name)
        for name, (x, y) in zip(names, places, strict=True)
    ]
    x = Axis.of_values("milliseconds", [], 0.5, 200.0)
    chart = StageChart("Backbones", x, Axis.share("accuracy"), ("transfer",), tuple(dots), joined=False)
    svg = re.sub(r"<table.*", "", stage_svg(chart, None, width=626, height=326))
    labels = []
    for name in names:
        place = re.search(rf'<text x="([\d.]+)" y="([\d.]+)"[^>]*>{name}</text>', svg)
        assert place, name
        left, base = map(float, place.groups())
        labels.append((left, base - 9, left + text_width(name), base + 2))
    bars = re.findall(r'class="tlw-interval" d="M([\d.]+) ([\d.]+)V([\d.]+)', svg)
    bars = [(float(x) - 4, float(top), float(x) + 4, float(bottom)) for x, bottom, top in bars]
    assert len(bars) == len(names)
    boxes = labels + bars
    for i, one in enumerate(labels):
        for other in boxes[i + 1 :]:
            assert one[2] < other[0] or other[2] < one[0] or one[3] < other[1] or other[3] < one[1]


@pytest.mark.parametrize("width", [260, 400])
def test_on_a_narrow_page_the_texts_of_a_chart_keep_their_size_and_touch_none(width):
    named = tuple((float(i), name) for i, name in enumerate(("unchanged", "mild", "medium", "strong")))
    sizes = tuple((float(size), str(size)) for size in (2, 4, 8, 10, 20, 50, 100, 200))
    share, models = Axis.share("accuracy on the changed test images"), ("scratch", "transfer", "control", "fine_tuned")
    right = (Dot("right", 0.4, 0, (0.3, 0.5), "Dense layer"), Dot("right", 0.7, 1, (0.6, 0.8), "nearest neighbors"))
    charts = (
        (StageChart("Severity", Axis("severity", -0.3, 3.3, named), share, models), "y", len(named)),
        (StageChart("Sizes", Axis("images per class", 1.7, 240, sizes, log=True), share, models[:2]), "x", 3),
        (StageChart("Heads", Axis.share("x " * 60), Axis("", 0, 1, ()), ("right",), right, ("Dense" * 6, "b")), "x", 5),
    )
    options = tuple((option, (i / 5, i / 5 + 0.2)) for i, option in enumerate(BANDS))
    for chart, axis, n_ticks in charts:
        svg = re.sub(
            r"<table.*|<g data-stop.*", "", stage_svg(chart, GuessMarks(axis, options), width=width, height=300)
        )
        assert f'width="{width}"' in svg
        boxes = []
        for x, y, look, text in re.findall(r'<text x="([\d.-]+)" y="([\d.]+)" font-size="11"([^>]*)>([^<]+)<', svg):
            side = 0.5 if "middle" in look else 1.0 if '"end"' in look else 0.0
            left = float(x) - side * text_width(text)
            boxes.append((left, float(y) - 8, left + text_width(text), float(y) + 1, text))
        ticks = [box for box in boxes if box[4] in {label for _, label in chart.x.ticks}]
        assert len(ticks) >= n_ticks
        assert {option for option, _ in options} <= {box[4] for box in boxes}
        assert all(box[0] >= -8 and box[2] <= width + 8 and 0 < box[1] < 300 for box in boxes)
        for one, other in combinations(boxes, 2):
            assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1], (one, other)


def test_look_inside_promises_pictures_and_no_points(make_lab):
    lab = make_lab("inside")
    assert "each point drops in" not in page(lab)
    assert "then you see where both models look" in page(lab)


def test_the_rules_of_the_screen_outweigh_those_of_the_lab_wherever_these_come():
    rules = re.findall(r"^ *(\.tlw[^{]*)\{", page_file("studies/layout.css"), re.MULTILINE)
    assert len(rules) > 30
    assert all(part.strip().startswith(".tlw.tlw-lab") for rule in rules for part in re.split(r", (?=\.tlw\.)", rule))
    stage = page_file("studies/layout.css")
    for part in (".tlw-views", ".tlw-views > .widget-tab-contents", ".tlw-stage > .tlw-race", ".tlw-drawer"):
        rule = re.search(rf":has\([^)]*\) {re.escape(part)} \{{([^}}]*)\}}", stage)
        assert re.search(r"height: 3[36]0px", rule[1])


def test_without_a_guess_the_points_are_shown_and_the_question_is_closed(make_lab):
    lab = make_lab("data", values=DATA)
    lab.run(wait=True)
    assert dots(lab) > 4
    assert "You guessed" not in page(lab)
    assert lab.screen.guess.field.disabled
    lab.form.control("sizes").value = "2, 8"
    assert not lab.screen.guess.field.disabled  # another question
    assert dots(lab) == 0


def test_a_result_belongs_to_its_card(make_lab):
    lab = make_lab()
    lab.form.choose("time")
    lab.settings = lab.settings.with_values(TINY)
    result = lab.run(wait=True).result
    shown = [lab.screen.outcome.headline.value, lab.screen.figure.value, lab.screen.stage.chart.markup]
    lab.form.choose("data")
    assert not any(sentence in page(lab) for sentence in result.sentences)
    assert "<img" not in lab.screen.figure.value
    assert (dots(lab), lab.screen.save_button.disabled) == (0, True)
    lab.form.choose("time")
    assert [lab.screen.outcome.headline.value, lab.screen.figure.value, lab.screen.stage.chart.markup] == shown
    assert not lab.screen.save_button.disabled
    n_widgets = len(_instances)
    lab.run(wait=True)
    assert len(_instances) == n_widgets  # no widget is left behind


def test_right_and_wrong_have_no_color_of_a_model(make_lab):
    lab = make_lab("mistake", values={"mistake": "trainable_without_compile"})
    lab.screen.guess.field.value = "too close to call"
    lab.run(wait=True)
    assert dots(lab) == 2
    for model in ModelName:
        assert model.color.lower() not in lab.screen.stage.chart.markup.lower()
        assert f"--tlw-{model}" not in lab.screen.stage.chart.markup


# Stop, trouble, turns


def test_stop_shows_what_was_measured_and_before_that_keeps_what_there_was(make_lab):
    lab = make_lab("data", values=DATA)
    first = lab.run(wait=True).result
    lab.settings = lab.settings.with_values({"sizes": (2, 50), "epochs": 300, "seeds": (0, 1, 2)})
    run = lab.run()
    assert lab.form.control("epochs").disabled
    assert lab.run() is run
    with pytest.raises(InputError, match="is running"):
        lab.settings = lab.settings
    with pytest.raises(InputError, match="is running"):
        lab.load("x.json")
    wait_until(lambda: "measured transfer" in page(lab))
    lab.stop()
    stopped = run.wait(30)
    assert stopped.stopped
    assert stopped.points
    assert lab.result is stopped
    assert state(lab) == "stopped"
    assert "This is what was measured so far" in page(lab)
    lab.settings = lab.settings.with_values({"arms": ("scratch", "transfer", "control")})
    run = lab.run()
    run.stop()
    assert run.wait(30) is None or not run.result.points
    assert "Stopped before there was anything to show. The last result is still shown below." in page(lab)
    assert lab.result is not first
    assert not lab.form.control("epochs").disabled


def test_a_stopped_study_of_backbones_is_gone_on_with(make_lab, monkeypatch):
    lab = make_lab("backbones", values={**TINY, "backbones": ("EfficientNetLite0",)})
    button, heard, on_event = lab.screen.go_on_button, [], lab.screen.on_event
    with pytest.raises(InputError, match="no stopped study"):
        lab.go_on()

    def stop_after_the_first(event):
        heard.append(event)
        on_event(event)
        if event.phase == "study" and event.n_done == 1:
            lab.stop()

    monkeypatch.setattr(lab.screen, "on_event", stop_after_the_first)
    assert button.disabled
    first = lab.run(wait=True).result
    assert first.stopped
    assert (len(first.points), first.control) == (1, None)
    assert "“Go on” measures the rest." in page(lab)
    assert (button.layout.visibility, button.disabled) == ("visible", False)
    lab.screen.save_button.click()
    lab.form.control("epochs").value = 3
    assert lab.go_on(wait=True).result is None
    assert "The study cannot be resumed: epochs=2 there and 3 here" in page(lab)
    assert not button.disabled
    lab.form.control("epochs").value = 2
    heard.clear()
    button.click()
    second = lab.last_run.wait(60)
    assert not second.stopped
    assert second.points == first.points  # milliseconds, too: nothing was measured twice
    assert second.control is not None
    assert {event.n_total for event in heard if event.phase == "study"} == {1}
    assert button.disabled
    assert "judging by the last run" not in page(lab)  # a part says nothing of the whole
    again = make_lab()
    again.load("study-backbones.json")
    assert not again.screen.go_on_button.disabled
    assert again.screen.go_on_button.description.startswith("Go on · ")
    again.form.choose("data")
    assert again.screen.go_on_button.layout.visibility == "hidden"


def test_trouble_is_a_sentence_and_the_last_result_stays(make_lab, monkeypatch):
    lab = make_lab("time", values=TINY)
    good = lab.run(wait=True).result
    lab.form.control("backbone").value = "Xception"  # wants 71 pixels
    assert lab.run(wait=True).result is None
    assert state(lab) == "error"
    assert 'role="alert"' in page(lab)
    assert "Traceback" not in page(lab)
    assert "Not finished. The last result is still shown below." in page(lab)
    assert lab.result is good
    assert good.sentences[0] in page(lab)

    def explode(*_, **__):
        raise RuntimeError("<i>boom</i>")

    monkeypatch.setattr(import_module("tl_widgets.studies.time.result"), "time_study", explode)
    lab.form.control("backbone").value = "EfficientNetLite0"
    lab.run(wait=True)
    assert "RuntimeError: &lt;i&gt;boom" in page(lab)
    assert "<details>" in page(lab)


def test_two_apps_take_turns(make_lab):
    first = make_lab("time", values={**TINY, "epochs": 3000})
    second = make_lab("time", values=TINY)
    one = first.run()
    wait_until(lambda: "epoch" in page(first))
    two = second.run()
    wait_until(lambda: "waiting for other work" in page(second))
    first.stop()
    assert one.wait(30) is not None
    assert two.wait(60).sentences


def test_own_images_with_markup_in_their_names(make_lab):
    lab = make_lab(None, own_dataset())
    assert lab.form.control("dataset").disabled
    assert lab.settings.values["sizes"] == (2, 5, 6)
    lab.settings = lab.settings.with_values({"sizes": (2,), "seeds": (0,), "epochs": 1})
    assert lab.run(wait=True).result.dataset.name == "<i>mine</i>"
    lab.form.choose("mistake")
    lab.settings = lab.settings.with_values({"mistake": "trainable_without_compile"})
    assert lab.run(wait=True).result.dataset.name == "<i>mine</i>"
    assert "<i>mine" not in page(lab)
    assert "<b>cats" not in page(lab)


# Files


def test_saving_never_overwrites_and_says_its_troubles(make_lab, tmp_path):
    lab = make_lab("data", values={**DATA, "arms": ("transfer",), "seeds": (0,)})
    lab.run(wait=True)
    (tmp_path / "mine.png").write_text("precious")
    lab.screen.file.value = "mine"
    lab.screen.save_button.click()
    lab.screen.save_button.click()
    for name in ("mine-3.json", "mine-3.png"):
        assert f'<a href="{name}" target="_blank" rel="noopener"' in page(lab)
    assert (tmp_path / "mine.png").read_text() == "precious"
    assert not (tmp_path / "mine.json").exists()
    assert list(lab.screen.record.options) == ["mine-3.json", "mine-2.json"]
    for name, said in {
        "no/folder/x": "does not exist",
        "a\0b": "no file can be called",
        "x" * 252: "255 bytes",
    }.items():
        lab.screen.file.value = name
        lab.screen.save_button.click()
        assert said in lab.screen.file_message.value
    with pytest.raises(InputError, match="record must be the path"):
        lab.load(3)
    resource = pytest.importorskip("resource", reason="no limits on files' sizes")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    record, figure = ((tmp_path / f"mine-3{suffix}").stat().st_size for suffix in (".json", ".png"))
    assert record < figure
    resource.setrlimit(resource.RLIMIT_FSIZE, ((record + figure) // 2, hard))
    try:
        lab.screen.file.value = "half"
        lab.screen.save_button.click()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "Cannot write half.png: File too large. Written: half.json." in lab.screen.file_message.value
    assert {path.name for path in tmp_path.glob("half*")} == {"half.json"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "there is no file"),
        ("", "Type or choose the name"),
        ("<html>", "valid JSON: line 1 can"),
        ("[1]", "not a record of a study"),
        ("[" * 100_000, "is not a record"),
        (b"\xff\xfe\x00", "is not a text file"),
        ('{"format": 1, "study": "<b>TimeStudy"}', "can be shown"),
        ('{"format": 1, "study": "LearningCurve"}', "not a record of a LearningCurve"),
    ],
)
def test_what_is_no_record_is_a_sentence(make_lab, tmp_path, content, said):
    lab = make_lab("data")
    lab.screen.record.value = "x.json" if content != "" else ""
    if content:
        (tmp_path / "x.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    lab.screen.load_button.click()
    assert said in lab.screen.file_message.value
    assert 'role="alert"' in lab.screen.file_message.value
    assert "Something went wrong" not in lab.screen.file_message.value
    assert lab.result is None


# In a kernel


@pytest.mark.slow
def test_in_a_real_kernel_it_is_awaited_saved_and_leaves_nothing_behind(tmp_path):
    setup = f"from tl_widgets import StudyLab\nvalues = { ({**DATA, 'arms': ('scratch',), 'seeds': (0,)})!r}"
    show = "lab = StudyLab('data', values=values)\nlab"
    cells = [setup, show, "curve = await lab.run().done()\nprint(lab, len(curve.points), lab.is_running)"]
    count = "from ipywidgets.widgets.widget import _instances\nprint(len(_instances))"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in (*cells, count)])
    client = NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}})
    with client.setup_kernel():
        for i, cell in enumerate(notebook.cells):
            client.execute_cell(cell, i)
        client.set_widgets_metadata()
        once = int(notebook.cells[3].outputs[0].text)
        widgets = notebook.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"]
        for i in (1, 1, 1, 3):
            client.execute_cell(notebook.cells[i], i)
    text = "StudyLab: experiments with many models (needs a live notebook)"
    assert notebook.cells[1].outputs[0].data["text/plain"] == text
    assert notebook.cells[2].outputs[0].text == f"{text} 2 False\n"
    assert int(notebook.cells[3].outputs[0].text) == once
    texts = [str(widget["state"].get("value", "")) for widget in widgets.values()]
    assert any('data-state="done"' in text for text in texts)
    assert any("<img alt=" in text and "Line chart of test accuracy" in text for text in texts)


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("image_size", "5000", "Image size: choose a number from 16 to 512; received 5000."),
        ("image_size", "8", "Image size: choose a number from 16 to 512; received 8."),
        ("image_size", "64.5", "Image size: &#39;64.5&#39; is not a whole number."),
        ("epochs", "0", "Epochs: choose a number from 1 to 10,000; received 0."),
        ("seeds", "500", "Seeds: choose a number from 1 to 20; received 500."),
    ],
)
def test_a_number_outside_its_limits_is_rejected_with_a_sentence(make_lab, name, text, problem):
    lab = make_lab("data", values=DATA)
    before, field = lab.settings, lab.form.control(name)
    shown = field.value
    field._on_message(field, {"text": text}, [])
    assert problem in lab.form.problem.value
    assert (lab.settings, field.value) == (before, shown)
    field._on_message(field, {"text": str(shown + 1)}, [])
    assert lab.form.problem.value == ""
    assert field.value == shown + 1
    assert lab.settings != before


def test_too_many_blocks_are_rejected_at_their_field():
    blocks = TransferLab().panel.control("blocks")
    answers = []
    blocks.send = answers.append
    blocks._on_message(blocks, {"text": "9"}, [])
    assert answers == [{"problem": "Blocks: Choose a number from 1 to 6; received 9."}]
    assert blocks.value == 3


@pytest.mark.parametrize("study", STUDIES)
def test_every_study_says_its_seconds_before_the_first_press(make_lab, study):
    lab = make_lab(study)
    before = lab._estimator.seconds(lab.settings)
    assert 1 < before < 3600
    assert f"about <b>{rough_duration(before)}</b>." in page(lab)
    if (
        study not in ("backbones", "depth", "heads") and "epochs" in lab.settings.values
    ):  # there, features take the time
        lab.form.control("epochs").value *= 4
        assert lab._estimator.seconds(lab.settings) > 1.5 * before
