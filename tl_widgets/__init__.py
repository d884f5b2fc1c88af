"""Learn transfer learning by measuring it.

The public names stand in `__init__.pyi`, each with the module it lives in, and load on first use: importing this
package imports neither TensorFlow nor SciPy.
"""

from typing import Any

import lazy_loader

from tl_widgets.core.version import __version__ as __version__

_load, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
# What imports Keras as it loads, with any of its backends.
_NEED_KERAS = {"build_scratch", "build_transfer", "check_prediction", "check_setup", "count_parameters"}
# What imports TensorFlow as it loads: it comes before Keras, and quietly.
_NEED_TENSORFLOW = {
    "every_mistake",
    "fine_tune",
    "first_filters",
    "grad_cam",
    "look_inside",
    "train",
    "what_goes_wrong",
}


def __getattr__(name: str) -> Any:
    if name in _NEED_KERAS:
        from tl_widgets.core.lazy_tensorflow import import_keras

        import_keras()
    elif name in _NEED_TENSORFLOW:
        from tl_widgets.core.lazy_tensorflow import import_tensorflow

        import_tensorflow()
    return _load(name)
