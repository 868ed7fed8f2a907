"""Links from each rule to the code that carries it and the tests that prove it.

``rule_places`` finds them when the build begins. Beneath every entry of the catalogue one small
line names them. ``{rule-counts}`` is a table of what is carried and tested, area by area, and
``{open-rules}`` lists what is not. Code that the reference describes is linked there; the rest, and
every test, to pages with the highlighted source. All of it is made anew with each build. So is what
a type in a signature means: its module says where it comes from, as the reader of the code sees it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import rule_places
from docutils import nodes
from rule_places import Place, Places
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective

ROOT = Path(__file__).parents[2]
CATALOGUE = "rules/"
SHOWN = {"Code": 6, "Laws": 4, "Tests": 3}  # links that stand open; more are folded
KINDS = {"class": "Classes", "function": "Functions", "exception": "Errors"}
AREAS = {
    "A": "customers and data governance",
    "B": "registration and review",
    "C": "segmentation, grading and tags",
    "D": "lifecycle and churn",
    "E": "loyalty programme",
    "F": "engagement",
    "G": "campaigns and pilots",
    "H": "feedback, complaints and service",
    "I": "surveys and KPIs",
    "J": "analytics and prediction",
    "K": "roles and permissions",
    "X": "cross-cutting",
    "SM": "state machines",
    "S": "acceptance scenarios",
    "VAR": "variants between the handbooks",
    "AMB": "ambiguities and their reading",
    "RC": "reading conventions",
}


SOURCE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{path}</title>
<link rel="stylesheet" href="{up}_static/pygments.css">
<link rel="stylesheet" href="{up}_static/source.css">
</head>
<body>
<p><a href="{up}index.html">retention</a> / {path}</p>
{code}
</body>
</html>
"""


class rule_counts(nodes.General, nodes.Element):  # noqa: N801  as docutils names its nodes
    """Where the table of counts will stand."""


class open_rules(nodes.General, nodes.Element):  # noqa: N801
    """Where the list of open rules will stand."""


class Counts(SphinxDirective):
    """The table of counts, filled when all pages are known."""

    def run(self) -> list[nodes.Node]:
        return [rule_counts()]


class Open(SphinxDirective):
    """The list of what is open, filled when all pages are known."""

    def run(self) -> list[nodes.Node]:
        return [open_rules()]


class Links:
    """What one build knows of places, and how it shows them."""

    def __init__(self) -> None:
        self.places = Places()
        self.texts: dict[str, list[tuple[str, str]]] = {}  # a name: module, and what it means there

    def collect(self, _: Sphinx) -> None:
        """Read the project."""
        self.places = rule_places.collect(ROOT)
        self.texts.clear()
        for module, names in self.places.names.items():
            for name, whole in names.items():
                self.texts.setdefault(name, []).append((module, whole))

    def meaning(self, name: str, module: str) -> str:
        """The whole name of what a text calls so.

        The module, or a module of the package, says it; a class that inherits a field may not,
        and then some module that defines the name does.
        """
        for each, whole in self.texts.get(name, ()):
            if each == module or each.startswith(f"{module}."):
                return whole
        homes = (f"{each}.{name}" for each, _ in self.texts.get(name, ()))
        return next((home for home in homes if home in self.places.definitions), name)

    def outdated(self, _: Sphinx, env: BuildEnvironment) -> list[str]:
        """Pages to be written anew, though their own text did not change."""
        return [name for name in env.found_docs if self.touches(name)]

    def touches(self, docname: str) -> bool:
        """Whether a page shows something that was found here."""
        return docname.startswith((CATALOGUE, "reference/")) or docname == "carried"

    def resolve(self, app: Sphinx, doctree: nodes.document, docname: str) -> None:
        """Add the lines, the tables and the links to the source."""
        if app.builder.format != "html" or not self.touches(docname):
            return
        page = Page(app, docname, self.places)
        if docname.startswith("reference/"):
            page.add_contents(doctree)
        if docname.startswith(CATALOGUE):
            page.add_lines(doctree)
        for counts in list(doctree.findall(rule_counts)):
            counts.replace_self(page.counts())
        for listed in list(doctree.findall(open_rules)):
            listed.replace_self(page.open())
        page.add_sources(doctree)

    def write_sources(self, app: Sphinx, problem: Exception | None) -> None:
        """Highlight every file that is newer than its page; these pages need no navigation."""
        if problem is not None or app.builder.format != "html":
            return
        for path in self.places.files:
            written = Path(app.outdir, source_page(path) + ".html")
            if written.exists() and written.stat().st_mtime > (ROOT / path).stat().st_mtime:
                continue
            text = (ROOT / path).read_text(encoding="utf-8")
            written.parent.mkdir(parents=True, exist_ok=True)
            code = app.builder.highlighter.highlight_block(text, "python", linespans="L")
            up = "../" * (source_page(path).count("/"))
            written.write_text(SOURCE.format(path=path, code=code, up=up), encoding="utf-8")


def source_page(path: str) -> str:
    """The page with the source of a file."""
    return "_source/" + path.removesuffix(".py").removeprefix("src/")


