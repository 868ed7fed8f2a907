"""The handbooks as values.

``from retention.presets import ecommerce`` gives the handbook itself; the files that hold
them are private, so that module and value never have the same name.
"""

from retention.presets._customer_operations import customer_operations
from retention.presets._ecommerce import ecommerce
from retention.presets._membership import membership
from retention.presets._new_measures import new_measures
from retention.presets._user_retention import user_retention

__all__ = [
    "customer_operations",
    "ecommerce",
    "membership",
    "new_measures",
    "user_retention",
]
