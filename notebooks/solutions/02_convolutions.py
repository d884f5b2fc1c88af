"""Solutions to 02_convolutions. Each passes its check; run this file, or copy a line into the notebook."""

from tl_widgets import ScratchSpec
from tl_widgets.teaching import check

# 02-a: 64 filters with 3 x 3 weights for each of 32 maps, and one bias for each filter.
check("02-a", 3 * 3 * 32 * 64 + 64)

# 02-b: three poolings halve 128 three times; Flatten keeps every pixel of all 128 maps. With 256 x 256 pixels it passes
# on four times as many numbers, so the Dense layer behind it grows. Kernels have the same weights at every place,
# however many places there are.
side = 128 // 2 // 2 // 2
check("02-b", side * side * 128)

# 02-c: in the panel, set Last feature maps to "global average": one number for each map in place of all its places.
check("02-c", ScratchSpec(dense_units=6, head="global_average"))

# 02-d: without it, Dense answers at every place of the maps. GlobalAveragePooling2D does as well.
check("02-d", "Flatten")
