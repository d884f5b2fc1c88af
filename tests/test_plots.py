"""Figures are checked by their artists (labels, heights, texts), never by pixels. Nothing is trained."""

import io
import itertools
import json
import subprocess
import sys
import threading
from dataclasses import replace
from itertools import pairwise

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure

from tl_widgets.core.config import Config
from tl_widgets.core.errors import InputError
from tl_widgets.core.numbers import seconds_text, short_count
from tl_widgets.data.dataset import ImageDataset, Split
from tl_widgets.plots import glyphs, style
from tl_widgets.plots.comparison import (
    alt_text,
    dataset_alt_text,
    figure_html,
    figure_png,
    plot_accuracy,
    plot_comparison,
    plot_confusion,
    plot_dataset,
    plot_parameters,
    plot_predictions,
    plot_recall,
    plot_seconds,
    plot_test_accuracy,
)
from tl_widgets.plots.images import interesting_rows
from tl_widgets.plots.labels import shortened
from tl_widgets.plots.style import color_of, root_figure
from tl_widgets.records.comparison import (
    Comparison,
    DatasetSummary,
    Environment,
    History,
    RunResult,
    Seconds,
)
from tl_widgets.records.parameters import ParameterCount
from tl_widgets.records.verdict import judge

PARAMS = {
    "scratch": ParameterCount(1_280_000, 0),
    "transfer": ParameterCount(3_843, 3_371_024),
    "control": ParameterCount(3_843, 3_371_024),
    "fine_tuned": ParameterCount(412_803, 2_962_064),
}
SECONDS = {
    "scratch": Seconds(0, 38.2, 0.6),
    "transfer": Seconds(2.9, 1.1, 1.4, saved=4.4),
    "control": Seconds(7.1, 1.2, 1.4),
    "fine_tuned": Seconds(2.9, 91.0, 1.6),
}
TARGETS = {"scratch": 0.66, "transfer": 0.93, "control": 0.48, "fine_tuned": 0.95}


def history_of(n_epochs: int, chance: float, target: float, seed: int = 0) -> History:
    rng = np.random.default_rng(seed)
    t = 1 - np.exp(-np.arange(1, n_epochs + 1) / max(1, n_epochs / 4))
    accuracy = np.clip(chance + (target + 0.05 - chance) * t + rng.normal(0, 0.01, n_epochs), 0, 1)
    val = np.clip(chance + (target - chance) * t + rng.normal(0, 0.03, n_epochs), 0, 1)
    loss = tuple(-np.log(np.clip(accuracy, 0.01, 1)))
    return History(loss, tuple(accuracy), loss, tuple(val), tuple(np.arange(1.0, n_epochs + 1)))


def make_run(name, class_names, *, n_test=90, n_epochs=10, stopped=False, **changes) -> RunResult:
    n = len(class_names)
    target = max(TARGETS[name], 1 / n)
    rng = np.random.default_rng(100 * list(TARGETS).index(name))
    labels = np.arange(n_test) % n
    right = rng.random(n_test) < target
    answers = np.where(right, labels, (labels + 1 + rng.integers(0, n - 1, n_test)) % n)
    fields = {
        "params": PARAMS[name],
        "seconds": SECONDS[name],
        "history": history_of(n_epochs, 1 / n, target),
        "labels": () if stopped else tuple(int(i) for i in labels),
        "predictions": () if stopped else tuple(int(i) for i in answers),
        "stopped": stopped,
        "backbone": "" if name == "scratch" else "EfficientNetLite0",
        "weights": {"scratch": "", "control": "random"}.get(name, "imagenet"),
    }
    return RunResult(name=name, class_names=tuple(class_names), **{**fields, **changes})


def make_comparison(
    names=("scratch", "transfer"), class_names=("brick", "grass", "gravel"), *, name="textures", **arguments
) -> Comparison:
    runs = {model: make_run(model, class_names, **arguments) for model in names}
    scratch, transfer, control = (runs.get(model) for model in ("scratch", "transfer", "control"))
    return Comparison(
        dataset=DatasetSummary(name, 96, tuple(class_names), 30, 30, arguments.get("n_test", 90), "by hand"),
        config=Config(epochs=max(1, arguments.get("n_epochs", 10))),
        scratch=scratch,
        transfer=transfer,
        control=control,
        verdict=judge(scratch, transfer, control),
        environment=Environment("3.11", "2.21", "3.15", "0.1.0", 2),
        fine_tuned=runs.get("fine_tuned"),
    )


