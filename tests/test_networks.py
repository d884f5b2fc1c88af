"""The drawings of both networks: proportions, numbers, texts that fit, and hostile names; no TensorFlow."""

import subprocess
import sys
from itertools import combinations, pairwise
from xml.etree import ElementTree

import pytest
from helpers import count_calls, own_dataset
from tiny import standing_in

import tl_widgets
from tl_widgets import Comparison, Config, FineTuningSpec, InputError, ScratchSpec, compare, plot_networks, to_report
from tl_widgets.backbones.catalogue import find_backbone, list_backbones
from tl_widgets.core.model_name import ModelName
from tl_widgets.export.networks import networks_of
from tl_widgets.plots.networks import draw_network
from tl_widgets.plots.parameter_areas import parameter_areas
from tl_widgets.plots.svg import FONT_SIZE, text_width
from tl_widgets.records.parameters import ParameterCount, count_rows

SVG = "{http://www.w3.org/2000/svg}"
THREE = ("bird", "mammal", "fruit")
TEN = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
HOSTILE = ("<script>alert(1)</script>", '"/><b>&amp;', "\x00\x1b\u202egnp", "日本語の分類名前")


@pytest.fixture(autouse=True)
def real_backbones():
    """The drawings are of the real backbones, whatever stood in for them in the tests before."""
    with standing_in(real=True):
        yield


def six(n, pooling="max", **more):
    return ScratchSpec((n,) * 6, (3,) * 6, pooling=pooling, **more)


CASES = {
    "default": (96, THREE, Config()),
    "two classes, random": (96, ("cats", "dogs"), Config(weights=None)),
    "ten classes, fine-tuned": (96, TEN, Config(fine_tuning=FineTuningSpec(2))),
    "cut, random, fine-tuned": (96, TEN, Config(cut=5, weights=None, fine_tuning=FineTuningSpec(2))),
    "hostile names": (128, HOSTILE, Config(backbone="InceptionResNetV2", fine_tuning=FineTuningSpec(1), weights=None)),
    "many classes": (64, tuple("W" * 300 for _ in range(1000)), Config(backbone="EfficientNetV2B3")),
    "six blocks of 1024, no pooling, 512 px": (512, TEN, Config(scratch=six(1024, "none"))),
    "six blocks of 1024, 512 px": (512, TEN, Config(scratch=six(1024), backbone="ConvNeXtXLarge")),
    "six blocks of 1024, all dense": (511, TEN, Config(scratch=six(1024, "none", dense_units=4096))),
    "six blocks": (96, THREE, Config(scratch=ScratchSpec((8, 16, 32, 64, 96, 128), (3,) * 6))),
    "one filter, 16 px": (16, THREE, Config(scratch=ScratchSpec((1,), (3,)))),
    "global average, no dense layer": (
        64,
        TEN,
        Config(scratch=ScratchSpec((32,), (3,), head="global_average", dense_units=0)),
    ),
    "no pooling": (32, THREE, Config(scratch=ScratchSpec(pooling="none"))),
    "1024 and 1 filters": (512, TEN, Config(scratch=ScratchSpec((1024, 1, 1024, 1), (3,) * 4, dense_units=4096))),
    "too small": (16, THREE, Config(scratch=six(32), backbone="InceptionResNetV2")),
}
SIZES = ((310, 300), (430, 400))


def shapes(root, name):
    """(width, height) of each rectangle of a class."""
    found = [rect for rect in root.iter(f"{SVG}rect") if rect.get("class") == name]
    return [(float(rect.get("width")), float(rect.get("height"))) for rect in found]


def clicks(root):
    return {
        group.get("data-click"): group.get("aria-label") for group in root.iter(f"{SVG}g") if group.get("data-click")
    }


def boxes(root):
    """(text, left, right, top, bottom) of each line of text, from the widest of the usual fonts."""
    for element in root.iter(f"{SVG}text"):
        text, x, y = element.text or "", float(element.get("x")), float(element.get("y"))
        width = text_width(text)
        left = x - {"start": 0, "middle": width / 2}[element.get("text-anchor")]
        if text:
            yield text, left, left + width, y - 9, y + 2


def drawn(case, size=SIZES[0], **more):
    networks = networks_of(*CASES[case])
    return networks, ElementTree.fromstring(networks.markup(*size, interactive=True, **more))


