"""How the documentation is built: ``sphinx-build -W -n docs build/docs``."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "retention"
language = "en"
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx_copybutton",
    "examples",
    "machine_pages",
    "rooms",
    "rule_ids",
    "rule_links",
]
exclude_patterns = ["_build", "_ext", "**/.ipynb_checkpoints"]
smartquotes = False  # the catalogue quotes the handbooks letter by letter

html_theme = "furo"
html_title = "retention"
html_static_path = ["_static"]
html_css_files = ["retention.css"]
html_copy_source = False
html_show_copyright = False

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
suppress_warnings = ["myst.header"]  # the catalogue goes from # to ### on purpose

nb_execution_mode = "cache"
nb_execution_raise_on_error = True
nb_execution_timeout = 120
nb_merge_streams = True

autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_member_order = "bysource"
autodoc_class_signature = "mixed"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
maximum_signature_line_length = 88
python_use_unqualified_type_names = True
toc_object_entries = False  # a room names what it holds below its title

copybutton_exclude = ".linenos, .gp, .go"

# No inventory of another project is read, so that the build needs no network.
# What comes from outside cannot resolve:
nitpick_ignore_regex = [
    # modules of others
    (
        r"py:.*",
        r"(abc|collections|datetime|decimal|enum|fractions|re|types|typing|zoneinfo)(\..*)?",
    ),
    (
        r"py:.*",
        r"(attr|attrs|cattrs|dateutil|duckdb|hypothesis|matplotlib|mpl|narwhals|nw|np|numpy|pandas|plt|polars|pyarrow|scipy)(\..*)?",
    ),
    # the same and built-in names, where a signature has them without their module
    (
        r"py:.*",
        r"(bool|bytes|date|datetime|dict|float|frozenset|int|list|object|set|str|timedelta|tuple|type|tzinfo)",
    ),
    (
        r"py:.*",
        r"(Any|Callable|ClassVar|Final|Iterable|Iterator|Literal|Mapping|None|NoReturn|Self|Sequence|StrEnum|ZoneInfo)",
    ),
    (
        r"py:.*",
        r"(Attribute|Lookup|Overflow|Type|Value)?(Error|Warning)|BaseException|Exception|UserWarning|KeyError",
    ),
    # the same under the names that checkers see
    (r"py:.*", r"(ArrayLike|NDArray)"),
]
