"""The handbooks as values.

``from retention.presets import ecommerce`` gives the handbook itself; the files that hold
them are private, so that module and value never have the same name.
"""

from retention.presets._ecommerce import ecommerce

__all__ = ["ecommerce"]
