"""Drawings of both networks for notebooks, the Lab and the report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tl_widgets.backbones.catalogue import find_backbone
from tl_widgets.core.arguments import checked
from tl_widgets.core.config import Config
from tl_widgets.core.errors import InputError
from tl_widgets.core.html import Markup
from tl_widgets.core.model_name import ModelName
from tl_widgets.core.translation import _
from tl_widgets.data.dataset import ImageDataset
from tl_widgets.plots.networks import (
    BackboneFacts,
    Ledger,
    draw_network,
    draw_networks,
    layer_text,
    networks_text,
)
from tl_widgets.records.comparison import Comparison
from tl_widgets.records.parameters import LayerRow, scratch_ledger, transfer_ledger

NOTEBOOK_SIZE = 430, 400  # CSS pixels


@dataclass(frozen=True)
class Networks:
    """Both networks; a notebook shows it as a drawing.

    Attributes:
        ledgers: The layers of each network, or the sentence that says why it can't be built.
        class_names: In label order.
        facts: About the backbone.
    """

    ledgers: dict[ModelName, Ledger]
    class_names: tuple[str, ...]
    facts: BackboneFacts

    @property
    def text(self) -> str:
        """The text alternative: a sentence or two for each network."""
        return networks_text(self.ledgers, self.class_names, self.facts)

    @property
    def svg(self) -> Markup:
        """The drawing as a file of its own."""
        width, height = NOTEBOOK_SIZE
        return self._draw(width, height, interactive=False, standalone=True)

    def markup(self, width: float, height: float, *, interactive: bool) -> Markup:
        """Return the drawing as SVG for a page, which gives it color and font."""
        return self._draw(width, height, interactive=interactive, standalone=False)

    def layer(self, model: ModelName, key: str, width: float, height: float) -> tuple[Markup, str]:
        """Return the drawing of one network with one layer marked, and that layer's sentence; "" if there is none."""
        ledger, names, facts = self.ledgers[model], self.class_names, self.facts
        drawing = draw_network(model, ledger, names, facts, width=width, height=height, current=key)
        return drawing, layer_text(model, ledger, names, facts, key=key)

    def _draw(self, width: float, height: float, *, interactive: bool, standalone: bool) -> Markup:
        return draw_networks(
            self.ledgers,
            self.class_names,
            self.facts,
            width=width,
            height=height,
            interactive=interactive,
            standalone=standalone,
        )

    def __repr__(self) -> str:
        return self.text

    def _repr_svg_(self) -> str:
        return str(self.svg)


@checked
def plot_networks(dataset: ImageDataset | Comparison, config: Config | None = None) -> Networks:
    """Draw the network from scratch and the transfer model, before or after training.

    Feature maps have their true proportions, frozen layers are hatched, and parameters are areas on one scale. Nothing
    is built or trained.

    Args:
        dataset: A data set, or a comparison, which has its own settings.
        config: The settings for a data set; None for the defaults of `compare`.

    Returns:
        A drawing that a notebook shows as SVG. `text` is its text alternative, `svg` its source.

    Raises:
        InputError: `dataset` is neither, or a comparison came with a `config`.
    """
    if isinstance(dataset, Comparison):
        if config is not None:
            raise InputError(_("A comparison has its own settings. Give it without `config`, or give a data set."))
        return networks_of(dataset.dataset.image_size, dataset.dataset.class_names, dataset.config)
    if not isinstance(dataset, ImageDataset):
        raise InputError(
            _(
                "Give an ImageDataset, such as load_dataset() returns, or a Comparison; received {value!r:.100}.",
                value=dataset,
            )
        )
    if config is not None and not isinstance(config, Config):
        raise InputError(_("config must be a Config, such as Config(epochs=5); received {value!r:.100}.", value=config))
    return networks_of(dataset.image_size, dataset.class_names, config or Config())


def networks_of(image_size: int, class_names: tuple[str, ...], config: Config) -> Networks:
    """Return both networks for square images of `image_size` pixels; a mistake becomes its sentence."""

    def rows(ledger: Callable[[Config, int, int], tuple[LayerRow, ...]]) -> Ledger:
        try:
            return ledger(config, image_size, len(class_names))
        except InputError as error:
            return str(error)

    ledgers = {ModelName.SCRATCH: rows(scratch_rows), ModelName.TRANSFER: rows(transfer_rows)}
    return Networks(ledgers, class_names, _facts(config, image_size))


def _facts(config: Config, image_size: int) -> BackboneFacts:
    try:
        backbone = find_backbone(config.backbone)
        cut = backbone.cut_after(config.cut)
        last_map = cut.last_map(image_size) if cut else backbone.family.last_map(image_size)
    except InputError:
        last_map = None
    n_blocks = config.fine_tuning.n_blocks if config.fine_tuning else 0
    return BackboneFacts(last_map, is_random=config.weights is None, n_trained_blocks=n_blocks)


def scratch_rows(config: Config, image_size: int, n_classes: int) -> tuple[LayerRow, ...]:
    """Return the layers of the network from scratch.

    Raises:
        InputError: Pooling would leave no pixel.
    """
    return scratch_ledger((image_size, image_size, 3), n_classes, config.scratch)


def transfer_rows(config: Config, image_size: int, n_classes: int) -> tuple[LayerRow, ...]:
    """Return the layers of the transfer model.

    Raises:
        InputError: No backbone has this name, it doesn't accept images of this size, it can't be cut there, or its
            number of parameters is unknown until it is built.
    """
    backbone = find_backbone(config.backbone)
    backbone.require_size(image_size)
    end = backbone.cut_after(config.cut) or backbone
    if end.n_params is None or end.feature_width is None:
        raise InputError(_("How many parameters {name} has is known only once it is built.", name=backbone.name))
    return transfer_ledger(
        (image_size, image_size, 3),
        n_classes,
        backbone=backbone.described(config.cut),
        feature_width=end.feature_width,
        backbone_params=end.n_params,
        head_dropout=config.head_dropout,
    )