class Types(SphinxPostTransform):
    """Give the types of a signature their whole names, as the imports of their module say.

    Some of them, such as an alias of types, are in no reference; they are linked to their source.
    """

    default_priority = 5  # before Sphinx resolves what it was given

    def run(self, **_: object) -> None:
        """Rewrite each link to a name of the module's own text."""
        links: Links = self.app.rule_links
        page = Page(self.app, self.env.docname, links.places)
        for node in list(self.document.findall(addnodes.pending_xref)):
            if node.get("refdomain") != "py":
                continue
            room = f"retention.{self.env.docname.removeprefix('reference/')}"
            whole = links.meaning(node["reftarget"], node.get("py:module") or room)
            node["reftarget"] = page.documented(whole) or whole
            if node["reftarget"] not in page.objects and (
                place := links.places.definitions.get(whole)
            ):
                name = whole.rpartition(".")[2]
                uri = page.source(place)
                node.replace_self(nodes.reference("", name, internal=True, refuri=uri))


class Page:
    """Writes links as they stand on one page."""

    def __init__(self, app: Sphinx, docname: str, places: Places) -> None:
        self.builder, self.docname, self.places = app.builder, docname, places
        self.objects = app.env.domains.python_domain.objects
        self.labels = app.env.domains.standard_domain.anonlabels

    # --- links ------------------------------------------------------------------------------

    def source(self, place: Place) -> str:
        """Where the line of a place is shown."""
        up = "../" * self.docname.count("/")
        return f"{up}{source_page(place.path)}.html#L-{place.line}"

    def code(self, place: Place) -> nodes.reference:
        """A link to the reference, or to the source of what it does not describe."""
        if name := self.documented(place.name):
            known = self.objects[name]
            uri = self.builder.get_relative_uri(self.docname, known.docname)
            return _link(name.removeprefix("retention."), f"{uri}#{known.node_id}", name)
        shown = re.sub(r"\b_(?=\w)", "", place.name.removeprefix("retention."))
        return _link(shown, self.source(place), f"{place.path}, line {place.line}")

    def documented(self, name: str) -> str | None:
        """The name under which the reference describes something, if it does."""
        return next((each for each in _public(name) if each in self.objects), None)

    def test(self, place: Place) -> nodes.inline:
        """A link to the source of a test, whose name is a sentence."""
        name = place.name.rpartition("::")[2].removeprefix("test_").replace("_", " ")
        file = Path(place.path).stem.removeprefix("test_").replace("_", " ")
        link = nodes.reference("", name or "every test", internal=True, refuri=self.source(place))
        link["reftitle"] = f"{place.path}::{place.name}"
        return nodes.inline("", f"{file}: ", link)

    def rule(self, rule: str) -> nodes.reference:
        """A link to the entry of the catalogue."""
        docname, node_id = self.labels[rule.lower()]
        uri = self.builder.get_relative_uri(self.docname, docname)
        link = nodes.reference("", rule, internal=True, refuri=f"{uri}#{node_id}")
        link["classes"] = ["rule-id"]
        return link

    # --- one rule ---------------------------------------------------------------------------

    def lines(self, rule: str) -> list[nodes.Node]:
        """Code, laws and tests of one rule; a word where there is nothing."""
        known = (
            ("Code", [self.code(place) for place in self.places.code.get(rule, [])]),
            ("Laws", [self.code(place) for place in self.places.laws.get(rule, [])]),
            ("Tests", [self.test(place) for place in self.places.tests.get(rule, [])]),
        )
        found = [(name, links) for name, links in known if links]
        if not found:
            return [nodes.paragraph("", "no code and no test yet", classes=["rule-open"])]
        return [node for name, links in found for node in _listed(name, links)]

    def add_lines(self, doctree: nodes.document) -> None:
        """Put the line of each rule beneath its entry."""
        rules = set(self.places.rules)
        for node in list(doctree.findall(nodes.Element)):
            for rule in rules.intersection(node.get("ids", ())):
                _beneath(node, nodes.container("", *self.lines(rule), classes=["rule-links"]))

    # --- all rules --------------------------------------------------------------------------

    def counts(self) -> nodes.table:
        """One row for each area, and their sum."""
        head = ("Area", "rules", "in code", "tested", "both", "open")
        rows = [self._counted(area, name) for area, name in AREAS.items()]
        total = [sum(numbers) for numbers in zip(*(row[1:] for row in rows), strict=True)]
        rows.append(["all", *total])
        return _table(head, rows)

    def _counted(self, area: str, name: str) -> list[str | int]:
        rules = [rule for rule in self.places.rules if rule_places.area(rule) == area]
        carried = {rule for rule in rules if self.places.carried(rule)}
        tested = {rule for rule in rules if self.places.tested(rule)}
        missing = len(rules) - len(carried | tested)
        counted = [len(each) for each in (rules, carried, tested, carried & tested)]
        return [f"{area} {name}", *counted, missing]

    def open(self) -> nodes.bullet_list:
        """The ids that neither code nor a test cites, area by area."""
        listed = nodes.bullet_list(classes=["open-rules"])
        for area, name in AREAS.items():
            rules = [
                rule
                for rule in self.places.rules
                if rule_places.area(rule) == area
                and not self.places.carried(rule)
                and not self.places.tested(rule)
            ]
            if rules:
                line = nodes.paragraph("", "", nodes.strong("", name), nodes.Text(": "))
                line += _with(" ", [self.rule(rule) for rule in rules])
                listed += nodes.list_item("", line)
        return listed

    # --- the reference ----------------------------------------------------------------------

    def add_contents(self, doctree: nodes.document) -> None:
        """Name what a room holds, kind by kind, below its title."""
        found: dict[str, list[nodes.Element]] = {}
        for described in doctree.findall(addnodes.desc):
            signature = described[0]
            if signature.get("class") or not signature.get("ids"):
                continue
            name = signature["fullname"]
            kind = KINDS.get(described["objtype"], "Values")
            found.setdefault(kind, []).append(_link(name, f"#{signature['ids'][0]}", name))
        section = next(doctree.findall(nodes.section), None)
        if section is None:
            return
        lines = [
            nodes.paragraph("", "", nodes.emphasis("", f"{kind}: "), *_with(" ", found[kind]))
            for kind in ("Classes", "Functions", "Errors", "Values")
            if kind in found
        ]
        section.insert(1, nodes.container("", *lines, classes=["room-contents"]))

    def add_sources(self, doctree: nodes.document) -> None:
        """Put a link to the source beside each signature."""
        for signature in doctree.findall(addnodes.desc_signature):
            name = f"{signature.get('module')}.{signature.get('fullname')}"
            if place := self.places.definitions.get(name):
                mark = nodes.inline("", "[source]", classes=["viewcode-link"])
                signature.append(nodes.reference("", "", mark, refuri=self.source(place)))


