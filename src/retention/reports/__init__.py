"""An assessment to read: as a page, as text for a terminal, and as plain data.

``table`` prints any result of many customers.

Every number comes from the assessment; nothing is decided here, and no file is written. A page
names customers by their identifiers and shows nothing else of them.
"""

from retention.reports._page import html
from retention.reports._plain import data
from retention.reports._terminal import table, text

__all__ = ["data", "html", "table", "text"]