ALL = ("scratch", "transfer", "control", "fine_tuned")
KINDS = ("accuracy", "test_accuracy", "parameters", "seconds", "recall", "confusion", "comparison")
PLOTS = (
    plot_accuracy,
    plot_test_accuracy,
    plot_parameters,
    plot_seconds,
    plot_recall,
    plot_confusion,
    plot_comparison,
)
HOSTILE = ("$\\frac$ & <b>tags</b>", "a rather long class name with many words in it", "Super" * 12, "猫 $5")
CASES = {
    "two classes": {"class_names": ("cat", "dog")},
    "control": {"names": ("scratch", "transfer", "control")},
    "all": {"names": ALL, "n_epochs": 200},
    "ten classes": {"class_names": tuple("abcdefghij"), "n_test": 100},
    "hundred classes": {"class_names": tuple(f"species {i}" for i in range(100)), "n_test": 300},
    "stopped": {"n_epochs": 0, "stopped": True},
    "one epoch": {"n_epochs": 1},
    "one run": {"names": ("scratch",), "n_epochs": 3, "stopped": True},
    "hostile names": {"class_names": HOSTILE, "name": "my $5 photographs " * 4},
}


def texts_of(ax):
    return [text.get_text() for text in ax.texts]


def legend_texts(ax):
    return [text.get_text() for text in ax.get_legend().get_texts() if text.get_text().strip()]


def line(ax, label):
    (found,) = (artist for artist in ax.get_lines() if artist.get_label() == label)
    return found


def images_of(n, side=8):
    return np.random.default_rng(0).integers(0, 256, (n, side, side, 3)).astype(np.uint8)


def dataset_of(class_names, n_each=8):
    labels = np.repeat(np.arange(len(class_names)), n_each)
    split = Split(images_of(len(labels)), labels)
    return ImageDataset("textures", split, split, split, class_names)


def assert_nothing_clipped(figure):
    """All that is drawn, with its texts, lies inside the figure."""
    figure.draw_without_rendering()  # finds the layout
    box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert (box.x0 > -0.01, box.y0 > -0.01, box.x1 < width + 0.01, box.y1 < height + 0.01) == (True,) * 4, box


@pytest.mark.parametrize("case", CASES, ids=list(CASES))
def test_every_figure_of_every_case_fits_its_page(case):
    comparison = make_comparison(**CASES[case])
    for plot in PLOTS:
        drawing = plot(comparison)
        assert_nothing_clipped(drawing if isinstance(drawing, Figure) else drawing.figure)


def test_curves_are_the_history():
    comparison = make_comparison()
    ax = plot_accuracy(comparison)
    for run, name in zip(comparison.runs, ("from scratch", "transfer (EfficientNetLite0)"), strict=True):
        validation, training = line(ax, f"{name}, validation"), line(ax, f"{name}, training")
        assert tuple(validation.get_ydata()) == run.history.val_accuracy
        assert tuple(training.get_ydata()) == run.history.accuracy
        assert list(validation.get_xdata()) == list(range(1, 11))
        assert (validation.get_linestyle(), training.get_linestyle()) == ("-", "--")
        assert to_hex(validation.get_color()).upper() == color_of(run.name)
    assert ax.get_title() == "Accuracy by epoch"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "accuracy (% of images)")
    assert legend_texts(ax) == [
        "from scratch: test 63.3%",
        "transfer (EfficientNetLite0): test 92.2%",
        "validation images",
        "training images",
        "test images, 95% interval",
        "chance (33.3%)",
    ]


def test_test_accuracy_stands_right_of_the_last_epoch_with_its_interval():
    comparison = make_comparison(("scratch", "transfer", "control"))
    ax = plot_accuracy(comparison)
    for run, bars in zip(comparison.runs, ax.containers, strict=True):
        point, _, (reach,) = bars.lines
        assert point.get_ydata()[0] == run.test_accuracy
        assert 10 < point.get_xdata()[0] < ax.get_xlim()[1]
        assert tuple(reach.get_segments()[0][:, 1]) == pytest.approx(run.test_accuracy_ci95)


def test_stopped_runs_have_no_test_and_no_curve():
    ax = plot_accuracy(make_comparison(n_epochs=0, stopped=True))
    assert legend_texts(ax)[:2] == ["from scratch: not tested", "transfer (EfficientNetLite0): not tested"]
    assert texts_of(ax) == ["no epoch was finished"]
    assert not ax.containers
    assert texts_of(plot_test_accuracy(make_comparison(stopped=True))) == ["not tested", "not tested"]
    assert texts_of(plot_recall(make_comparison(stopped=True))) == ["not tested"]


def test_chance_is_the_most_frequent_class_of_the_test_images():
    run = make_run("scratch", ("a", "b"), labels=(0, 0, 0, 1), predictions=(0, 0, 1, 1))
    assert legend_texts(plot_accuracy(run))[-1] == "always a (75.0%)"


