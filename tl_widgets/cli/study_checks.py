"""What `tl-widgets study NAME` was told, looked at before anything is loaded, downloaded or measured."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

from tl_widgets.backbones.catalogue import find_backbone
from tl_widgets.backbones.weights import resolve_weights
from tl_widgets.core.config import Config, FineTuningSpec, require_share, require_workers
from tl_widgets.core.errors import InputError
from tl_widgets.data.dataset import require_seeds, require_whole_number
from tl_widgets.setup_checks.registry import find_mistake
from tl_widgets.studies.inside.result import MOST_IMAGES
from tl_widgets.studies.learning_curve.result import require_arms


def check_asked(args: Namespace) -> None:
    """Refuse what can be refused without the images.

    Args:
        args: of any study; of the record to resume, the result takes the place of its path.

    Raises:
        InputError: something that cannot be, or a file that is not there.
    """
    asked = vars(args)
    epochs = Config.epochs if args.epochs is None else args.epochs  # some studies have numbers of their own
    Config(epochs=epochs, seed=args.seed, repeats=asked.get("repeats", 1))
    for name, check in _CHECKS.items():
        if asked.get(name) is not None:
            check(asked[name])
    if "more_epochs" in asked:
        FineTuningSpec(args.blocks, args.more_epochs, args.low_rate)
    if asked.get("resume") is not None:
        args.resume = _earlier(args.resume)


def _check_sizes(sizes: tuple[int, ...]) -> None:
    for n in sizes:
        require_whole_number("--sizes", n, 1)


def _check_backbones(names: tuple[str, ...]) -> None:
    for name in names:
        find_backbone(name)


def _check_mistake(name: str) -> None:
    if name != "all":
        find_mistake(name)


def _check_files(files: dict[str, str]) -> None:
    for name, path in files.items():
        resolve_weights(find_backbone(name), path)


_CHECKS: dict[str, Any] = {
    "jobs": lambda n: require_workers(n, "--jobs"),
    "seeds": require_seeds,
    "sizes": _check_sizes,
    "arms": require_arms,
    "backbone": find_backbone,
    "backbones": _check_backbones,
    "weights": _check_files,
    "target": lambda target: require_share("--target", target),
    "images": lambda n: require_whole_number("--images", n, 1, MOST_IMAGES),
    "mistake": _check_mistake,
}


def _earlier(path: Path) -> Any:
    """The study whose record a file holds."""
    from tl_widgets.studies.backbones.result import BackboneStudy

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"The record to resume, {path}, cannot be read ({type(error).__name__}). Give the JSON file that "
            "`tl-widgets study backbones` wrote."
        ) from None
    return BackboneStudy.from_json(text)
