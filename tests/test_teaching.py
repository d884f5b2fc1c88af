"""Guesses, questions, and checkers: a right answer passes, and every plausible wrong one is told what is wrong."""

import functools
from types import SimpleNamespace

import numpy as np
import pytest
from markupsafe import escape

from tl_widgets import InputError, ScratchSpec, list_backbones
from tl_widgets.assignments.questions.predictions import PREDICTIONS
from tl_widgets.assignments.questions.quizzes import QUESTIONS
from tl_widgets.core.config import Config
from tl_widgets.records.comparison import Comparison, DatasetSummary, Environment, Verdict
from tl_widgets.teaching import (
    BackboneTable,
    CountPanel,
    DescentSlider,
    Guess,
    KernelSlider,
    Prediction,
    Quiz,
    check,
    photographs,
    plot_asked_again,
    plot_flatten_gap,
    plot_history,
    plot_luck,
    plot_maps,
    plot_named,
    plot_pooling,
    plot_shares,
    plot_trained,
    plot_weights,
    show,
)
from tl_widgets.teaching.exercises.catalogue import EXERCISES
from tl_widgets.teaching.exercises.checks import judge
from tl_widgets.widgets.shared.backbone_choice import backbone_menu


def comparison(n_per_class=10, *, n_classes=3, scores=((0.6, 0.9),), stopped=False):
    """A finished comparison without any training."""
    from tl_widgets.records.comparison import RunResult
    from tl_widgets.records.parameters import ParameterCount

    names = tuple("abcdefghij"[:n_classes])
    labels = tuple(i % n_classes for i in range(30))

    def run(name, share):
        wrong = round(30 * (1 - share))
        predictions = tuple((label + (i < wrong)) % n_classes for i, label in enumerate(labels))
        return RunResult(name, names, ParameterCount(10, 5), labels=labels, predictions=predictions, stopped=stopped)

    scratch, transfer = scores[0]
    return Comparison(
        DatasetSummary("textures", 64, names, n_per_class * n_classes, 6, 30),
        Config(),
        run("scratch", scratch),
        run("transfer", transfer),
        None,
        Verdict("Somebody won."),
        Environment("3", "2", "3", "0", 2),
    )


@functools.cache
def mobile_net(frozen):
    from keras import applications

    backbone = applications.MobileNetV2(include_top=False, weights=None, input_shape=(96, 96, 3))
    backbone.trainable = not frozen
    return backbone


def transfer_model(
    *, include_top=False, average=True, frozen=True, scaled=True, scale=1 / 127.5, units=4, activation="softmax"
):
    from keras import Input, Sequential, applications, layers

    import tl_widgets.models.builders  # noqa: F401 - loads TensorFlow in silence

    if include_top:
        return applications.MobileNetV2(weights=None, input_shape=(96, 96, 3))
    backbone = mobile_net(frozen)
    middle = [layers.GlobalAveragePooling2D()] if average else []
    scaling = [layers.Rescaling(scale, offset=-1.0)] if scaled else []
    return Sequential([Input((96, 96, 3)), *scaling, backbone, *middle, layers.Dense(units, activation=activation)])


def mended_model(*, scaled=True, units=0, rate=1e-3, from_logits=False, compiled=True):
    """The transfer model of exercise 10-a; each argument leaves one of its mistakes in."""
    import tl_widgets

    preprocessing, backbone, average, _ = tl_widgets.build_transfer((48, 48, 3), 3).layers
    from keras import Input, Sequential, layers, losses, optimizers

    hidden = [layers.Dense(units, activation="relu")] if units else []
    before = [preprocessing] if scaled else []
    end = layers.Dense(3, activation="softmax")
    model = Sequential([Input((48, 48, 3)), *before, backbone, average, *hidden, end])
    if compiled:
        model.compile(optimizers.Adam(rate), losses.SparseCategoricalCrossentropy(from_logits=from_logits))
    return model


def small_backbone(n_learning, *, others=True):
    """Two convolutions with BatchNormalization (without, if None), of which `n_learning` layers are trainable."""
    from keras import Input, Sequential, layers

    norms = [] if n_learning is None else [layers.BatchNormalization(), layers.BatchNormalization()]
    convolutions = [layers.Conv2D(2, 3), layers.Conv2D(2, 3)]
    model = Sequential([Input((8, 8, 3)), *convolutions, *norms])
    for layer in convolutions:
        layer.trainable = others
    for i, layer in enumerate(norms):
        layer.trainable = i < n_learning
    return model


