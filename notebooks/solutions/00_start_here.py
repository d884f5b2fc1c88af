"""Solutions to 00_start_here. Each passes its check; run this file, or copy a line into the notebook."""

from tl_widgets import TransferLab
from tl_widgets.teaching import check
from tl_widgets.widgets import LabSettings

# 00-a: in the Lab, set Images per class to 5 and press Train both. As code:
lab = TransferLab(settings=LabSettings(image_size=64, n_per_class=5))
lab.run(wait=True)
check("00-a", lab.result)

# 00-b: on handwritten digits the borrowed features fit badly, and the network from scratch wins. As code:
lab.settings = LabSettings("digits", image_size=32, n_per_class=20)
lab.run(wait=True)
check("00-b", lab.result.verdict.winner or "too close")
