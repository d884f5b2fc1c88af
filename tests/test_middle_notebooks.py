"""What notebooks 03 to 05 show: sentences that follow the measurement, and what is drawn."""

import numpy as np
import pytest

from tl_widgets import InputError
from tl_widgets.teaching import Prediction, careless, compare_cures, plot_cures, plot_labeled, turning_point


def test_careless_moves_every_third_label_and_no_other():
    labels = np.arange(30)
    moved = careless(labels, every=3, seed=1)
    assert sorted(moved) == sorted(labels)
    assert (moved != labels).sum() > 5
    assert set(np.flatnonzero(moved != labels) % 3) == {0}
    assert (labels == np.arange(30)).all()


def test_a_wrong_label_is_named_with_the_right_one():
    images = np.zeros((4, 8, 8, 3), np.uint8)
    label = plot_labeled(images, [0, 1, 5, 3], [0, 1, 2, 3], n=4).get_label()
    assert "“5”, is 2" in label
    assert label.count("is ") == 1


def test_cures_are_compared_with_noise_in_mind():
    scores = {"no cure": (1.0, 0.7), "dropout": (0.8, 0.85), "small": (0.9, 0.71), "huge": (0.1, 0.3)}
    text = compare_cures(scores, n=269)
    assert "Clearly better than no cure: dropout (+15 points)." in text
    assert "Too close to call: small (+1 points)." in text
    assert "Clearly worse: huge (−40 points)." in text
    ax = plot_cures(scores, n=269, right=0.72)
    assert "A line at 72%" in ax.figure.get_label()
    assert [bar.get_width() for bar in ax.patches] == [0.7, 0.85, 0.71, 0.3]
    assert "dropout: training 80%, validation 85%" in ax.figure.get_label()


def test_the_sentence_on_the_turning_point_follows_the_losses():
    history = {"loss": [2, 1, 0.5, 0.1], "val_loss": [2, 1, 1.5, 1.6], "val_accuracy": [0.2, 0.8, 0.7, 0.6]}
    assert "lowest after epoch 2" in turning_point(history)
    assert "highest after epoch 2, and went from 80% to 60%" in turning_point(history)
    assert "more" in turning_point({**history, "val_loss": [2, 1, 0.9, 0.8]})


def test_a_number_reveals_the_nearest_answer(capsys):
    Prediction("wrong_labels").reveal(0.93)
    assert "Measured: nearly all" in capsys.readouterr().out
    with pytest.raises(InputError):
        Prediction("who_wins").reveal(0.93)


def test_a_data_set_is_written_and_read_back_as_it_was():
    from helpers import own_dataset

    from tl_widgets import load_folder
    from tl_widgets.teaching import plot_validation, write_folder

    dataset = own_dataset(class_names=("cats", "dogs"))
    folder = write_folder(dataset)
    again = load_folder(folder, image_size=32)
    for part in ("train", "validation", "test"):
        before, after = getattr(dataset, part), getattr(again, part)
        assert sorted(image.tobytes() for image in before.images) == sorted(
            image.tobytes() for image in after.images[:]
        )
    assert "right 65%, twice 15%" in plot_validation({"right": 0.65, "twice": 0.15}, n=200).figure.get_label()


def test_pairs_are_counted_and_drawn():
    from tl_widgets.records.parameters import ParameterCount
    from tl_widgets.records.run import RunResult
    from tl_widgets.teaching import plot_pairs

    def run(name, predictions):
        return RunResult(name, ("a", "b"), ParameterCount(1, 1), labels=(0, 0, 1, 1, 1), predictions=predictions)

    ax = plot_pairs(run("scratch", (0, 1, 1, 0, 0)), run("transfer", (0, 0, 1, 1, 0)))
    counted = [int(line.get_text().rpartition(" ")[2]) for line in ax.get_legend().get_texts()]
    assert counted == [0, 2, 2, 1]
    assert "only transfer right: 2" in ax.figure.get_label()
    with pytest.raises(InputError):
        plot_pairs(run("scratch", (0, 1, 1, 0, 0)), RunResult("transfer", ("a", "b"), ParameterCount(1, 1)))


def test_second_shots_are_found():
    from tl_widgets import load_dataset, load_folder
    from tl_widgets.teaching import has_twin, two_shots

    dataset = load_dataset("faces", image_size=32, n_per_class=5)
    twins = has_twin(load_folder(two_shots(dataset), image_size=32))
    assert not has_twin(dataset).any()
    assert 0.8 * len(dataset.test) / 2 <= twins.sum() <= len(dataset.test) / 2
