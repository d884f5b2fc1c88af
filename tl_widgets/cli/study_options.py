"""What `tl-widgets study NAME` may be told. Imports nothing heavy: every `--help` comes past here."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tl_widgets.cli import options
from tl_widgets.core.config import Config
from tl_widgets.core.model_name import ModelName
from tl_widgets.setup_checks.registry import MISTAKES
from tl_widgets.studies.registry import STUDIES


def _numbers(text: str) -> tuple[int, ...]:
    """Whole numbers between commas: "2,5,10"."""
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no list of whole numbers such as 2,5,10") from None


def _names(text: str) -> tuple[str, ...]:
    """Names between commas."""
    return tuple(part.strip() for part in text.split(","))


def _files(text: str) -> dict[str, str]:
    """Files by name between commas: "A=a.h5,B=b.h5"."""
    parts = [part.strip().partition("=") for part in text.split(",")]
    if not all(name and path for name, _, path in parts):
        raise ArgumentTypeError(f"{text!r} is no list of files by name such as MobileNetV2=mobilenet.weights.h5")
    return {name: path for name, _, path in parts}


def add_study(commands: Any) -> None:
    """Add the command and one sub-command for each study."""
    text = "measure one question with many models: how much data, how much time, ..."
    studies = commands.add_parser("study", help=text).add_subparsers(dest="study", metavar="NAME", required=True)
    for name, add_options in _OPTIONS.items():
        study = STUDIES[name]
        title = f"{study.question.rstrip('?')}: {study.about}"
        one = studies.add_parser(name, help=title, description=f"{title}.")
        # Each mistake has images on which it shows, and as many epochs as that takes.
        is_mistake = name == "mistake"
        usual, epochs = ("what shows it", None) if is_mistake else ("textures", Config.epochs)
        one.add_argument(
            "data",
            nargs="?",
            default=None if is_mistake else usual,
            metavar="DATA",
            help=f"a built-in data set (default: {usual}), a folder with a sub-folder for each class, or its zip",
        )
        add = one.add_argument
        add("--epochs", type=int, default=epochs, metavar="N", help="passes over the images")
        options.add_options(add, options.IMAGE_OPTIONS)
        add("--seed", type=int, default=Config.seed, metavar="N", help="of the split and the training")
        add("--json", type=Path, metavar="FILE", help="the record of everything")
        add("--figure", type=Path, metavar="FILE", help="a .png, .svg or .pdf")
        add("--quiet", action="store_true", help="print only the sentences")
        add_options(add)


def _data_options(add: Any) -> None:
    add(
        "--sizes",
        type=_numbers,
        metavar="N,N",
        help="training images per class (default: 2, 4, 8, ... to 200 in all)",
    )
    add("--seeds", type=_numbers, default=(0, 1, 2), metavar="N,N", help="of each size (default: 0,1,2)")
    add(
        "--arms",
        type=_names,
        default=(ModelName.SCRATCH, ModelName.TRANSFER, ModelName.CONTROL),
        metavar="NAME,NAME",
        help="which models",
    )
    add("--backbone", default=Config.backbone, metavar="NAME", help="see `tl-widgets backbones`")
    add("--jobs", type=int, default=1, metavar="N", help="worker processes (default: 1)")


def _time_options(add: Any) -> None:
    add("--target", type=float, metavar="X", help="accuracy to reach, 0 to 1 (default: what all models reach)")
    add("--backbone", default=Config.backbone, metavar="NAME", help="see `tl-widgets backbones`")
    add("--control", action="store_true", help="the same backbone with random weights, too")


def _backbones_options(add: Any) -> None:
    text = "which ones, downloaded if need be (default: those whose weights are on this machine)"
    add("--backbones", type=_names, metavar="NAME,NAME", help=text)
    add("--weights", type=_files, default={}, metavar="NAME=FILE,NAME=FILE", help="weights files that lie elsewhere")
    add("--seeds", type=_numbers, default=(0,), metavar="N,N", help="of each head (default: 0)")
    add("--no-control", dest="control", action="store_false", help="leave random weights out")
    add("--resume", type=Path, metavar="FILE", help="the record of an earlier study to go on with")
    add("--jobs", type=int, default=1, metavar="N", help="worker processes (default: 1)")


def _fine_tuning_options(add: Any) -> None:
    add("--blocks", type=int, default=1, metavar="N", help="how many of the last blocks to unfreeze (default: 1)")
    add("--more-epochs", type=int, default=10, metavar="N", help="after the frozen stage (default: 10)")
    add("--low-rate", type=float, default=1e-4, metavar="X", help="learning rate of fine-tuning (default: 0.0001)")
    add("--backbone", default=Config.backbone, metavar="NAME", help="see `tl-widgets backbones`")


def _mistake_options(add: Any) -> None:
    text = f"all, or one of {', '.join(MISTAKES)}"
    add("--mistake", default="rescaled_twice", metavar="NAME", help=text)
    add("--backbone", default=Config.backbone, metavar="NAME", help="see `tl-widgets backbones`")


def _repeat_options(add: Any) -> None:
    add("--repeats", type=int, default=5, metavar="N", help="how many seeds, --seed and those after it (default: 5)")
    add("--backbone", default=Config.backbone, metavar="NAME", help="see `tl-widgets backbones`")
    add("--control", action="store_true", help="the same backbone with random weights, too")
    add("--jobs", type=int, default=1, metavar="N", help="worker processes (default: 1)")


def _inside_options(add: Any) -> None:
    add("--images", type=int, default=6, metavar="N", help="test images with heat maps, 1 to 12 (default: 6)")
    add("--backbone", default=Config.backbone, metavar="NAME", help="see `tl-widgets backbones`")
    add("--control", action="store_true", help="the same backbone with random weights, too")


_OPTIONS: dict[str, Callable[[Any], None]] = {
    "data": _data_options,
    "time": _time_options,
    "backbones": _backbones_options,
    "fine-tuning": _fine_tuning_options,
    "mistake": _mistake_options,
    "inside": _inside_options,
    "repeat": _repeat_options,
}