def test_parameter_bars_tell_trainable_from_frozen_and_carry_numbers():
    ax = plot_parameters(make_comparison())
    assert ax.get_xscale() == "log"
    assert texts_of(ax) == ["1,280,000", "0", "3,843", "3,371,024"]
    ends = [bar.get_x() + bar.get_width() for bar in ax.patches]
    start = ax.get_xlim()[0]
    assert ends == [1_280_000, start, 3_843, 3_371_024]
    assert [bool(bar.get_hatch()) for bar in ax.patches] == [False, True, False, True]
    assert legend_texts(ax) == ["trainable", "frozen"]
    assert [label.get_text() for label in ax.get_yticklabels()] == [
        "from scratch",
        "transfer\n(EfficientNetLite0)",
    ]


def test_parameter_bars_without_any_parameter():
    run = make_run("scratch", ("a", "b"), params=ParameterCount(0, 0))
    assert texts_of(plot_parameters(run)) == ["0", "0"]


def test_seconds_stand_end_to_end():
    ax = plot_seconds(make_comparison())
    bars = [(bar.get_x(), bar.get_width()) for bar in ax.patches]
    assert np.allclose(bars[:3], [(0, 0), (0, 38.2), (38.2, 0.6)])
    assert np.allclose(bars[3:], [(0, 2.9), (2.9, 1.1), (4.0, 1.4), (5.4, 4.4)])
    assert texts_of(ax) == ["38.8 s", "5.4 s (saved 4.4 s)"]
    assert legend_texts(ax) == ["reading features", "training", "testing", "saved time"]
    assert "saved time" not in legend_texts(plot_seconds(make_comparison(("scratch",))))


def test_confusion_shows_every_count_and_verbatim_names():
    comparison = make_comparison(class_names=("$a$", "b"))
    figure = plot_confusion(comparison)
    assert len(figure.axes) == 2
    for run, ax in zip(comparison.runs, figure.axes, strict=True):
        assert texts_of(ax) == [str(n) for n in run.confusion_matrix.ravel()]
        assert [label.get_text() for label in ax.get_xticklabels()] == ["$a$", "b"]
        assert not any(label.get_parse_math() for label in ax.get_xticklabels())
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("answer", "true class")
        assert f"{run.n_right} of 90 right" in ax.get_title()


@pytest.mark.parametrize("n_classes", [2, 3, 4, 6, 12])
def test_names_below_a_matrix_do_not_run_into_each_other(n_classes):
    figure = plot_confusion(make_comparison(class_names=tuple(f"tabby, number {i:02}" for i in range(n_classes))))
    figure_png(figure, 100)
    for ax in figure.axes:
        boxes = [label.get_window_extent() for label in ax.get_xticklabels()]
        assert all(left.x1 < right.x0 for left, right in itertools.pairwise(boxes))


def test_a_backbone_with_a_long_name_and_random_weights_fits_the_page():
    comparison = make_comparison()
    transfer = replace(comparison.transfer, backbone="InceptionResNetV2", weights="random")
    assert_nothing_clipped(plot_comparison(replace(comparison, transfer=transfer)))


def test_confusion_of_one_run_draws_where_it_is_told():
    ax = Figure().add_subplot()
    assert plot_confusion(make_comparison().scratch, ax=ax) is ax
    with pytest.raises(InputError, match="only with a single run"):
        plot_confusion(make_comparison(), ax=ax)


def test_confusion_of_many_classes_names_some():
    ax = plot_confusion(make_comparison(**CASES["hundred classes"]).scratch)
    assert len(ax.get_xticklabels()) == 25
    assert ax.get_xlabel() == "answer (one name in 4)"
    assert not ax.texts


def test_recall_of_each_class():
    comparison = make_comparison(class_names=("cat", "dog"))
    ax = plot_recall(comparison)
    assert list(line(ax, "from scratch").get_xdata()) == [figures.recall for figures in comparison.scratch.per_class]
    many = plot_recall(make_comparison(**CASES["hundred classes"]))
    assert len(many.get_yticklabels()) == 10
    assert "10 of 100 classes" in many.get_xlabel()


def test_recall_of_a_class_without_test_images():
    run = make_run("scratch", ("a", "b", "never"), labels=(0, 1), predictions=(0, 2))
    assert list(line(plot_recall(run), "from scratch").get_xdata()) == [1.0, 0.0]


