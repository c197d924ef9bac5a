"""Everything that `plugin_host` offers, under the name that a person would guess: `import highband`."""

from typing import TYPE_CHECKING

from plugin_host import __all__, __dir__, __getattr__  # noqa: F401

if TYPE_CHECKING:
    from plugin_host import *  # noqa: F403
