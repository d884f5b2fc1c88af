"""Solutions to 04_frozen_backbone. Each passes its check; run this file, or copy a line into the notebook."""

from tl_widgets import count_parameters
from tl_widgets.teaching import check

# 04-a: one weight for each feature and class, one bias for each class.
check("04-a", 2048 * 5 + 5)

# 04-b: in plain Keras.
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

# 04-c: three questions, each with its own yes or no.
check("04-c", (3, "sigmoid"))
