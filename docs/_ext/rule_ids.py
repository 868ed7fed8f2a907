"""Ids of the rule catalogue as anchors and links.

In ``rules/`` an id is defined by ``<a id="C-21"></a>``; here that becomes a target known to
Sphinx, with the id unchanged. Wherever an id stands in plain text, in a page or in a docstring, it
becomes a link to its rule. Within ``rules/`` an id that nobody defines is a warning; elsewhere it
stays text, since a customer may be called C-99.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from docutils import nodes
from rule_places import RULE_ID
from sphinx import addnodes
from sphinx.transforms import SphinxTransform

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx

ANCHOR = re.compile(r'<a id="([^"]+)">')
UNTOUCHED = (
    nodes.FixedTextElement,
    nodes.literal,
    nodes.reference,
    nodes.title,
    addnodes.pending_xref,
    addnodes.desc_signature,
)


class Anchors(SphinxTransform):
    """Turn ``<a id="..."></a>`` into targets that links and Sphinx can find."""

    default_priority = 100

    def apply(self, **_: object) -> None:
        """Replace the opening tag and drop the closing one."""
        for opening in list(self.document.findall(nodes.raw)):
            if not (match := ANCHOR.fullmatch(opening.astext())):
                continue
            target = nodes.target(ids=[match[1]], names=[match[1].lower()])
            parent = opening.parent
            place = parent.index(opening)
            parent[place : place + 2] = [target]
            self.document.note_explicit_target(target)
            if isinstance(parent, nodes.paragraph) and len(parent) == 1:
                parent.replace_self(target)


class Mentions(SphinxTransform):
    """Link every id in plain text to its rule."""

    default_priority = 110

    def apply(self, **_: object) -> None:
        """Split each text that names an id."""
        for text in list(self.document.findall(nodes.Text)):
            if RULE_ID.search(text) and not any(
                isinstance(above, UNTOUCHED) for above in _above(text)
            ):
                text.parent.replace(text, list(self._pieces(str(text))))

    def _pieces(self, text: str) -> Iterator[nodes.Node]:
        end = 0
        for match in RULE_ID.finditer(text):
            if match.start() > end:
                yield nodes.Text(text[end : match.start()])
            yield self._link(match[0])
            end = match.end()
        if end < len(text):
            yield nodes.Text(text[end:])

    def _link(self, rule_id: str) -> nodes.inline:
        docname = self.env.docname
        link = addnodes.pending_xref(
            "",
            nodes.inline(rule_id, rule_id),
            refdomain="std",
            reftype="ref",
            reftarget=rule_id.lower(),
            refexplicit=True,
            refwarn=docname.startswith("rules/"),
            refdoc=docname,
        )
        return nodes.inline("", "", link, classes=["rule-id"])


def _above(node: nodes.Node) -> Iterator[nodes.Node]:
    while (node := node.parent) is not None:
        yield node


def setup(app: Sphinx) -> dict[str, bool]:
    """Register both transforms."""
    app.add_transform(Anchors)
    app.add_transform(Mentions)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
