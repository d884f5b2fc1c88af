"""Read the frozen backbone's features of the built-in images, in the sizes that the notebooks and the Lab use."""

import time

import tl_widgets as tl

SIZES = {"textures": (64, 96), "faces": (64, 96), "digits": (32, 64)}


def warm() -> int:
    """Read and keep them.

    Returns:
        How many images were looked at.
    """
    build_transfer = tl.build_transfer  # loads TensorFlow in silence, before Keras is imported
    from tl_widgets.training.features import FrozenPart

    n_images = 0
    for size in sorted({size for sizes in SIZES.values() for size in sizes}):
        part = FrozenPart.of(build_transfer((size, size, 3), 2))
        for name in (name for name, sizes in SIZES.items() if size in sizes):
            dataset = tl.load_dataset(name, image_size=size)
            for split in (dataset.train, dataset.validation, dataset.test):
                part.read(split)
                n_images += len(split)
    return n_images


if __name__ == "__main__":
    started = time.perf_counter()
    n_images = warm()
    print(f"Kept the features of {n_images} images in {time.perf_counter() - started:.0f} s.")  # noqa: T201
