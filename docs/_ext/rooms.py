"""The reference, made from the package: a page for each public module, and lists of them.

When the build begins, ``reference/`` gets one page for every module that users may import, and
loses the pages of modules that are gone. ``{rooms} mechanisms`` lists the modules of one group,
from the roof down, with the first sentence of each; their order is that of the floors in
``pyproject.toml``. So a new room needs no line here, nor anywhere else.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from docutils import nodes
from house import ROOT, first_sentence, grouped, rooms
from sphinx import addnodes
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx

PAGE = """\
# {room}

```{{eval-rst}}
.. automodule:: retention.{room}
```
"""


def write_pages(app: Sphinx) -> None:
    """Write a page for each room where it is missing or differs; drop those of rooms that left."""
    folder = Path(app.srcdir) / "reference"
    folder.mkdir(exist_ok=True)
    pages = {folder / f"{room}.md": PAGE.format(room=room) for room in rooms()}
    for stale in set(folder.glob("*.md")) - set(pages):
        stale.unlink()
    for path, text in pages.items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


class Rooms(SphinxDirective):
    """List the rooms of one group."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return a table: the room and its first sentence."""
        self.env.note_dependency(str(ROOT / "pyproject.toml"))
        files = rooms()
        for path in files.values():
            self.env.note_dependency(str(path))
        return [_table(list(self._rows(files)))]

    def _rows(self, files: dict[str, Path]) -> Iterator[nodes.row]:
        for room in grouped()[self.arguments[0]]:
            link = addnodes.pending_xref(
                "",
                nodes.literal(room, room),
                refdomain="py",
                reftype="mod",
                reftarget=f"retention.{room}",
                refexplicit=True,
                refwarn=True,
                refdoc=self.env.docname,
            )
            sentence = nodes.paragraph()
            for at, piece in enumerate(re.split(r"``([^`]+)``", first_sentence(files[room]))):
                sentence += nodes.literal(piece, piece) if at % 2 else nodes.Text(piece)
            yield nodes.row(
                "", nodes.entry("", nodes.paragraph("", "", link)), nodes.entry("", sentence)
            )


class FrontDoor(SphinxDirective):
    """List what stands in the root of the package, with links to where it lives."""

    def run(self) -> list[nodes.Node]:
        """Return one paragraph of names."""
        import retention

        paragraph = nodes.paragraph()
        for name in retention.__all__:
            value = getattr(retention, name)
            home = getattr(value, "__module__", "")
            target = f"{home}.{name}" if home else value.__name__
            paragraph += addnodes.pending_xref(
                "",
                nodes.literal(name, name),
                refdomain="py",
                reftype="obj",
                reftarget=target,
                refexplicit=True,
                refwarn=True,
                refdoc=self.env.docname,
            )
            paragraph += nodes.Text(" ")
        return [paragraph]


def _table(rows: list[nodes.row]) -> nodes.table:
    body = nodes.tbody("", *rows)
    widths = (nodes.colspec(colwidth=25), nodes.colspec(colwidth=75))
    return nodes.table("", nodes.tgroup("", *widths, body, cols=2), classes=["rooms"])


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the pages before the files are found; register the directives."""
    app.connect("builder-inited", write_pages)
    app.add_directive("rooms", Rooms)
    app.add_directive("front-door", FrontDoor)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
