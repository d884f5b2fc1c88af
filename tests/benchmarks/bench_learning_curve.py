"""Time the transfer curve of 6 sizes x 5 seeds on kept features, against one network from scratch, in one run.

    python tests/benchmarks/bench_learning_curve.py [--data textures] [--image-size 96]

Prints seconds of wall clock and of processor, and ratios of things that were timed in the same process: these hold on
a busy machine, too. "One network from scratch" is the point of the same learning curve with all training images.
"""

import argparse
import os
import tempfile
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def timed(text, work):
    """Do it; (result, seconds, processor seconds)."""
    started, processor = time.perf_counter(), time.process_time()
    result = work()
    seconds, processor = time.perf_counter() - started, time.process_time() - processor
    print(f"{text:64} {seconds:6.2f} s, {processor:6.2f} s of processor")
    return result, seconds, processor


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="textures")
    parser.add_argument("--image-size", type=int, default=96)
    args = parser.parse_args()
    os.environ["TL_WIDGETS_HOME"] = tempfile.mkdtemp()
    from tl_widgets import learning_curve, load_dataset

    dataset = load_dataset(args.data, image_size=args.image_size)
    most = len(dataset.train) // dataset.n_classes
    sizes = sorted({max(1, round(most * share)) for share in (0.04, 0.08, 0.16, 0.32, 0.64, 1)})
    learning_curve(dataset, n_per_class=[1], seeds=[0], arms=["scratch"])  # TensorFlow's own start is in neither

    def transfer():
        return learning_curve(dataset, n_per_class=sizes, seeds=range(5), arms=["transfer"])

    first, _, first_processor = timed(f"transfer, {len(sizes)} sizes x 5 seeds, features read", transfer)
    kept, seconds, processor = timed(f"transfer, {len(sizes)} sizes x 5 seeds, features kept", transfer)
    scratch = {"n_per_class": [most], "seeds": [0], "arms": ["scratch"]}
    _, _, one = timed(f"from scratch, {most} images per class, 1 seed", lambda: learning_curve(dataset, **scratch))
    whole, _, default = timed("the default curve, all models", lambda: learning_curve(dataset))
    assert [point.test_accuracy for point in first.points] == [point.test_accuracy for point in kept.points]
    print(f"all {len(kept.points)} points on kept features: {processor / one:.2f} of one network from scratch")
    print(f"with reading the features: {first_processor / one:.2f} of it")
    print(f"the default curve of {len(whole.points)} points: {default / one:.1f} of it")
    print(f"under 5 s: {'yes' if seconds < 5 else 'no'}")


if __name__ == "__main__":
    main()