RIGHT = {
    "00-a": lambda: comparison(5),
    "00-b": lambda: "choosing",
    "01-a": lambda: 40,
    "01-b": lambda: "fit",
    "01-c": lambda: (200, 40, 60),
    "02-a": lambda: np.int64(73_728),
    "02-b": lambda: ScratchSpec(dense_units=6, head="global_average"),
    "02-c": lambda: "Flatten()",
    "03-a": lambda: "Smaller",
    "03-b": lambda: "val_loss",
    "03-c": lambda: [0.7, 0.95],
    "04-a": lambda: 1_281,
    "04-b": transfer_model,
    "04-c": lambda: 70 / 100,
    "04-d": lambda: "AC",
    "05-a": lambda: np.int64(320),
    "05-b": lambda: "C",
    "05-c": lambda: ("by child", 5, "validation"),
    "06-a": lambda: 1,
    "06-b": lambda: "argmax",
    "06-c": lambda: "by dog",
    "07-a": lambda: 2,
    "07-b": lambda: "pictures",
    "07-c": lambda: ((4, 12, 36, 100), 7),
    "08-a": lambda: 3.6,
    "08-b": lambda: "mean_val_accuracy",
    "08-c": lambda: "B",
    "09-a": lambda: 0.1,
    "09-b": lambda: small_backbone(0),
    "09-c": lambda: (0.001, 2, 0.0001),
    "10-a": mended_model,
    "10-b": lambda: "unknown",
    "10-c": lambda: "Split by patient",
    "11-a": lambda: 25,
    "11-b": lambda: (0, 1),
    "11-c": lambda: "An untrained network's map",
    "12-a": lambda: 86,
    "12-b": lambda: "C",
    "12-c": lambda: ("validation", 0.95),
}
WRONG = {
    "00-a": [lambda: comparison(10), lambda: comparison(5, stopped=True), lambda: "5"],
    "00-b": [lambda: "training", lambda: "reporting", lambda: "nothing"],
    "01-a": [lambda: 20, lambda: 2, lambda: 140, lambda: 2_000, lambda: 1_000, lambda: 7],
    "01-b": [lambda: "compile", lambda: "evaluate", lambda: "print"],
    "01-c": [
        lambda: 200,
        lambda: (200.5, 50, 49.5),
        lambda: (200, 50, 100),
        lambda: (250, 0, 50),
        lambda: (100, 100, 100),
        lambda: (260, 30, 10),
        lambda: (240, 10, 50),
    ],
    "02-a": [lambda: 128, lambda: 576, lambda: 4_718_592, lambda: 294_912, lambda: 8_192, lambda: 1],
    "02-b": [
        lambda: ScratchSpec(dense_units=6),
        lambda: ScratchSpec((8, 8, 8), dense_units=6),
        lambda: ScratchSpec(dense_units=0),
        lambda: 95_565,
    ],
    "02-c": [lambda: "MaxPooling2D", lambda: "Dense", lambda: "Dropout", lambda: "Sum"],
    "03-a": [lambda: "larger", lambda: "the same", lambda: 3],
    "03-b": [lambda: "loss", lambda: "accuracy", lambda: "patience", lambda: "test_loss", lambda: "best"],
    "03-c": [
        lambda: [1.0, 0.71],
        lambda: [0.4, 0.5],
        lambda: (0.7, 0.85),
        lambda: [70.0, 95.0],
        lambda: {"each": 75},
    ],
    "04-a": [lambda: 1_280, lambda: 2_562, lambda: 11_521, lambda: 3_413_024, lambda: 7],
    "04-b": [
        lambda: transfer_model(average=False),
        lambda: transfer_model(frozen=False),
        lambda: transfer_model(scaled=False),
        lambda: transfer_model(scale=1 / 255),
        lambda: transfer_model(activation="sigmoid"),
        lambda: transfer_model(include_top=True),
        lambda: "a model",
    ],
    "04-c": [lambda: 70, lambda: 0.3, lambda: 0.5, lambda: 1, lambda: 0.9, lambda: "sigmoid"],
    "04-d": [lambda: "AB", lambda: "ACD", lambda: "E", lambda: "A", lambda: "C", lambda: "XY"],
    "05-a": [lambda: 800, lambda: 80, lambda: 8, lambda: 41, lambda: "many"],
    "05-b": [lambda: "A", lambda: "B", lambda: "D", lambda: "max"],
    "05-c": [
        lambda: ("by picture", 5, "validation"),
        lambda: ("by child", 1, "validation"),
        lambda: ("by child", 500, "validation"),
        lambda: ("by child", "five", "validation"),
        lambda: ("by child", 5, "test"),
        lambda: ("by child", 5, "training"),
        lambda: ("by child", 5, "luck"),
        lambda: "by child",
    ],
    "06-a": [lambda: 4, lambda: 3, lambda: 2, lambda: 0, lambda: 90],
    "06-b": [lambda: "predict", lambda: "target_size", lambda: "names", lambda: "model"],
    "06-c": [lambda: "by photograph", lambda: "by breed", lambda: "by date"],
    "07-a": [lambda: 4, lambda: 1, lambda: 36, lambda: 0.5, lambda: 8],
    "07-b": [lambda: "accuracies", lambda: "seconds", lambda: "parameters", lambda: "seeds"],
    "07-c": [
        lambda: ((5, 50), 3),
        lambda: ((5, 20, 100), 1),
        lambda: ((5, 20, 100), 11),
        lambda: ((50, 60, 70), 5),
        lambda: ((5, 20, 200), 5),
        lambda: ((5, 20.5, 100), 5),
        lambda: 60,
    ],
    "08-a": [lambda: 2, lambda: 0.25, lambda: 32],
    "08-b": [lambda: "test_accuracy", lambda: "top1_pct", lambda: "ms_per_image", lambda: "accuracy"],
    "08-c": [lambda: "A", lambda: "C", lambda: "D", lambda: "E"],
    "09-a": [lambda: 0.82, lambda: 0.65, lambda: 230, lambda: "worse"],
    "09-b": [
        lambda: small_backbone(2),
        lambda: small_backbone(1),
        lambda: small_backbone(0, others=False),
        lambda: small_backbone(None),
        lambda: "BatchNormalization",
    ],
    "09-c": [
        lambda: (0.5, 2, 1e-4),
        lambda: (1e-3, 0, 1e-4),
        lambda: (1e-3, 16, 1e-4),
        lambda: (1e-3, 2, 1e-3),
        lambda: (1e-3, 2, 5e-4),
        lambda: (1e-3, 2, 1e-9),
        lambda: (1e-3, "two", 1e-4),
        lambda: 1e-4,
    ],
    "10-a": [
        lambda: mended_model(scaled=False),
        lambda: mended_model(units=6),
        lambda: mended_model(rate=0.1),
        lambda: mended_model(from_logits=True),
        lambda: mended_model(compiled=False),
        lambda: "a model",
    ],
    "10-b": [lambda: "harmless", lambda: "harmful", lambda: 0],
    "10-c": [lambda: "more epochs", lambda: "larger network", lambda: "random labels", lambda: "none"],
    "11-a": [lambda: 5, lambda: 9, lambda: 800, lambda: 1_600, lambda: 36],
    "11-b": [lambda: -1, lambda: 2, lambda: 0, lambda: 1, lambda: (1, 2)],
    "11-c": [lambda: "brighter colors", lambda: "a finer map", lambda: "nothing"],
    "12-a": [lambda: 256, lambda: 85, lambda: 768, lambda: 3, lambda: 100],
    "12-b": [lambda: "A", lambda: "b", lambda: "D"],
    "12-c": [
        lambda: ("test", 0.95),
        lambda: ("training", 0.95),
        lambda: ("validation", 0.5),
        lambda: ("validation", 1),
    ],
}


