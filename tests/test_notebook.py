"""The notebook in `examples` has the cells of the page that the documentation executes."""

from __future__ import annotations

import json
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_the_notebook_is_the_page() -> None:
    page = (ROOT / "docs/how-to/notebook.md").read_text(encoding="utf-8")
    found = re.findall(
        r"^```\{code-cell\}[^\n]*\n(?:^:[^\n]*\n)*(.*?)^```", page, re.MULTILINE | re.DOTALL
    )
    notebook = json.loads((ROOT / "examples/cdnow.ipynb").read_text(encoding="utf-8"))
    cells = ["".join(x["source"]) for x in notebook["cells"] if x["cell_type"] == "code"]
    assert [cell.strip() for cell in cells] == [code.strip() for code in found]
    assert not any(cell.get("outputs") for cell in notebook["cells"])
