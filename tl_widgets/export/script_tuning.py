"""The part of a script that goes on with the transfer model, as `fine_tuning` does: last blocks unfrozen, low rate."""

from __future__ import annotations

from tl_widgets.core.config import FineTuningSpec

UNFREEZE = '''
def unfreeze_last_blocks(model, n_blocks):
    """Let the last blocks of the backbone inside a model learn, too.

    BatchNormalization stays frozen, which in Keras means inference mode: the averages of a few images
    would overwrite those of ImageNet.
    """
    backbone = next(layer for layer in model.layers if isinstance(layer, keras.Model))
    block = re.compile(r"(conv\\d+_block\\d+|block_?\\d+[a-z]?)(_|$)")
    names = [match[1] if (match := block.match(layer.name)) else "" for layer in backbone.layers]
    last_blocks = list(dict.fromkeys(name for name in names if name))[-n_blocks:]
    first = names.index(last_blocks[0])
    backbone.trainable = True
    for i, layer in enumerate(backbone.layers):
        layer.trainable = i >= first and not isinstance(layer, keras.layers.BatchNormalization)
'''


def going_on(spec: FineTuningSpec) -> str:
    """The lines that fine-tune, after all models were trained.

    Args:
        spec: of the second stage.
    """
    return (
        "# Fine-tuning: the frozen model goes on, compiled again because `trainable` has changed.\n"
        f"unfreeze_last_blocks(transfer, {spec.n_blocks})\n"
        f'train_and_test("fine_tuned", transfer, epochs={spec.epochs}, learning_rate={spec.learning_rate!r})'
    )


def with_epochs(training: str) -> str:
    """`train_and_test` with epochs and learning rate as arguments, for a second stage with its own.

    Args:
        training: the source of the function.
    """
    return (
        training.replace("(name, model):", "(name, model, epochs=EPOCHS, learning_rate=LEARNING_RATE):")
        .replace("Adam(LEARNING_RATE)", "Adam(learning_rate)")
        .replace("epochs=EPOCHS, verbose", "epochs=epochs, verbose")
    )