def test_every_exercise_is_tested():
    assert set(RIGHT) == set(WRONG) == set(EXERCISES)


@pytest.mark.parametrize("name", EXERCISES)
def test_right_answer_passes(name):
    is_right, said = judge(name, RIGHT[name]())
    assert is_right, said
    assert said.startswith(f"{name}: right. ")


@pytest.mark.parametrize("name", EXERCISES)
def test_wrong_answers_fail_each_with_its_own_message(name):
    answers = [make() for make in WRONG[name]]
    assert len(answers) >= 3
    verdicts = [judge(name, answer) for answer in answers]
    assert not any(is_right for is_right, _ in verdicts), verdicts
    said = [text for _, text in verdicts]
    assert len(set(said)) == len(said), said
    assert all(text.startswith(f"{name}: not yet. ") and len(text) > 30 for text in said)


@pytest.mark.parametrize("name", EXERCISES)
def test_without_an_answer_there_is_a_hint(name, capsys):
    check(name)
    said = capsys.readouterr().out
    exercise = EXERCISES[name]
    more = f' A second hint: check("{name}", hint=2)' if exercise.second_hint else ""
    assert " ".join(said.split()) == f"{name}: no answer yet. Hint: {exercise.hint}{more}"
    assert all(len(line) <= 88 for line in said.splitlines())
    check(name, hint=2)
    assert (exercise.second_hint or exercise.hint) in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    "answer",
    ["", [], object(), float("nan"), True, "12 <b>", SimpleNamespace(spec=3), -1e300, np.arange(3), 10**400],
    ids=lambda answer: type(answer).__name__,
)
@pytest.mark.parametrize("name", EXERCISES)
def test_a_strange_answer_is_wrong_and_never_an_error(name, answer):
    is_right, said = judge(name, answer)
    assert not is_right
    assert said.startswith(f"{name}: not yet. ")


