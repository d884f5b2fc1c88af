"""Solutions to 01_convnet_from_scratch. Each passes its check; run this file, or copy a line into the notebook."""

from tl_widgets import ScratchSpec
from tl_widgets.teaching import check

# 01-a: 64 filters with 3 x 3 weights for each of 32 maps, and one bias for each filter.
check("01-a", 3 * 3 * 32 * 64 + 64)

# 01-b: three poolings halve 128 three times; Flatten keeps every pixel of all 128 maps.
side = 128 // 2 // 2 // 2
check("01-b", side * side * 128)

# 01-c: in the panel, set Last feature maps to "global average".
check("01-c", ScratchSpec(dense_units=6, head="global_average"))

# 01-d: not even the training pictures are learned.
check("01-d", "stuck")