def test_a_backbone_that_is_cut_says_how_many_of_its_blocks_it_has():
    texts = [text for text, *_ in boxes(drawn("cut, random, fine-tuned", SIZES[1])[1])]
    assert "EfficientNetLite0" in texts
    assert "5 of 16 blocks, random weights, then the last 2 blocks learn" in texts


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("case", CASES)
def test_no_text_is_cut_small_or_on_another(case, size):
    _, root = drawn(case, size)
    assert f"font-size:{FONT_SIZE:g}px" in root.get("style")
    assert FONT_SIZE >= 11
    assert not [element for element in root.iter() if element.get("font-size")]
    texts = list(boxes(root))
    assert texts
    for text, left, right, top, bottom in texts:
        assert left > -0.5, text
        assert right < size[0] + 0.5, text
        assert top > -0.5, text
        assert bottom < size[1] + 0.5, text
    for (a, left, right, top, bottom), (b, left2, right2, top2, bottom2) in combinations(texts, 2):
        assert right <= left2 + 0.5 or right2 <= left + 0.5 or bottom <= top2 + 0.5 or bottom2 <= top + 0.5, (a, b)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("case", [case for case in CASES if case != "too small"])
def test_maps_have_their_true_proportions(case, size):
    """Height by map size and width by filters, each on one scale; the image has the scale of the maps."""
    side, _, config = CASES[case]
    _, root = drawn(case, size)
    maps, image = shapes(root, "tlw-maps"), shapes(root, "tlw-image")[0]
    sides, n = [], side
    for _ in config.scratch.filters:
        n = n if config.scratch.pooling == "none" else n // 2
        sides.append(n)
    assert [height / image[1] for _, height in maps] == pytest.approx([n / side for n in sides], abs=2e-3)
    first = config.scratch.filters[0]
    assert [width * first for width, _ in maps] == pytest.approx(
        [maps[0][0] * n for n in config.scratch.filters], rel=0.01, abs=1.1e-3 * max(config.scratch.filters)
    )
    assert image[0] == image[1]


def test_boxes_lie_beside_each_other():
    for case in CASES:
        _, root = drawn(case)
        rects = [rect for rect in root.iter(f"{SVG}rect") if rect.get("class") in ("tlw-maps", "tlw-image")]
        spans = [
            (float(r.get("x")), float(r.get("x")) + float(r.get("width"))) for r in rects if float(r.get("y")) < 110
        ]
        assert all(end <= start for (_, end), (start, _) in pairwise(spans)), case


def test_numbers_are_those_of_the_ledger():
    networks, root = drawn("default")
    texts = [text for text, *_ in boxes(root)]
    scratch, transfer = (count_rows(networks.ledgers[name]) for name in (ModelName.SCRATCH, ModelName.TRANSFER))
    assert {f"{n.trainable:,} parameters learn" for n in (scratch, transfer)} <= set(texts)
    assert {"96×96", "48×48", "24×24", "12×12", "32 filters", "64", "128", "18,432", "flatten", "Dense"} <= set(texts)
    assert {"EfficientNetLite0", "3.41 M frozen", "1,280", "average", *THREE} <= set(texts)
    assert scratch.trainable == 5 * 5 * 3 * 32 + 32 + 9 * 32 * 64 + 64 + 9 * 64 * 128 + 128 + 18_433 * 64 + 65 * 3
    for number in (scratch.trainable, transfer.trainable, transfer.frozen):
        assert f"{number:,}" in networks.text


def test_parts_say_their_arithmetic_and_what_a_click_on_them_means():
    _, root = drawn("default")
    parts = clicks(root)
    scratch = ["input", "filters:0", "filters:1", "filters:2", "flatten", "dense", "output"]
    networks = [group for group in root.iter(f"{SVG}g") if group.get("data-roam") is not None]
    assert [list(clicks(group)) for group in networks] == [scratch, ["input", "backbone", "average", "head"]]
    assert [group.get("aria-label") for group in networks] == ["From scratch", "Transfer"]
    assert "5 × 5 × 3 × 32 + 32 = 2,432 parameters" in parts["filters:0"]
    assert "48 × 48" in parts["filters:0"]
    assert "1280 × 3 + 3 = 3,843 parameters" in parts["head"]
    assert "3,413,024 parameters, all frozen, feature maps of 3 × 3" in parts["backbone"]
    still = networks_of(*CASES["default"]).markup(310, 300, interactive=False)
    assert "data-click" not in still
    assert ElementTree.fromstring(still).get("role") == "img"


def test_parameters_are_true_areas():
    counts = {ModelName.SCRATCH: ParameterCount(619_331, 0), ModelName.TRANSFER: ParameterCount(3_843, 3_413_024)}
    root = ElementTree.fromstring(parameter_areas(counts))
    squares = shapes(root, "tlw-area")
    assert all(width == height for width, height in squares)
    area = [width * height for width, height in squares]
    assert area[0] / area[2] == pytest.approx(619_331 / 3_413_024, rel=2e-3)
    assert area[1] / area[2] == pytest.approx(3_843 / 3_413_024, rel=2e-3)
    assert squares[1][0] < 2 < 40 < squares[2][0]
    assert "3,413,024 frozen" in root.get("aria-label")