def _public(name: str) -> Iterator[str]:
    """The name, then the same where a package shows what one of its modules defines."""
    yield name
    parts = name.split(".")
    for kept in range(len(parts) - 2, 0, -1):
        yield ".".join([*parts[:kept], *parts[kept + 1 :]])


def _link(text: str, uri: str, title: str) -> nodes.reference:
    link = nodes.reference("", "", internal=True, refuri=uri, reftitle=title)
    link += nodes.literal(text, text)
    return link


def _listed(name: str, links: list[nodes.Element]) -> Iterator[nodes.Node]:
    """A few links stand open; many are folded."""
    between = "; " if name == "Tests" else ", "
    shown = nodes.inline("", "", *_with(between, links))
    if len(links) <= SHOWN[name]:
        yield nodes.paragraph("", "", nodes.emphasis("", f"{name}: "), shown)
        return
    what = "places in the code" if name == "Code" else name.lower()
    title = f"<details><summary>{len(links)} {what}</summary>"
    yield nodes.raw("", title, format="html")
    yield nodes.paragraph("", "", shown)
    yield nodes.raw("", "</details>", format="html")


def _with(between: str, links: list[nodes.Element]) -> Iterator[nodes.Node]:
    for at, link in enumerate(links):
        if at:
            yield nodes.Text(between)
        yield link


def _beneath(target: nodes.Element, line: nodes.container) -> None:
    """Put the line where the entry of the target ends."""
    above: nodes.Element = target
    while above.parent is not None:
        if isinstance(above, nodes.section):
            above += line
            return
        if isinstance(above, nodes.list_item):
            above += line
            return
        if isinstance(above, nodes.row):
            max(above, key=lambda entry: len(entry.astext())).append(line)
            return
        if isinstance(above, nodes.paragraph) and isinstance(above.parent, nodes.section):
            end = above.parent.index(above) + 1
            while end < len(above.parent) and not any(
                isinstance(node, nodes.target) for node in above.parent[end].children
            ):
                end += 1
            above.parent.insert(end, line)
            return
        above = above.parent


def _table(head: tuple[str, ...], rows: list[list[str | int]]) -> nodes.table:
    def row(cells: tuple[str, ...] | list[str | int]) -> nodes.row:
        entries = nodes.row()
        for cell in cells:
            classes = ["number"] if isinstance(cell, int) else []
            entries += nodes.entry("", nodes.paragraph("", str(cell)), classes=classes)
        return entries

    body = nodes.tbody("", *map(row, rows))
    widths = [nodes.colspec(colwidth=1) for _ in head]
    group = nodes.tgroup("", *widths, nodes.thead("", row(head)), body, cols=len(head))
    return nodes.table("", group, classes=["rule-counts"])


def setup(app: Sphinx) -> dict[str, bool]:
    """Register what reads, what shows, and what writes the pages of the source."""
    links = Links()
    app.rule_links = links
    app.add_post_transform(Types)
    app.add_node(rule_counts)
    app.add_node(open_rules)
    app.add_directive("rule-counts", Counts)
    app.add_directive("open-rules", Open)
    app.connect("builder-inited", links.collect)
    app.connect("env-updated", links.outdated)
    app.connect("doctree-resolved", links.resolve)
    app.connect("build-finished", links.write_sources)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
