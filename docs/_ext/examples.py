"""Examples as they are read: without the empty line that ends them for the test suite."""

from __future__ import annotations

from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.transforms import SphinxTransform

if TYPE_CHECKING:
    from sphinx.application import Sphinx


class Examples(SphinxTransform):
    """Cut the empty lines at the end of each block of code."""

    default_priority = 400

    def apply(self, **_: object) -> None:
        """Replace the text of the block where it is longer."""
        for block in self.document.findall(nodes.literal_block):
            text = block.astext()
            if len(block) == 1 and text != text.rstrip():
                block.rawsource = text.rstrip()  # equal texts: the block is highlighted
                block[0] = nodes.Text(block.rawsource)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the transform."""
    app.add_transform(Examples)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
