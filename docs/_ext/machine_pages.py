"""All machines of the library, made from the code: tables and diagrams, in two languages.

When the build begins, ``machines.md`` and ``zh/machines.md`` are written from the values that
the modules hold, so a page never says anything else than the table that decides.
"""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from house import ROOT, grouped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx

    from retention.mechanisms.words import Language

HEAD = {
    "en": """\
# All machines

Every machine of the library, made from its code when this page was built: which command leads
from which state to which, what it must bring, and what time alone does. A command without a row
is refused, and the refusal names those that have one. The diagrams are written in Mermaid.
[The catalogue](rules/machines.md) has the sentences from which the tables were made.
""",
    "zh": """\
# 全部状态机

本页在构建文档时由代码生成：在哪个状态下，哪个命令通向哪个状态，必须提供什么，以及哪些变化只由时间推移引起。
没有列出的命令一律拒绝，并说明当前允许哪些命令。流程图用 Mermaid 书写。
""",
}
WHERE = {"en": "Decided in", "zh": "所在模块："}
NAMED = re.compile(r"</a>(SM-\w+) \| ([^|(]+?) *(?:\([^|]*\) *)?\|")


def machines() -> dict[str, tuple[str, Any]]:
    """Every machine by its id: the room that holds it, and the machine."""
    from retention.mechanisms.machines import Machine

    found: dict[str, tuple[str, Any]] = {}
    for room in grouped()["areas"]:  # from the roof down: the last that has it made it
        for value in vars(import_module(f"retention.{room}")).values():
            if isinstance(value, Machine):
                found[value.id] = (room, value)
    return dict(sorted(found.items(), key=_place))


def _place(item: tuple[str, Any]) -> tuple[bool, str]:
    """The order of the pages: the numbers of the catalogue, then what has a name."""
    return not item[0].startswith("SM-"), item[0]


def titles() -> dict[str, str]:
    """Return what the catalogue calls each machine."""
    return dict(NAMED.findall((ROOT / "docs/rules/machines.md").read_text(encoding="utf-8")))


def sections(language: Language) -> Iterator[str]:
    """Return a section for each machine: its name, its room, its table, its diagram."""
    named = titles()
    for code, (room, machine) in machines().items():
        head, _, rest = machine.page(language).partition("\n")
        name = f" {named[code]}" if language == "en" and code in named else ""
        place = f"{WHERE[language]} {{py:mod}}`retention.{room}`."
        yield f"{head}{name}\n\n{place}\n{rest.replace('```mermaid', '```text')}\n"


def write_machines(app: Sphinx) -> None:
    """Write both pages where they are missing or differ."""
    pages: tuple[tuple[str, Language], ...] = (("machines.md", "en"), ("zh/machines.md", "zh"))
    for name, language in pages:
        path = Path(app.srcdir) / name
        text = "\n".join((HEAD[language], *sections(language)))
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the pages before the files are found."""
    app.connect("builder-inited", write_machines)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
