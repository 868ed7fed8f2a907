"""Which rules of the handbooks are proven by a passed test?

`@pytest.mark.rule("C-21", "SM-06")` names what a test proves.  After a run of the whole suite
`build/rules.json` holds, for each id, the tests that passed.  A parametrised test stands there
once, and only when every one of its cases passed.  Skipped and expected failures prove nothing.
A run on part of the suite leaves the file alone.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

KNOWN = re.compile(r"[A-KX]-\d\d|SM-\d\d|S-\d\d[a-c]?|VAR-\d\d|AMB-\d\d|RC-\d\d")
PARTIAL_OPTIONS = (  # dest names; absent where a plugin is off
    "keyword",
    "markexpr",
    "lf",
    "stepwise",
    "deselect",
    "ignore",
    "ignore_glob",
    "collectonly",
    "setuponly",
    "setupplan",
)
FINISHED = {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}


def function_of(nodeid: str) -> str:
    """The id of a test function, without the case in brackets."""
    return nodeid.partition("[")[0]


class RuleReport:
    """Collects marks and outcomes of one run and writes the report at its end."""

    def __init__(self, config: pytest.Config) -> None:
        self.path = config.rootpath / "build" / "rules.json"
        self.partial = config.args_source is not pytest.Config.ArgsSource.TESTPATHS or any(
            config.getoption(name, None) for name in PARTIAL_OPTIONS
        )
        self.rules: defaultdict[str, set[str]] = defaultdict(set)  # function -> rule ids
        self.cases: defaultdict[str, set[str]] = defaultdict(set)  # function -> node ids
        self.passed: set[str] = set()
        self.spoiled: set[str] = set()

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: Sequence[pytest.Item]) -> None:
        """Read the marks; refuse ids that cannot exist."""
        wrong = []
        for item in items:
            function = function_of(item.nodeid)
            for mark in item.iter_markers("rule"):
                wrong += [f"{item.nodeid}: {problem}" for problem in problems(mark)]
                self.rules[function].update(map(str, mark.args))
            self.cases[function].add(item.nodeid)
        if wrong:
            raise pytest.UsageError(*wrong)

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Anything left out makes the run a partial one."""
        self.partial |= bool(items)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that cannot be read hides its tests."""
        self.partial |= report.failed

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A case passes when its call passed, and set-up and tear-down did not fail."""
        if not report.passed or hasattr(report, "wasxfail"):
            self.spoiled.add(report.nodeid)
        elif report.when == "call":
            self.passed.add(report.nodeid)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Write the report of a whole run."""
        stopped = session.shouldstop or session.shouldfail
        if self.partial or stopped or exitstatus not in FINISHED:
            return
        self.path.parent.mkdir(exist_ok=True)
        text = json.dumps(self.proven(), indent=1, sort_keys=True)
        self.path.write_text(text + "\n", encoding="utf-8")

    def proven(self) -> dict[str, list[str]]:
        """Each id with the test functions of which every case passed."""
        good = self.passed - self.spoiled
        found: defaultdict[str, list[str]] = defaultdict(list)
        for function, ids in self.rules.items():
            if self.cases[function] <= good:
                for rule in ids:
                    found[rule].append(function)
        return {rule: sorted(functions) for rule, functions in found.items()}


def problems(mark: pytest.Mark) -> Iterable[str]:
    """What is wrong with a mark, in sentences."""
    if mark.kwargs or not mark.args:
        yield "rule takes one or more ids and nothing else"
    for rule in mark.args:
        if not (isinstance(rule, str) and KNOWN.fullmatch(rule)):
            yield f"{rule!r} is not the id of a rule, a machine or a scenario"


def pytest_configure(config: pytest.Config) -> None:
    """Start one report for the run."""
    config.pluginmanager.register(RuleReport(config), "rule-report")
