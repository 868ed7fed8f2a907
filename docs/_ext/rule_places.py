"""Where the rules of the catalogue stand in the code, and which tests prove them.

Read from the text alone: nothing is imported and no test is run. A rule is *carried* by the
module, class, function or named value whose docstring, comment or text cites its id; it is
*tested* by the functions marked ``@pytest.mark.rule("C-21")``. Ranges count as what they span:
C-21 to C-23 are three rules. An id inside an example is a customer's name, not a citation.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

RULE_ID = re.compile(r"(?<![\w-])(?:[A-KX]-\d\d|(?:SM|VAR|AMB|RC)-\d\d|S-\d\d[a-c]?)(?![\w-])")
RANGE = re.compile(r"(?<![\w-])([A-Z]+)-(\d\d) to \1-(\d\d)(?![\w-])")
ANCHOR = re.compile(r'<a id="([^"]+)">')
LAWS = "src/retention/testing/"
DEFINITION = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
Body = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, order=True)
class Place:
    """A named piece of code: its file from the root of the project, its line, its name."""

    path: str
    line: int
    name: str  # dotted, with its module; of a test, what follows the file


@dataclass
class Places:
    """Everything that was found: by id, and every definition by its dotted name."""

    rules: tuple[str, ...] = ()
    code: Mapping[str, list[Place]] = field(default_factory=dict)
    laws: Mapping[str, list[Place]] = field(default_factory=dict)
    tests: Mapping[str, list[Place]] = field(default_factory=dict)
    definitions: Mapping[str, Place] = field(default_factory=dict)
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    files: tuple[str, ...] = ()

    def carried(self, rule: str) -> bool:
        """Whether some code cites the rule."""
        return rule in self.code

    def tested(self, rule: str) -> bool:
        """Whether a test is marked with the rule."""
        return rule in self.tests


def collect(root: Path) -> Places:
    """Read the catalogue, the package and the tests below the root of the project."""
    cited: defaultdict[str, set[Place]] = defaultdict(set)
    marked: defaultdict[str, set[Place]] = defaultdict(set)
    definitions: dict[str, Place] = {}
    names: dict[str, dict[str, str]] = {}
    for path, text in _texts(root, "src"):
        for rule, place in citations(text, path):
            cited[rule].add(place)
        definitions.update((place.name, place) for place in defined(text, path))
        names[module_of(path)] = meanings(text, path)
    for path, text in _texts(root, "tests"):
        for rule, place in marks(text, path):
            marked[rule].add(place)
    return Places(
        rules=tuple(known(root / "docs" / "rules")),
        code=_sorted(cited, lambda place: not place.path.startswith(LAWS)),
        laws=_sorted(cited, lambda place: place.path.startswith(LAWS)),
        tests=_sorted(marked, lambda _: True),
        definitions=definitions,
        names=names,
        files=tuple(path for folder in ("src", "tests") for path, _ in _texts(root, folder)),
    )


def known(folder: Path) -> Iterator[str]:
    """Every id that the pages of the catalogue define, page by page."""
    for page in sorted(folder.glob("*.md")):
        yield from ANCHOR.findall(page.read_text(encoding="utf-8"))


def ids(text: str) -> list[str]:
    """The ids that a text cites, each once, with those between the ends of a range."""
    found = list(RULE_ID.findall(text))
    for letters, first, last in RANGE.findall(" ".join(text.replace("#", " ").split())):
        found += [f"{letters}-{number:02}" for number in range(int(first), int(last) + 1)]
    return list(dict.fromkeys(found))


def area(rule: str) -> str:
    """The letters of an id."""
    return rule.partition("-")[0]


# --- the package --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Owner:
    """The lines to which one place answers, the comments above it included."""

    first: int
    last: int
    place: Place


def citations(text: str, path: str) -> Iterator[tuple[str, Place]]:
    """Each id that a module cites, with the smallest named piece of code around it."""
    tree = ast.parse(text)
    owners = list(_owners(tree, text.splitlines(), path))
    for line, said in sorted([*_strings(tree), *_comments(text)]):
        inside = [owner for owner in owners if owner.first <= line <= owner.last]
        place = min(inside, key=lambda owner: owner.last - owner.first).place
        for rule in ids(said):
            yield rule, place


def defined(text: str, path: str) -> Iterator[Place]:
    """Every module, class, function and named value of a module."""
    for owner in _owners(ast.parse(text), text.splitlines(), path):
        yield owner.place


def meanings(text: str, path: str) -> dict[str, str]:
    """What each name of a module's text stands for: where it is defined, here or elsewhere."""
    tree = ast.parse(text)
    found = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    here = module_of(path)
    found.update((name, f"{here}.{name}") for node in _statements(tree) for name in _names(node))
    return found


