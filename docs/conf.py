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
    "rule_ids",
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
toc_object_entries_show_parents = "hide"

copybutton_exclude = ".linenos, .gp, .go"

# No inventory of another project is read, so that the build needs no network.
# What comes from outside cannot resolve:
nitpick_ignore_regex = [
    # modules of others
    (r"py:.*", r"(collections|datetime|decimal|enum|fractions|re|types|typing|zoneinfo)(\..*)?"),
    (r"py:.*", r"(attr|attrs|cattrs|dateutil|hypothesis|matplotlib|np|numpy|pandas|polars)(\..*)?"),
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
    # aliases that only the type checker sees
    (r"py:.*", r"(Aggregate|ArrayLike|Columns|Language|Log|Mask|NDArray|Row|Scalar|Span|When)"),
    (r"py:.*", r"(Customer|GradeOf|Grades|Numbers|Bounds|Of)"),
    (r"py:.*", r"retention\..*\.(Outcome|State|Stored)"),  # type variables of several rooms
    # private bases, and type variables: neither has an entry of its own
    (r"py:.*", r"(.*\.)?(_\w+|[A-Z]{1,2}(_co|_contra)?)"),
]