def test_unknown_exercise():
    with pytest.raises(InputError, match="Did you mean '01-a'"):
        check("01a", 3)


def left_by(box):
    """The text of what a widget leaves in the notebook; its HTML says the same, and runs nothing from outside."""
    *_, page = box.paper._outputs
    data = page._repr_mimebundle_()
    for line in data["text/plain"].splitlines():
        words = line.replace("  ( ) ", "○ ").replace("  (x) ", "● ")
        assert str(escape(words)) in data["text/html"].replace("</b>", "")
    return data["text/plain"]


# Guess


@pytest.fixture(autouse=True)
def _forget_guesses(monkeypatch):
    monkeypatch.setattr("tl_widgets.teaching.questions.guess._kept", {})


def test_guess_is_kept_and_shown_beside_the_measured_value(capsys):
    guess = Guess("How many?", unit="%", high=100)
    guess.field.value = " 60 % "
    guess.button.click()
    assert guess.guess == 60
    assert guess.sentence == "Your guess is kept: 60 %."
    guess.reveal(91.25)
    assert capsys.readouterr().out == "Measured: 91.2 %. You guessed 60 %: 31.2 too low.\n"
    assert "31.2 too low" in guess._line.value


def test_guess_survives_running_its_cell_again():
    Guess("How many?").keep("1,234")
    assert Guess("How many?").guess == 1234
    Guess("How many?").keep("2,5")
    assert Guess("How many?").guess == 2.5
    Guess("How many?").keep("12")
    assert Guess("How many?").guess == 12
    assert Guess("How many?").field.value == "12"
    assert Guess("Another?").guess is None


def test_run_all_without_a_guess_goes_on(capsys):
    guess = Guess("How many?", unit="parameters")
    guess.reveal(291_405)
    assert capsys.readouterr().out == "Measured: 291,405 parameters. No guess yet.\n"
    assert "291,405" not in guess._line.value  # a guess can still be made
    guess.keep(291_405)
    assert guess.sentence.endswith("right, or nearly.")


@pytest.mark.parametrize(
    ("guess", "measured", "far"),
    [
        (10, 100, "10 times too low"),
        (90, 20, "4 times too high"),
        (99, 100, "right, or nearly"),
        (50, 60, "10 too low"),
    ],
)
def test_how_far(guess, measured, far):
    widget = Guess("How many?")
    widget.keep(guess)
    widget.reveal(measured)
    assert far in widget.sentence


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("many", "is not one"),
        ("101", "outside"),
        ("-1", "outside"),
        ("", "is not one"),
        ("nan", "outside"),
        ("<b>", "&lt;b&gt;"),
    ],
)
def test_what_is_no_guess_is_refused_with_the_limits(text, said):
    guess = Guess("How many?", high=100)
    guess.field.value = text
    guess.button.click()
    assert guess.guess is None
    assert 'role="alert"' in guess._line.value
    assert "from 0 to 100" in guess._line.value
    assert said in guess._line.value