def test_the_page_has_the_verdict_and_five_axes():
    comparison = make_comparison()
    figure = plot_comparison(comparison)
    assert figure.get_suptitle().replace("\n", " ") == comparison.verdict.text
    titles = [ax.get_title() for ax in figure.axes]
    assert titles == [
        "Accuracy by epoch",
        "On the test images",
        "Parameters",
        "Seconds",
        "Recall of each class",
    ]
    assert "30 training, 30 validation and 90 test images of 96 × 96 pixels" in figure.get_supxlabel()


def test_a_narrow_page_has_the_same_axes_below_each_other():
    comparison = make_comparison()
    wide, narrow = plot_comparison(comparison), plot_comparison(comparison, narrow=True)
    assert [ax.get_title() for ax in narrow.axes] == [ax.get_title() for ax in wide.axes]
    assert narrow.get_figwidth() < 0.6 * wide.get_figwidth()
    narrow.draw_without_rendering()
    boxes = [ax.get_tightbbox() for ax in narrow.axes]
    assert all(box.x0 >= 0 and box.x1 <= narrow.bbox.width for box in boxes), "nothing is cut off"
    assert all(upper.y0 > lower.y1 for upper, lower in pairwise(boxes)), "nothing overlaps"


@pytest.mark.parametrize("plot", [plot_accuracy, plot_test_accuracy, plot_parameters, plot_seconds, plot_recall])
def test_axes_that_are_given_are_used(plot):
    ax = Figure().add_subplot()
    assert plot(make_comparison(), ax=ax) is ax
    assert plot(make_comparison().runs).get_title() == ax.get_title()


@pytest.mark.parametrize("plot", PLOTS)
def test_nothing_trained_is_an_input_error(plot):
    with pytest.raises(InputError, match="no trained model"):
        plot(make_comparison(()))


def test_predictions_show_disagreements_first_and_say_right_or_wrong_in_signs():
    comparison = make_comparison(n_test=30)
    figure = plot_predictions(comparison, images_of(30), n=12)
    assert len(figure.axes) == 12
    rows = interesting_rows(list(comparison.runs))
    scratch, transfer = comparison.runs
    n_differ = sum(a != b for a, b in zip(scratch.predictions, transfer.predictions, strict=True))
    assert all(scratch.predictions[row] != transfer.predictions[row] for row in rows[:n_differ])
    assert figure.get_suptitle().startswith(f"The two models disagree on {n_differ} of 30")
    for row, ax in zip(rows[:12], figure.axes, strict=True):
        assert ax.get_title() == scratch.class_names[scratch.labels[row]]
        for run, text in zip(comparison.runs, texts_of(ax), strict=True):
            assert text.startswith("✓" if run.predictions[row] == run.labels[row] else "✗")
            assert text.endswith(run.class_names[run.predictions[row]])
    assert_nothing_clipped(figure)


def test_predictions_need_the_tested_images():
    with pytest.raises(InputError, match="5 images, but the models were tested on 90"):
        plot_predictions(make_comparison(), images_of(5))
    with pytest.raises(InputError, match="No model was tested"):
        plot_predictions(make_comparison(stopped=True), images_of(90))
    assert len(plot_predictions(make_comparison(n_test=6), images_of(6), n=12).axes) == 6


def test_dataset_shows_some_of_each_class():
    dataset = dataset_of(("brick", "$grass$"), n_each=4)
    ax = plot_dataset(dataset, n_per_class=3)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["brick\n4 images", "$grass$\n4 images"]
    sheet = ax.get_images()[0].get_array()
    assert sheet.shape == (8 + 2 + 8, 3 * 10 - 2, 3)
    assert np.array_equal(sheet[:8, :8], dataset.train.images[0])
    assert np.array_equal(sheet[10:, 20:], dataset.train.images[6])
    assert "12 of 100 classes" in plot_dataset(dataset_of(tuple(map(str, range(100))), 2)).get_title()
    assert_nothing_clipped(plot_dataset(dataset_of(HOSTILE)).figure)
    with pytest.raises(InputError, match="n_per_class=0"):
        plot_dataset(dataset, n_per_class=0)
    assert dataset_alt_text(dataset) == "Up to 6 training images of each class of textures: brick, $grass$."


@pytest.mark.parametrize("case", CASES, ids=list(CASES))
def test_alt_texts_exist_and_carry_numbers(case):
    comparison = make_comparison(**CASES[case])
    for kind in (*KINDS, "predictions"):
        text = alt_text(comparison, kind)
        assert text.endswith(".")
        assert "None" not in text
        assert "nan" not in text


