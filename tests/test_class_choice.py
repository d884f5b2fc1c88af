"""Some of a data set's classes: the same images in the same splits, whatever the data set."""

import numpy as np
import pytest

from tl_widgets import InputError, load_dataset
from tl_widgets.data.catalogue import list_datasets
from tl_widgets.data.dataset import choose_classes

SPLITS = ("train", "validation", "test")


@pytest.mark.parametrize(("name", "classes"), [("textures", ("gravel", "brick")), ("digits", ("3", "8", "9"))])
def test_images_and_splits_stay_and_labels_count_the_chosen_classes(name, classes):
    every = load_dataset(name, image_size=16)
    some = load_dataset(name, image_size=16, classes=classes)
    assert some.class_names == tuple(sorted(classes))
    for split in SPLITS:
        whole, part = getattr(every, split), getattr(some, split)
        named = [(every.class_names[label], key) for label, key in zip(whole.labels, whole.keys, strict=True)]
        expected = [(name, key) for name, key in named if name in classes]
        assert [(some.class_names[y], key) for y, key in zip(part.labels, part.keys, strict=True)] == expected
    assert some.origin.classes == some.class_names
    assert choose_classes(every, every.class_names) is every


@pytest.mark.parametrize(
    ("classes", "said"), [(("brick",), "at least two"), ((), "at least two"), (("brick", "sand"), "no class 'sand'")]
)
def test_classes_that_cannot_be_are_refused(classes, said):
    with pytest.raises(InputError, match=said):
        load_dataset("textures", image_size=16, classes=classes)


def test_the_list_says_how_many_images_chosen_classes_have():
    for name in ("textures", "faces", "digits"):
        info = next(info for info in list_datasets() if info.name == name)
        for classes in (info.class_names[:2], info.class_names[-2:], info.class_names):
            chosen, dataset = info.choose(classes), load_dataset(name, image_size=16, classes=classes)
            counts = [len(getattr(dataset, split)) for split in SPLITS]
            assert [chosen.n_train, chosen.n_validation, chosen.n_test] == counts
            assert chosen.max_per_class == np.bincount(dataset.train.labels).min()
    flowers = next(info for info in list_datasets() if info.name == "flowers")
    whole = flowers.choose(flowers.class_names)
    assert whole == flowers  # the sizes of single classes add up to the published ones
    assert flowers.choose(("tulips", "roses")).n_train == 479 + 385