def test_guess_of_words(capsys):
    guess = Guess("Who wins?", options=["scratch", "transfer"])
    guess.button.click()
    assert "Choose an answer first" in guess._line.value
    guess.field.value = "scratch"
    guess.button.click()
    guess.reveal("transfer")
    assert capsys.readouterr().out == "Measured: transfer. You guessed scratch: not what happened.\n"
    guess.keep("transfer")
    assert guess.sentence.endswith("right.")


def test_guess_has_a_fixed_text_where_no_widget_can_be():
    guess = Guess("How <many>?")
    assert "How &lt;many&gt;?" in guess.children[0].value
    assert left_by(guess) == "Your guess first. How <many>?"
    guess.keep(12)
    assert left_by(guess) == "Your guess first. How <many>?\nYour guess is kept: 12."


# Prediction


@pytest.fixture(autouse=True)
def _forget_predictions(monkeypatch):
    monkeypatch.setattr("tl_widgets.teaching.questions.prediction._kept", {})


@pytest.mark.parametrize("name", PREDICTIONS)
def test_a_prediction_is_compared_and_its_reason_commented(name, capsys):
    asked = PREDICTIONS[name]
    assert len(asked.answers) >= 2
    assert len(asked.reasons) >= 3
    assert len(set(asked.reasons.values())) == len(asked.reasons)
    for answer in asked.answers:
        for reason, comment in asked.reasons.items():
            prediction = Prediction(name)
            prediction.answer.value, prediction.because.value = answer, reason
            assert "is kept" in prediction._line.value
            prediction.reveal(asked.answers[0])
            said = " ".join(capsys.readouterr().out.split())
            assert said.startswith(f"Measured: {asked.answers[0]}. You predicted “{answer}”, because “{reason}”.")
            assert ("That came true." in said) == (answer == asked.answers[0])
            assert said.endswith(comment)
    assert Prediction(name).because.value == reason  # its cell ran again


@pytest.mark.parametrize("name", PREDICTIONS)
def test_without_a_prediction_there_is_an_example(name, capsys):
    asked = PREDICTIONS[name]
    assert asked.example[0] in asked.answers
    prediction = Prediction(name)
    assert "text/plain" not in prediction._repr_mimebundle_()
    text = left_by(prediction)
    assert all(f"  ( ) {each}" in text.splitlines() for each in (*asked.answers, *asked.reasons))
    prediction.reveal(asked.answers[-1])
    said = " ".join(capsys.readouterr().out.split())
    assert f"A common prediction is “{asked.example[0]}”, because “{asked.example[1]}”." in said
    assert said.endswith(asked.reasons[asked.example[1]])
    assert left_by(prediction) == text  # the question stands above the measurement, and doesn't give it away


def test_a_prediction_that_is_none():
    with pytest.raises(InputError, match="There is no prediction"):
        Prediction("weather")
    with pytest.raises(InputError, match="must be one of"):
        Prediction("who_wins").reveal("rain")


def test_a_measurement_may_be_yes_or_no_or_no_winner(capsys):
    Prediction("first_epoch").reveal(np.float64(0.8) > 0.5)
    Prediction("first_epoch").reveal(False)
    Prediction("who_wins").reveal(None)
    said = capsys.readouterr().out
    assert [line for line in said.splitlines() if line.startswith("Measured")] == [
        "Measured: validation.",
        "Measured: training.",
        "Measured: too close to call.",
    ]


def test_a_prediction_with_half_its_parts_says_what_is_missing(capsys):
    prediction = Prediction("who_wins")
    prediction.answer.value = "transfer"
    assert "Choose an answer and a reason." in prediction._line.value
    prediction.reveal("transfer")
    assert "A common prediction" in capsys.readouterr().out


def test_a_prediction_leaves_what_was_chosen_and_what_came_out(capsys):
    prediction = Prediction("who_wins")
    prediction.answer.value = "transfer"
    prediction.because.value = reason = "edges, fur and petals look alike in most photographs"
    assert left_by(prediction).splitlines()[1:3] == ["  ( ) scratch", "  (x) transfer"]
    assert f"  (x) {reason}" in left_by(prediction)
    assert "Measured" not in left_by(prediction)
    prediction.reveal("scratch")
    last = left_by(prediction).splitlines()[-1]
    assert last.startswith("Measured: scratch. That isn't what happened. About the reason: this is the idea")
    assert last.partition(". ")[2] in " ".join(capsys.readouterr().out.split())
    prediction.answer.value = "scratch"  # a new prediction, which hasn't been compared
    assert "Measured" not in left_by(prediction)


