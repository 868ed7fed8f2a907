"""Runs every example of the project: docstrings, the README and the pages of the documentation."""

from __future__ import annotations

from doctest import ELLIPSIS
from pathlib import Path
from typing import TYPE_CHECKING

from sybil import Document, Region, Sybil
from sybil.evaluators.doctest import DocTestEvaluator
from sybil.parsers.abstract.doctest import DocTestStringParser
from sybil.parsers.myst import (
    CodeBlockParser,
    DocTestDirectiveParser,
    PythonCodeBlockParser,
    SkipParser,
)
from sybil.parsers.rest import DocTestParser

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pytest

pytest_plugins = ["pytester", "tests.rule_report"]

ROOT = Path(__file__).parent
GENERATED = ROOT / "docs" / "rules"


class _ConsoleBlockParser:
    """Examples in blocks whose language is `pycon`."""

    def __init__(self) -> None:
        self._blocks = CodeBlockParser(language="pycon", evaluator=lambda _: None)
        self._examples = DocTestStringParser(DocTestEvaluator(ELLIPSIS))

    def __call__(self, document: Document) -> Iterable[Region]:
        for block in self._blocks(document):
            for example in self._examples(block.parsed, document.path):
                example.adjust(block, block.parsed)
                yield example


_docstrings = Sybil(
    name="docstring",
    path="src/retention",
    patterns=["*.py"],
    parsers=[DocTestParser(ELLIPSIS)],
)
_pages = Sybil(
    name="page",
    patterns=["README.md", "README.zh.md", "docs/*.md", "docs/*/*.md", "docs/*/*/*.md"],
    parsers=[
        PythonCodeBlockParser(doctest_optionflags=ELLIPSIS),
        _ConsoleBlockParser(),
        DocTestDirectiveParser(ELLIPSIS),
        SkipParser(),
    ],
)
_collect = (_docstrings + _pages).pytest()


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect the examples of a file, unless it is generated or the documentation runs it."""
    if file_path.suffix == ".md" and (
        file_path.is_relative_to(GENERATED)
        or "{code-cell}" in file_path.read_text(encoding="utf-8")
    ):
        return None
    collected: pytest.Collector | None = _collect(file_path, parent)
    return collected