def module_of(path: str) -> str:
    """The dotted name of a module of the package."""
    return ".".join(Path(path).with_suffix("").parts[1:]).removesuffix(".__init__")


def _owners(tree: ast.Module, lines: list[str], path: str) -> Iterator[Owner]:
    module = module_of(path)
    yield Owner(1, len(lines) + 1, Place(path, 1, module))
    yield from _owners_in(tree, module, lines, path)


def _owners_in(body: Body, prefix: str, lines: list[str], path: str) -> Iterator[Owner]:
    for node, after in pairwise([*_statements(body), None]):
        if node is None:
            continue
        names = _names(node)
        if not names or (
            isinstance(node, (ast.Assign, ast.AnnAssign)) and isinstance(body, ast.ClassDef)
        ):
            continue
        first = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", []))])
        while first > 1 and lines[first - 2].lstrip().startswith("#"):
            first -= 1
        last = node.end_lineno or node.lineno
        if after is not None and isinstance(node, (ast.Assign, ast.AnnAssign)) and _is_text(after):
            last = after.end_lineno or last
        place = Place(path, node.lineno, f"{prefix}.{names[0]}")
        yield Owner(first, last, place)
        if isinstance(node, ast.ClassDef):
            yield from _owners_in(node, place.name, lines, path)


def _statements(body: Body) -> Iterator[ast.stmt]:
    """The statements of a body, those that only checkers read among them."""
    for node in body.body:
        if isinstance(node, ast.If):
            yield from node.body
        yield node


def _names(node: ast.stmt) -> list[str]:
    if isinstance(node, DEFINITION):
        return [node.name]
    if isinstance(node, ast.AnnAssign):
        return [node.target.id] if isinstance(node.target, ast.Name) else []
    if isinstance(node, ast.Assign):
        return [target.id for target in node.targets if isinstance(target, ast.Name)]
    return []


def _is_text(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _strings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, without_examples(node.value)


def without_examples(text: str) -> str:
    """A text without the blocks that begin with ``>>>`` and without what is set as code."""
    kept, example = [], False
    for line in re.sub(r"``[^`]*``", "", text).splitlines():
        example = line.lstrip().startswith(">>>") or (example and bool(line.strip()))
        if not example:
            kept.append(line)
    return "\n".join(kept)


def _comments(text: str) -> Iterator[tuple[int, str]]:
    """Comments, those on successive lines together."""
    first, last, said = 0, -1, ""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type != tokenize.COMMENT:
            continue
        line = token.start[0]
        alone = not token.line[: token.start[1]].strip()
        if alone and line == last + 1 and said:
            last, said = line, f"{said} {token.string}"
            continue
        if said:
            yield first, said
        first, last, said = line, line, token.string
    if said:
        yield first, said


# --- the tests ----------------------------------------------------------------------------------


def marks(text: str, path: str) -> Iterator[tuple[str, Place]]:
    """Each id in a mark, with the function, class or module that is marked."""
    tree = ast.parse(text)
    yield from _marks_in(tree.body, "", path)


def _marks_in(body: Iterable[ast.stmt], prefix: str, path: str) -> Iterator[tuple[str, Place]]:
    for node in body:
        name = next(iter(_names(node)), "")
        qualified = f"{prefix}::{name}" if prefix else name
        if isinstance(node, DEFINITION):
            place = Place(path, node.lineno, qualified)
            for decorator in node.decorator_list:
                yield from ((rule, place) for rule in _marked(decorator))
            if isinstance(node, ast.ClassDef):
                yield from _marks_in(node.body, qualified, path)
        else:
            whole = Place(path, node.lineno, "" if name == "pytestmark" else qualified)
            yield from ((rule, whole) for rule in _marked(node))


def _marked(node: ast.AST) -> Iterator[str]:
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and ast.unparse(call.func).endswith("mark.rule"):
            for argument in call.args:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield argument.value


# --- files --------------------------------------------------------------------------------------


def _texts(root: Path, folder: str) -> Iterator[tuple[str, str]]:
    for path in sorted((root / folder).rglob("*.py")):
        yield path.relative_to(root).as_posix(), path.read_text(encoding="utf-8")


def _sorted(
    found: Mapping[str, set[Place]], wanted: Callable[[Place], bool]
) -> dict[str, list[Place]]:
    kept = {rule: sorted(filter(wanted, places)) for rule, places in found.items()}
    return {rule: places for rule, places in kept.items() if places}