def test_a_quiz_leaves_the_answer_and_the_reply():
    quiz = Quiz("result")
    first, _, third = quiz.question.options
    assert left_by(quiz).count("  ( ) ") == 3
    quiz.choice.value = first.text
    quiz.button.click()
    assert left_by(quiz).endswith(f"Not quite. {first.why}")
    quiz.choice.value = third.text
    quiz.button.click()
    assert f"  (x) {third.text}" in left_by(quiz)
    assert left_by(quiz).endswith(f"Right. {third.why}")


# The loss curve


def test_the_curve_is_what_keras_computes():
    """Its loss and gradient against Keras's own, for a neuron whose weights lie in its direction."""
    import keras

    from tl_widgets import load_dataset
    from tl_widgets.teaching.sliders.descent import Slope

    split = load_dataset("faces", image_size=16, n_per_class=10).train
    slope = Slope(split)
    pixels = split.images.reshape(20, -1) / 255
    pixels -= pixels.mean(axis=0)
    direction = ((2 * split.labels - 1)[:, None] * pixels).mean(axis=0)
    direction /= np.linalg.norm(direction)

    def loss(place):
        scores = keras.ops.convert_to_tensor((pixels @ direction * place)[:, None], "float64")
        losses = keras.losses.binary_crossentropy(split.labels[:, None].astype("float64"), scores, from_logits=True)
        return float(keras.ops.mean(losses))

    for place in (-0.5, 0.0, 0.3, 2.0):
        assert slope.loss(place) == pytest.approx(loss(place), rel=1e-5)
        assert slope.gradient(place) == pytest.approx((loss(place + 1e-3) - loss(place - 1e-3)) / 2e-3, rel=1e-2)
    first, second = slope.walk(0.1, 1)
    assert (first, second) == (0, pytest.approx(-0.1 * slope.gradient(0)))


def test_the_sliders_draw_the_curve_anew():
    from tl_widgets import load_dataset

    slider = DescentSlider(load_dataset("faces", image_size=16, n_per_class=5).train)
    before = slider._drawing.value
    assert "Learning rate 0.002" in before
    slider.learning_rate.value = 1
    slider.steps.value = 3
    assert "Learning rate 1:" in slider._drawing.value
    assert "in 3 steps" in slider._drawing.value
    with pytest.raises(InputError, match="two classes"):
        DescentSlider(load_dataset("textures", image_size=16, n_per_class=2).train)


def test_a_kernel_slides_as_scipy_and_keras_say():
    from scipy.signal import correlate2d

    from tl_widgets.teaching.sliders.kernels import KERNELS, slide

    image = np.random.default_rng(0).integers(0, 256, (9, 7))
    for kernel in KERNELS.values():
        assert np.allclose(slide(image, kernel), correlate2d(image, kernel, mode="valid"))
    with pytest.raises(InputError, match="doesn't slide"):
        slide(np.zeros((2, 2)), np.zeros((3, 3)))


def test_the_kernel_moves_and_its_sum_follows():
    image = np.zeros((12, 12, 3), np.uint8)
    image[:, 6:] = 100
    slider = KernelSlider(image)
    slider.kernel.value, slider.row.value, slider.column.value = "vertical edges", 2, 0
    assert "= 0. That" in slider._drawing.value
    slider.column.value = 5  # the edge lies inside
    assert "= 400. That" in slider._drawing.value
    slider.kernel.value = "horizontal edges"
    assert "= 0. That" in slider._drawing.value