def test_alt_text_says_what_the_figure_shows():
    comparison = make_comparison()
    assert "from scratch 63.3% (95% interval 53 to 73)" in alt_text(comparison, "accuracy")
    assert "1,280,000 trainable and 0 frozen" in alt_text(comparison, "parameters")
    assert "5.4 s (cached features saved 4.4 s)" in alt_text(comparison, "seconds")
    assert alt_text(comparison, "comparison").startswith(comparison.verdict.text)
    with pytest.raises(InputError, match="kind='pie'"):
        alt_text(comparison, "pie")


def test_html_escapes_its_text_and_knows_its_size():
    page = figure_html(plot_comparison(make_comparison()), 'a "<b>" & $', 880)
    assert page.startswith('<img alt="a &#34;&lt;b&gt;&#34; &amp; $" width="880" height="648" ')
    assert "data:image/png;base64,iVBOR" in page


def test_background_is_white_whatever_the_style():
    with matplotlib.rc_context({"axes.facecolor": "black", "figure.facecolor": "black", "text.color": "white"}):
        ax = plot_accuracy(make_comparison())
        assert figure_png(ax).startswith(b"\x89PNG")
    assert to_rgb(ax.get_facecolor()) == to_rgb(ax.figure.get_facecolor()) == (1, 1, 1)
    assert to_hex(ax.title.get_color()) == "#222222"


def test_values_of_cells_show_themselves_once():
    from IPython.core.formatters import DisplayFormatter

    for drawing in (plot_accuracy(make_comparison()), plot_confusion(make_comparison())):
        data, metadata = DisplayFormatter().format(drawing)
        assert set(data) == {"text/plain", "image/png"}
        assert metadata["image/png"]["width"] == round(drawing.figure.get_figwidth() * 96)


def test_figures_work_from_threads():
    failed, comparison = [], make_comparison(("scratch", "transfer", "control"))

    def draw():
        try:
            figure_png(plot_accuracy(comparison), 60)
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=draw) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed


def test_plots_load_neither_tensorflow_nor_pyplot():
    code = "import json, sys, tl_widgets.plots.comparison; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout))
    assert not loaded & {
        "tensorflow",
        "keras",
        "matplotlib.pyplot",
        "tl_widgets.training.loop",
        "ipywidgets",
        "IPython",
    }


def test_numbers_in_few_characters():
    assert [short_count(n) for n in (0, 64, 3_843, 291_405, 999_999, 4_694_024)] == [
        "0",
        "64",
        "3.84 k",
        "291 k",
        "1 M",
        "4.69 M",
    ]
    assert [seconds_text(s) for s in (0.04, 6.94, 210.4)] == ["0.04 s", "6.9 s", "210 s"]
    assert shortened("photographs_of_cats_2024", 12) == "photogra…024"
    assert shortened("cat", 12) == "cat"


# Class names in any script

SCRIPTS = ("cat", "кошка", "猫", "ねこ", "고양이", "बिल्ली", "แมว", "ድመት", "éléphant", "γάτα")


@pytest.fixture(params=[False, True], ids=["fonts of this machine", "DejaVu alone"])
def only_dejavu(request, monkeypatch):
    monkeypatch.setattr(glyphs, "FONTS", ["DejaVu Sans"])
    monkeypatch.setattr(style, "FONTS", glyphs.FONTS)
    if request.param:
        monkeypatch.setattr(glyphs, "_font_with", lambda _characters: "")
    return request.param


@pytest.mark.filterwarnings("error:Glyph")
def test_class_names_in_any_script_are_never_boxes(only_dejavu):
    comparison = make_comparison(class_names=SCRIPTS)
    for plot in (plot_confusion, plot_recall, plot_comparison):
        figure = root_figure(plot(comparison))
        figure.savefig(io.BytesIO(), format="png")  # a box is a warning, and so an error here
    labels = [label.get_text() for label in plot_confusion(comparison.scratch).get_yticklabels()]
    assert labels[1].replace("\n", "") == "кошка"
    if only_dejavu:
        drawn = ["cat", "кошка", "class 3", "neko", "goyangi", "billii", "class 7", "demate", "éléphant", "γάτα"]
        assert [label.replace("\n", "") for label in labels] == drawn
    images = np.zeros((20, 32, 32, 3), np.uint8)
    split = Split(images, np.arange(20) % len(SCRIPTS))
    root_figure(plot_dataset(ImageDataset("猫と犬", split, split, split, SCRIPTS))).savefig(io.BytesIO(), format="png")


def test_a_name_is_drawn_in_a_font_that_has_it():
    assert glyphs.can_draw("plain")
    assert glyphs.can_draw("Ωδ")
    if glyphs._font_with(frozenset(map(ord, "猫"))):
        assert glyphs.drawable_names(["猫"]) == ["猫"]
        assert len(glyphs.FONTS) > 1