def test_frozen_blocks_are_hatched_and_fine_tuned_ones_are_not():
    def marks(case):
        _, root = drawn(case)
        return [sum(e.get("class") == name for e in root.iter()) for name in ("tlw-frozen", "tlw-trained")]

    assert marks("default") == [1, 0]
    assert marks("ten classes, fine-tuned") == [1, 1]
    networks, root = drawn("two classes, random")
    assert "random weights" in [text for text, *_ in boxes(root)]
    assert "random weights" in networks.text
    assert "then the last 2 blocks learn, too" in networks_of(*CASES["ten classes, fine-tuned"]).text


def test_class_names_are_text_and_shortened():
    networks, root = drawn("hostile names")
    assert {element.tag for element in root.iter()}.isdisjoint({f"{SVG}script", f"{SVG}b"})
    assert networks.text.replace("\n", "").isprintable()
    assert any(text.endswith("…") for text, *_ in boxes(root))
    ElementTree.fromstring(networks.svg)
    many, root = drawn("many classes")
    assert any(text.startswith("+99") for text, *_ in boxes(root))
    assert len(many.text) < 2_000


def test_a_mistake_stands_in_the_place_of_its_drawing():
    networks, root = drawn("too small")
    words = " ".join(text for text, *_ in boxes(root))
    assert "6 blocks with pooling halve an image of 16 pixels until none is left." in words
    assert "InceptionResNetV2 needs images of at least 75 pixels; these have 16." in words
    assert "until none is left" in networks.text
    assert shapes(root, "tlw-maps") == []
    assert "There is no backbone" in networks_of(96, THREE, Config(backbone="NoSuchNet")).text


def test_one_network_alone():
    networks = networks_of(*CASES["default"])
    for model, ledger in networks.ledgers.items():
        root = ElementTree.fromstring(draw_network(model, ledger, THREE, networks.facts, width=300, height=140))
        assert (root.get("width"), root.get("height")) == ("300", "140")
        assert all(left > -0.5 and right < 300.5 and bottom < 140 for _, left, right, _, bottom in boxes(root))


@pytest.mark.parametrize(
    ("name", "image_size", "side"),
    [
        ("EfficientNetLite0", 48, 2),
        ("MobileNetV2", 96, 3),
        ("MobileNetV2", 100, None),
        ("InceptionV3", 299, 8),  # Szegedy et al. 2015, table 1
        ("InceptionV3", 75, 1),
        ("ResNet50", 224, 7),  # He et al. 2015, table 1
    ],
)
def test_the_last_maps_are_known_without_building_the_backbone(name, image_size, side):
    assert find_backbone(name).family.last_map(image_size) == side


@pytest.mark.parametrize("backbone", list_backbones(), ids=lambda backbone: backbone.name)
def test_every_backbone_fits(backbone):
    networks = networks_of(224, THREE, Config(backbone=backbone.name))
    root = ElementTree.fromstring(networks.markup(310, 300, interactive=True))
    assert backbone.name in [text for text, *_ in boxes(root)]


def test_the_largest_network_is_drawn_in_a_moment():
    def draw():
        networks_of(*CASES["six blocks of 1024, no pooling, 512 px"]).markup(310, 300, interactive=True)

    assert count_calls(draw) < 40_000  # 18,000 where it took 3 ms


def test_drawing_loads_neither_tensorflow_nor_matplotlib():
    code = (
        "import sys; from tl_widgets import Config; from tl_widgets.export.networks import networks_of;"
        "networks_of(96, ('a', 'b'), Config()).svg;"
        "print(sorted({'tensorflow', 'keras', 'matplotlib', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_notebook_shows_the_data_set_or_the_comparison(tiny_default):
    dataset = own_dataset()
    networks = plot_networks(dataset)
    assert networks._repr_svg_().startswith("<svg")
    assert repr(networks) == networks.text
    assert "32 × 32" in networks.text
    comparison = compare(
        dataset, epochs=1, scratch=ScratchSpec(filters=(4, 4), kernel_sizes=(3, 3), dense_units=8), learning_rate=0.01
    )
    shown = plot_networks(comparison)
    for run in (comparison.scratch, comparison.transfer):
        assert count_rows(shown.ledgers[run.name]) == run.params
    assert plot_networks(Comparison.from_json(comparison.to_json())).svg == shown.svg
    page = to_report(comparison)
    assert page.index("<svg") < page.index("How many parameters each model trained")
    assert "<b>cats" not in page
    with pytest.raises(InputError, match="its own settings"):
        plot_networks(comparison, Config())
    with pytest.raises(InputError, match="must be an ImageDataset"):
        plot_networks("textures")
    with pytest.raises(InputError, match="config must be a Config"):
        plot_networks(dataset, {"epochs": 3})
    assert "plot_networks" in tl_widgets.__all__