def test_a_figure_stays_where_no_kernel_runs(monkeypatch):
    """The PNG and its words are outputs below the widget, and follow its controls."""
    shown = []

    def display(output, **options):
        shown.append((output, SimpleNamespace(update=lambda new: shown.append((new, None)))))
        return shown[-1][1]

    monkeypatch.setattr("IPython.display.display", display)
    slider = KernelSlider(np.arange(144).reshape(12, 12), row=1, column=2)
    slider._ipython_display_()
    bundle, picture, words = (output for output, _ in shown)
    assert "needs a live notebook" in bundle["text/plain"]
    assert picture.data.startswith(b"\x89PNG")
    assert "row 1, column 2." in picture.alt
    assert "row 1, column 2." in words.html
    assert "row 1, column 2." in words.text
    slider.column.value = 5
    moved, moved_words = (output for output, _ in shown[3:])
    assert "column 5." in moved.alt
    assert "column 5." in moved_words.html
    assert moved.data != picture.data


def test_diagrams_say_what_they_show():
    pooled = plot_pooling(np.arange(30).reshape(5, 6), row=1, column=2)
    assert pooled.get_label().endswith("becomes 15, 17; 27, 29.")
    with pytest.raises(InputError, match="no 4 × 4 places"):
        plot_pooling(np.zeros((5, 5)), row=2)
    assert "32,768 numbers, which takes 196,608 weights" in plot_flatten_gap(16, 128, 6).get_label()
    assert "keeps 128, which takes 768" in plot_flatten_gap(16, 128, 6).get_label()
    activity = np.zeros((8, 8, 3))
    activity[2, 2] = (1, 0, 5)
    maps = plot_maps(np.zeros((8, 8, 3), np.uint8), activity, before=activity, n=2)
    assert [ax.get_title(loc="left") or ax.get_title() for ax in maps.axes[:3]] == ["picture", "map 3", "map 1"]
    assert "the 2 brightest of its 3 feature maps of 8 × 8 places, above them" in maps.get_label()
    assert "1 of the 3 maps are black" in maps.get_label()


def test_what_learns_is_read_from_the_model():
    from keras import Input, Sequential, layers

    block, norm = layers.Conv2D(2, 3, name="block1a_conv"), layers.BatchNormalization(name="block1a_bn")
    backbone = Sequential([Input((8, 8, 3)), layers.Conv2D(4, 3, name="stem_conv"), block, norm])
    model = Sequential([Input((8, 8, 3)), backbone, layers.GlobalAveragePooling2D(), layers.Dense(5)])
    backbone.trainable = False
    assert "nothing learns, and 0 of its 1 BatchNormalization" in plot_trained(model).figure.get_label()
    assert plot_trained(model).figure.get_label().endswith("15 of 209 parameters learn.")
    block.trainable = True
    assert "In the backbone 1a learns, and 0 of its 1" in plot_trained(model).figure.get_label()
    norm.trainable = True
    assert "1 of its 1" in plot_trained(model).figure.get_label()
    with pytest.raises(InputError, match="no backbone"):
        plot_trained(backbone)
    label = plot_asked_again([0.5, 1.0], 0.85).figure.get_label()
    assert label.endswith("50.0% to 100.0% over 2 epochs. Asked again, it is 85.0%.")


def test_history_and_weights_have_words():
    history = {"loss": [1, 0.5], "val_loss": [1.1, 0.7], "accuracy": [0.4, 0.8], "val_accuracy": [0.5, 0.75]}
    figure = plot_history(history, chance=0.5)
    assert [line.get_linestyle() for line in figure.axes[1].lines] == ["-", "--", ":"]  # as in all other figures
    assert "over 4 epochs" in plot_history(history, history).get_label()
    assert "Training accuracy 40.0% to 80.0%, validation accuracy 50.0% to 75.0%" in figure.get_label()
    assert [ax.get_title(loc="left") or ax.get_title() for ax in figure.axes] == ["Loss", "Accuracy"]
    drawn = plot_weights({"cat": np.zeros((4, 4, 3)), "dog": np.eye(4)})
    assert drawn.get_label().endswith("cat, dog.")


# Quiz


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_has_one_right_answer_and_explains_every_answer(name):
    options = QUESTIONS[name].options
    assert len(options) >= 3
    assert sum(option.is_right for option in options) == 1
    assert len({option.why for option in options}) == len({option.text for option in options}) == len(options)
    quiz = Quiz(name)
    for option in options:
        quiz.choice.value = option.text
        quiz.button.click()
        assert quiz.feedback.startswith("Right. " if option.is_right else "Not quite. ")
        assert option.why in quiz.feedback
        assert 'role="status"' in quiz._feedback.value


