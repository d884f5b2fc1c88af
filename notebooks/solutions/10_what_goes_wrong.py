"""Solutions to 10_what_goes_wrong. Each passes its check; run this file, or copy a line into the notebook."""

from keras import Input, Sequential, layers, losses, optimizers

import tl_widgets as tl
from tl_widgets.teaching import check

# 10-a: preprocessing before the backbone, no hidden layer of 6, one softmax, Adam's usual rate.
small = tl.load_dataset("textures", image_size=48, n_per_class=10)
preprocessing, backbone, average, _ = tl.build_transfer(small.image_shape, 3).layers
mended = Sequential([Input(small.image_shape), preprocessing, backbone, average, layers.Dense(3, activation="softmax")])
mended.compile(optimizers.Adam(0.001), losses.SparseCategoricalCrossentropy())
check("10-a", mended)

# 10-b: an interval that contains 0 says that these images can't tell. On harder images, or with another backbone, the
# same mistake can cost much.
check("10-b", "unknown")

# 10-c: if the model recognizes the patients, it fails on patients that it hasn't seen. Random labels find another kind
# of leak, where the same picture is in both parts; two X-rays of one patient would get different random labels.
# Checklist for a split by groups: no patient is in two parts; the test has enough patients of each class, not only
# enough pictures; the number is reported with its interval, and with the number of patients.
check("10-c", "split by patient")
