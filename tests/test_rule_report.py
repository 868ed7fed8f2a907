from __future__ import annotations

import json

import pytest

SUITE = """
    import pytest

    @pytest.mark.rule("C-21", "SM-06")
    def test_plain(): pass

    @pytest.mark.rule("C-21")
    @pytest.mark.parametrize("n", [1, 2])
    def test_all_cases(n): pass

    @pytest.mark.rule("S-17a")
    @pytest.mark.parametrize("n", [1, 2])
    def test_one_case_fails(n): assert n == 1

    @pytest.mark.rule("S-18")
    @pytest.mark.parametrize("n", [1, pytest.param(2, marks=pytest.mark.skip)])
    def test_one_case_skipped(n): pass

    @pytest.mark.parametrize("n", [
        pytest.param(1, marks=pytest.mark.rule("VAR-01")),
        pytest.param(2, marks=pytest.mark.rule("AMB-02")),
    ])
    def test_marks_on_cases(n): pass

    @pytest.mark.rule("A-01")
    def test_fails(): assert False

    @pytest.mark.rule("A-02")
    @pytest.mark.xfail(strict=False)
    def test_expected_failure(): assert False

    @pytest.mark.rule("A-03")
    @pytest.mark.xfail(strict=False)
    def test_unexpected_pass(): pass

    @pytest.mark.rule("A-04")
    def test_skips_itself(): pytest.skip("today")

    @pytest.fixture
    def falls_later():
        yield
        raise RuntimeError

    @pytest.mark.rule("A-05")
    def test_teardown_fails(falls_later): pass

    @pytest.mark.rule("RC-09")
    class TestMachine:
        def test_in_class(self): pass

    @pytest.mark.rule("A-06")
    def test_subtests(subtests):
        with subtests.test("one"):
            assert False
        with subtests.test("two"):
            pass
"""
OPTIONS = ("-p", "tests.rule_report")


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyprojecttoml("""
        [tool.pytest]
        testpaths = ["tests"]
        markers = ["rule(*ids): what the test proves"]
    """)
    pytester.mkdir("tests")
    return pytester


def suite(project: pytest.Pytester, source: str, name: str = "test_suite.py") -> None:
    made = project.makepyfile(**{name.removesuffix(".py"): source})
    made.rename(project.path / "tests" / name)


def report(project: pytest.Pytester) -> dict[str, list[str]] | None:
    path = project.path / "build" / "rules.json"
    if not path.exists():
        return None
    found: dict[str, list[str]] = json.loads(path.read_text(encoding="utf-8"))
    return found


def test_only_what_passed_in_every_case_is_proven(project: pytest.Pytester) -> None:
    suite(project, SUITE)
    project.runpytest_inprocess(*OPTIONS)
    here = "tests/test_suite.py::"
    assert report(project) == {
        "AMB-02": [here + "test_marks_on_cases"],
        "C-21": [here + "test_all_cases", here + "test_plain"],
        "RC-09": [here + "TestMachine::test_in_class"],
        "SM-06": [here + "test_plain"],
        "VAR-01": [here + "test_marks_on_cases"],
    }


@pytest.mark.parametrize(
    "options",
    [
        ("tests",),
        ("tests/test_suite.py::test_plain",),
        ("-k", "plain"),
        ("-m", "rule"),
        ("--lf",),
        ("--deselect", "tests/test_suite.py::test_fails"),
        ("--ignore", "tests/test_other.py"),
        ("--maxfail", "1"),
        ("-x",),
        ("--stepwise",),
        ("--collect-only",),
    ],
    ids=" ".join,
)
def test_part_of_the_suite_leaves_the_report_alone(
    project: pytest.Pytester, options: tuple[str, ...]
) -> None:
    suite(project, SUITE)
    suite(project, "def test_other(): pass", "test_other.py")
    project.mkdir("build").joinpath("rules.json").write_text('{"A-01": ["old"]}', encoding="utf-8")
    project.runpytest_inprocess(*OPTIONS, *options)
    assert report(project) == {"A-01": ["old"]}


def test_a_file_that_cannot_be_read_leaves_the_report_alone(project: pytest.Pytester) -> None:
    suite(project, SUITE)
    suite(project, "import no_such_module", "test_broken.py")
    project.runpytest_inprocess(*OPTIONS)
    assert report(project) is None
    project.runpytest_inprocess(*OPTIONS, "--continue-on-collection-errors")
    assert report(project) is None


@pytest.mark.parametrize(
    "mark",
    ['"C-1"', '"L-01"', '"S-17d"', '"c-21"', '"C-21 "', '"XC-21"', "21", "", 'id="C-21"'],
)
def test_an_id_that_cannot_exist_stops_the_run(project: pytest.Pytester, mark: str) -> None:
    suite(project, f"import pytest\n@pytest.mark.rule({mark})\ndef test_one(): pass")
    result = project.runpytest_inprocess(*OPTIONS)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*test_suite.py::test_one: *"])
    assert report(project) is None
