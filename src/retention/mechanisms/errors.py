"""Every error of the library: a code, what was given, what is allowed, what to do.

An error keeps its facts as attributes and builds its sentence when it is read, in English
or Chinese; so it can be logged, translated and pickled. Singular functions raise these;
plural functions return :class:`~retention.mechanisms.answers.Problem` values instead.
"""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches
from typing import ClassVar

from retention.mechanisms.words import Language

_LONGEST = 120  # characters of a given value that a sentence shows


class RetentionWarning(UserWarning):
    """The root of all warnings of this library, so that one filter reaches them."""


class RetentionError(Exception):
    """The root of all errors of this library.

    ``where`` names the parameter, path or column, ``given`` is what stood there, ``allowed``
    what would have been accepted (one text or several names).

    >>> InvalidValueError("at_most", (30, 20), "limits that rise").text("en")
    'at_most: (30, 20) is not allowed; allowed: limits that rise'
    """

    code: ClassVar[str] = "error"
    en: ClassVar[str] = "{where}: {given} is not allowed; allowed: {allowed}"
    zh: ClassVar[str] = "{where}：{given} 不被允许；允许：{allowed}"

    def __init__(self, where: str, given: object, allowed: Collection[str] | str = ()) -> None:
        """Keep the facts; all of them go up, so that the error can be pickled."""
        super().__init__(where, given, allowed)
        self.where = where
        self.given = given
        self.allowed = allowed

    def text(self, language: Language = "en") -> str:
        """Return the sentence for people, in English or Chinese."""
        template = self.zh if language == "zh" else self.en
        return template.format(
            where=self.where, given=_shown(self.given), allowed=_listed(self.allowed)
        )

    def __str__(self) -> str:
        """Return the English sentence."""
        return self.text()


class InvalidValueError(RetentionError, ValueError):
    """A value is of the right kind but outside what the rule permits."""

    code = "invalid_value"


class WrongTypeError(RetentionError, TypeError):
    """A value is of a kind that the parameter does not take."""

    code = "wrong_type"
    en = "{where}: {given} is of a kind that is not taken here; give {allowed}"
    zh = "{where}：{given} 的类型不适用；请提供：{allowed}"


class NaiveInstantError(InvalidValueError):
    """A date and time came without a zone, so nobody can say which instant it is."""

    code = "naive_instant"
    en = "{where}: {given} has no time zone; give {allowed}"
    zh = "{where}：{given} 没有时区；请提供：{allowed}"


class UnequalColumnsError(InvalidValueError):
    """The columns of one log differ in length."""

    code = "unequal_columns"
    en = "{where}: columns of unequal length {given}; give one value per row in every column"
    zh = "{where}：各列长度不同 {given}；每列每行都应有一个值"


class MixedCurrenciesError(InvalidValueError):
    """One log holds amounts of several currencies, which cannot be added."""

    code = "mixed_currencies"
    en = "{where}: amounts in {given}; keep one log per currency, or convert before"
    zh = "{where}：金额币种混杂 {given}；请每种货币单独一份记录，或先换算"


class DuplicateError(InvalidValueError):
    """Something that must be unique was given twice."""

    code = "duplicate"
    en = "{where}: {given} is given more than once; give each only once"
    zh = "{where}：{given} 重复；每项只能出现一次"


class NotRisingError(InvalidValueError):
    """Thresholds that must rise fall or repeat, so that bands would overlap."""

    code = "not_rising"
    en = "{where}: {given} does not rise, so bands would overlap; allowed: {allowed}"
    zh = "{where}：{given} 未递增，区间会重叠；允许：{allowed}"


class OverlapError(InvalidValueError):
    """Two cases of an exclusive table hold for the same row."""

    code = "overlap"
    en = "{where}: both hold for {given}; allowed: {allowed}"
    zh = "{where}：同一行 {given} 同时满足两项；允许：{allowed}"


class GapError(InvalidValueError):
    """A table without a catch-all leaves a row without an outcome."""

    code = "gap"
    en = "{where}: no case holds for {given}; close the gap or name a catch-all with otherwise=..."
    zh = "{where}：{given} 不属于任何一类；请补齐规则，或用 otherwise=... 指定兜底类别"


class UnknownNameError(RetentionError, LookupError):
    """A name, path, measure or customer that does not exist."""

    code = "unknown_name"
    en = "{where}: there is no {given}; known: {allowed}"
    zh = "{where}：不存在 {given}；已知：{allowed}"

    @property
    def nearest(self) -> str | None:
        """The known name that looks most like the given one."""
        known = [self.allowed] if isinstance(self.allowed, str) else list(self.allowed)
        return next(iter(get_close_matches(str(self.given), known, n=1)), None)

    def text(self, language: Language = "en") -> str:
        """Return the sentence; a likely misspelling is pointed out."""
        sentence, near = super().text(language), self.nearest
        if near is None:
            return sentence
        return (
            f"{sentence}；是否想写 '{near}'？"
            if language == "zh"
            else f"{sentence}; perhaps '{near}'"
        )


class UnknownMeasureError(UnknownNameError):
    """A rule asks for a measure that the row or the columns do not hold.

    An absent name is a mistake and raises this; a missing *value* (``None``, NaN, empty text)
    is an ordinary thing and matches nothing.
    """

    code = "unknown_measure"


class UnreadableTextError(RetentionError, ValueError):
    """A text that should have been a rule, a table line or a name could not be read."""

    code = "unreadable_text"
    en = "{where}: cannot read {given}; write {allowed}"
    zh = "{where}：无法识别 {given}；请写成：{allowed}"


class RuleTruthError(RetentionError, TypeError):
    """A rule or an answer was used as a condition of Python itself."""

    code = "rule_truth"
    en = "{where}: {given} has no truth of its own; {allowed}"
    zh = "{where}：{given} 本身没有真假；{allowed}"


class BeyondKnownError(RetentionError, LookupError):
    """A time was asked about for which a calendar or a table has no dates."""

    code = "beyond_known"
    en = "{where}: no dates are known for {given}; known: {allowed}; add what is missing"
    zh = "{where}：没有 {given} 的日期数据；已知范围：{allowed}；请补充数据"


class BlankValueError(RetentionError):
    """A value that the handbook leaves open was used before anybody filled it."""

    code = "blank_value"
    en = "{where}: the handbook leaves this blank ({given}); set it with {allowed}"
    zh = "{where}：制度未填此值（{given}）；请用 {allowed} 设定"


class UnpinnedPolicyError(RetentionError):
    """A policy that ranks a population was asked about one customer."""

    code = "unpinned_policy"
    en = "{where}: {given} is a share of a population, which one customer does not show; {allowed}"
    zh = "{where}：{given} 是总体中的占比，无法由单个客户得出；{allowed}"


class RefusedError(RetentionError):
    """A refused command, raised by those who prefer exceptions to answers."""

    code = "refused"
    en = "{where}: {given} is refused; allowed now: {allowed}"
    zh = "{where}：{given} 被拒绝；当前允许：{allowed}"


class MissingExtraError(RetentionError, ImportError):
    """An optional partner is not installed."""

    code = "missing_extra"
    en = "{where} needs {given}; install it with: pip install 'retention[{allowed}]'"
    zh = "{where} 需要 {given}；请安装：pip install 'retention[{allowed}]'"


def _shown(given: object) -> str:
    text = str(given) if isinstance(given, str) else repr(given)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _listed(allowed: Collection[str] | str) -> str:
    return allowed if isinstance(allowed, str) else ", ".join(map(str, allowed)) or "nothing"