def test_the_right_answer_is_not_always_at_the_same_place():
    places = {next(i for i, each in enumerate(q.options) if each.is_right) for q in QUESTIONS.values()}
    assert len(places) == 3


def test_quiz_before_a_choice_and_as_text():
    quiz = Quiz("overfit")
    assert quiz.feedback == "Choose an answer first."
    assert left_by(quiz).splitlines()[1] == "  ( ) Many more epochs"
    with pytest.raises(InputError, match="There is no question"):
        Quiz("weather")


# Panels, tables, figures


def test_the_panel_counts_what_keras_counts():
    from tl_widgets import build_scratch, count_parameters

    panel = CountPanel(ScratchSpec(dense_units=6))
    assert panel.count.total == 291_405
    panel.panel.control("filters").value = 16
    assert panel.spec.filters == (16, 64, 128)
    model = build_scratch((128, 128, 3), 2, filters=panel.spec.filters, dense_units=6)
    assert panel.count == count_parameters(model)
    assert f"{panel.count.total:,}" in panel.ledger.value
    page = panel.paper._outputs[0]
    assert f"<b>{panel.count.total:,}</b>" in page.html
    assert "5 × 5 × 3 × 16 + 16" in page.html
    assert page.text.endswith(f"Total: {panel.count.total:,}")
    assert judge("02-b", panel)[0] is False


def test_the_table_sorts_and_filters():
    table = BackboneTable()
    assert len(table.rows) == len(list_backbones())
    scores = [each.top1_pct for each in table.rows]
    assert scores == sorted(scores, reverse=True)
    table.order.value = "size, smallest first"
    sizes = [each.download_mb for each in table.rows if each.download_mb]
    assert sizes == sorted(sizes)
    menu = {name: text for text, name in backbone_menu(96)}
    for backbone in table.rows:  # the Lab's menu and this table give the same size
        assert f" {backbone.download_mb:.0f} MB" in menu[backbone.name]
        assert f"{backbone.download_mb:.0f} MB" in table._table.value
    table.order.value = "name"
    assert table._table.value.index("ConvNeXtBase") < table._table.value.index("Xception")
    assert f"{len(table.rows)} backbones, sorted by name" in table.paper._html
    table.only_offline.value = True
    assert {each.name for each in table.rows} == {each.name for each in list_backbones() if each.offline}


def test_a_figure_has_title_labels_and_words():
    runs = {"with <it>": comparison().transfer, "without": comparison().scratch}
    ax = plot_shares(runs, "A title")
    assert ax.get_title() or ax.get_title(loc="left")
    assert ax.get_xlabel()
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["Transfer", "From scratch"]
    assert np.diff(ax.get_yticks()) > 1  # another group
    assert "with <it> 90.0%" in ax.figure.get_label()


def test_the_luck_of_the_best_is_counted():
    figure = plot_luck([[0.8, 0.9], [0.9, 0.7]], 0.85)
    assert "One model shows 82% on average, the best of 2 90%." in figure.get_label()
    assert [[round(bar.get_height(), 2) for bar in ax.patches] for ax in figure.axes] == [[0.25, 0.25, 0.5], [1]]


def test_named_pictures_and_their_words():
    pictures = photographs(64)
    assert all(picture.shape == (64, 64, 3) and picture.dtype == np.uint8 for picture in pictures.values())
    named = tuple((("espresso", 0.9), ("cup", 0.05)) for _ in pictures)
    figure = plot_named(pictures, named)
    assert [ax.get_title() or ax.get_title(loc="left") for ax in figure.axes] == list(pictures)
    assert "coffee: espresso 90.0%, cup 5.0%" in figure.get_label()


def test_show_gives_a_picture_and_its_words(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    ax = plot_shares({"a": comparison().scratch}, "A title")
    for drawing in (ax, ax.figure):
        show(drawing, "A bar <chart>.")
        picture, words = shown[-2:]
        assert picture.data.startswith(b"\x89PNG")
        assert picture._repr_mimebundle_ is not None
        assert picture.alt == "A bar <chart>."
        assert "A bar &lt;chart&gt;." in words.data


def test_a_figure_without_words_is_refused():
    from tl_widgets.plots.style import new_axes

    with pytest.raises(InputError, match="Say what the figure shows"):
        show(new_axes(2, 2))
