"""Solutions to 10_what_goes_wrong. Each passes its check; run this file, or copy a line into the notebook."""

import keras
from keras import Input, Sequential, layers

import tl_widgets as tl
from tl_widgets.teaching import check

# 10-a: preprocessing before the backbone, no hidden layer of 6, one softmax, Adam's usual rate.
dataset = tl.load_dataset("textures", image_size=48, n_per_class=10)
preprocessing, backbone, average, _ = tl.build_transfer(dataset.image_shape, 3).layers
mended = Sequential(
    [Input(dataset.image_shape), preprocessing, backbone, average, layers.Dense(3, activation="softmax")]
)
mended.compile(keras.optimizers.Adam(0.001), keras.losses.SparseCategoricalCrossentropy())
check("10-a", mended)

# 10-b: there is nothing to learn.
check("10-b", 50)
