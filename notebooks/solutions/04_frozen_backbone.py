"""Solutions to 04_frozen_backbone. Each passes its check; run this file, or copy a line into the notebook."""

from tl_widgets import count_parameters
from tl_widgets.teaching import check

# 04-a: larger pictures give larger feature maps, but there are still 1,280 of them, and average pooling leaves one
# number for each. So the head has 1,280 weights and a bias, at 64 and at 96 pixels. With Flatten it would have grown.
check("04-a", 1280 + 1)

# 04-b: in plain Keras. Checklist: an Input, scaling to what the backbone expects, the backbone without its top and
# frozen, average pooling, one unit for each class with softmax.
from keras import Input, Sequential, applications, layers

backbone = applications.MobileNetV2(include_top=False, weights=None, input_shape=(96, 96, 3))
backbone.trainable = False
my_model = Sequential(
    [
        Input((96, 96, 3)),
        layers.Rescaling(1 / 127.5, offset=-1.0),
        backbone,
        layers.GlobalAveragePooling2D(),
        layers.Dense(4, activation="softmax"),
    ]
)
check("04-b", my_model)
assert count_parameters(my_model).trainable == 5_124

# 04-c: the share of a single unit is always 1, the number of the dogs' class, and 70 of 100 pictures show dogs. The
# gradient is 0, so no step changes it. Dense(1, activation="sigmoid") works, and so does Dense(2, activation="softmax")
# with the loss "sparse_categorical_crossentropy".
check("04-c", 0.7)

# 04-d: A and C change nothing below the head. B changes the pictures, D the backbone, E what the backbone sees.
check("04-d", "AC")
