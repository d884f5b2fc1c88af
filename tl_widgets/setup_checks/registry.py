"""The registry of mistakes: `setup_checks/mistakes/`, and any registered later."""

from __future__ import annotations

import pkgutil
from importlib import import_module

from tl_widgets.core.errors import InputError
from tl_widgets.core.text import shown
from tl_widgets.core.translation import _
from tl_widgets.setup_checks import mistakes
from tl_widgets.setup_checks.mistake import Mistake

MISTAKES: dict[str, Mistake] = {}


def register(mistake: Mistake) -> Mistake:
    """Add a mistake to the study, its menus and `check_setup`."""
    if mistake.name in MISTAKES or mistake.name == "all" or not mistake.name.isidentifier():
        raise InputError(
            _(
                "A mistake needs a unique name of letters and underscores, such as 'raw_pixels'; "
                "received {mistake_name!r}.",
                mistake_name=mistake.name,
            )
        )
    MISTAKES[mistake.name] = mistake
    return mistake


def unregister(mistake: Mistake) -> None:
    """Remove a mistake; for tests."""
    del MISTAKES[mistake.name]


def find_mistake(name: str) -> Mistake:
    """Return the mistake with this name."""
    if name not in MISTAKES:
        raise InputError(
            _("There is no mistake {name}; choose one of {mistakes}.", name=shown(name), mistakes=", ".join(MISTAKES))
        )
    return MISTAKES[name]


def _declared() -> list[Mistake]:
    """Return the mistakes that the modules of `setup_checks/mistakes/` declare."""
    names = [module.name for module in pkgutil.iter_modules(mistakes.__path__)]
    modules = [import_module(f"{mistakes.__name__}.{name}") for name in names]
    return [value for module in modules for value in vars(module).values() if isinstance(value, Mistake)]


for _mistake in sorted(_declared(), key=lambda mistake: mistake.place):
    register(_mistake)
