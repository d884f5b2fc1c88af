"""Solutions to 00_start_here. Each passes its check; run this file, or copy a line into the notebook."""

from tl_widgets import TransferLab
from tl_widgets.teaching import check
from tl_widgets.widgets import LabSettings

# 00-a: in the Lab, set Images per class to 5 and press Train both. As code:
lab = TransferLab(settings=LabSettings(image_size=64, n_per_class=5))
lab.run(wait=True)
check("00-a", lab.result)
# Both lose something, but transfer with 5 photographs of each class is still ahead of scratch with all of them.
# Scratch has to learn from the photographs even what an edge is. Transfer knows that already, and only has to learn
# which of its features go with which class.

# 00-b: the test images decided which network to keep, so the winner owes some of its score to luck with them.
check("00-b", "choosing")
