"""Solutions to 02_convolutions. Each passes its check; run this file, or copy a line into the notebook."""

from tl_widgets import ScratchSpec
from tl_widgets.teaching import check

# 02-a: three poolings halve 192 three times; Flatten keeps every place of all 128 maps. The Dense layer after it grows
# with the picture: nine times as many weights as with 64 x 64 pixels. Kernels have the same weights at every place,
# however many places there are, so the convolutions don't grow.
side = 192 // 2 // 2 // 2
check("02-a", side * side * 128)

# 02-b: in the panel, set Last feature maps to "global average": one number for each map in place of all its places.
# Checklist: three blocks as they were, 6 Dense units, fewer than 100,000 parameters.
check("02-b", ScratchSpec(dense_units=6, head="global_average"))

# 02-c: without it, Dense answers at every place of the maps. GlobalAveragePooling2D does as well.
check("02-c", "Flatten")
