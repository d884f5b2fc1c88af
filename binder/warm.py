"""Read the frozen backbones' features of the images that are here, in the sizes that the notebooks and the Lab use."""

import time

import tl_widgets as tl

SIZES = {
    "textures": (64, 96),
    "faces": (64, 96),
    "digits": (32, 64),
    "stamps": (64, 96),
    "cats_and_dogs": (96,),  # 128, as in the terminal, would be 160 MB more
}
WITH_EVERY_BUNDLED_BACKBONE = {"stamps": (96,), "cats_and_dogs": (96,)}


def warm() -> int:
    """Read and keep them.

    Returns:
        How many images were looked at, counting one again for each size and backbone.
    """
    build_transfer = tl.build_transfer  # loads TensorFlow in silence, before Keras is imported
    from tl_widgets.training.features import FrozenPart

    here = {info.name for info in tl.list_datasets() if info.offline}
    n_images = 0
    for backbone in (backbone for backbone in tl.list_backbones() if backbone.bundled and backbone.offline):
        sizes_of = SIZES if backbone.name == tl.Config().backbone else WITH_EVERY_BUNDLED_BACKBONE
        for size in sorted({size for sizes in sizes_of.values() for size in sizes}):
            part = FrozenPart.of(build_transfer((size, size, 3), 2, backbone=backbone.name))
            for name in (name for name, sizes in sizes_of.items() if size in sizes and name in here):
                dataset = tl.load_dataset(name, image_size=size)
                for split in (dataset.train, dataset.validation, dataset.test):
                    part.read(split)
                    n_images += len(split)
    return n_images


if __name__ == "__main__":
    started = time.perf_counter()
    n_images = warm()
    print(f"Kept the features of {n_images} images in {time.perf_counter() - started:.0f} s.")  # noqa: T201
