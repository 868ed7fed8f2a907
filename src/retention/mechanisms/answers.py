"""What the library answers: accepted or refused, the reasons, and the problems of many rows.

One shape each for the whole library; no room defines its own. An answer is a value to look
at, never a condition: ``if decide(...)`` raises, ``match`` and ``isinstance`` are right.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, Never, NoReturn, TypeVar

from attrs import field, frozen

from retention.mechanisms.errors import RefusedError, RuleTruthError
from retention.mechanisms.words import Language, Word

S_co = TypeVar("S_co", covariant=True)
F_co = TypeVar("F_co", covariant=True)

Scalar = int | float | str | bool | None


class Code(Word):
    """Why a command is refused or a row set aside."""

    NOT_POSSIBLE = "not_possible", "当前状态不允许"
    NAMES_MISSING = "names_missing", "缺少必填项"
    KEY_REUSED = "key_reused", "编号已用于其他内容"
    NO_TIME = "no_time", "缺少时间"
    NAIVE_INSTANT = "naive_instant", "时间缺少时区"
    NEGATIVE_TIME = "negative_time", "时长为负"
    END_BEFORE_START = "end_before_start", "结束早于开始"
    BEYOND_KNOWN = "beyond_known", "超出已知日期"
    NO_AMOUNT = "no_amount", "缺少金额"
    NOT_FINITE = "not_finite", "金额不是有限数"
    NEGATIVE_AMOUNT = "negative_amount", "金额为负"
    NO_CUSTOMER = "no_customer", "缺少客户"
    DUPLICATE_ORDER = "duplicate_order", "订单重复"
    TOO_FEW_POINTS = "too_few_points", "积分不足"
    UNKNOWN_CURRENCY = "unknown_currency", "积分种类未定义"
    UNKNOWN_REFERENCE = "unknown_reference", "查无此记录"
    ALREADY_RESOLVED = "already_resolved", "已处理完毕"
    ABOVE_LIMIT = "above_limit", "超出可处理数量"
    NOT_APPROVED = "not_approved", "未经他人批准"
    TOO_LATE = "too_late", "已过期限"
    EXPIRES_TOO_SOON = "expires_too_soon", "失效日不晚于可用日"
    BREAKS_HISTORY = "breaks_history", "会使其后的记录不成立"
    OUT_OF_SCALE = "out_of_scale", "评分超出量表"
    BAD_ANSWER = "bad_answer", "答案不符合题目"
    BAD_FORM = "bad_form", "表单不完整"
    NO_RIGHT = "no_right", "无权操作"
    ANSWERED_TWICE = "answered_twice", "重复作答"
    NOT_ENTITLED = "not_entitled", "无此权益"
    ALREADY_GRANTED = "already_granted", "已发放"
    NOT_THE_DAY = "not_the_day", "不在发放日"
    NOT_APPLICABLE = "not_applicable", "不适用"
    NOT_A_MEMBER = "not_a_member", "会员资格未生效"
    NOT_OFFERED = "not_offered", "不在兑换范围"
    OVERRIDE_REQUIRED = "override_required", "需要授权批准"
    LEAD_TOO_SHORT = "lead_too_short", "提前期不足"
    CHILDREN_OPEN = "children_open", "尚有未回复的子案件"
    NOT_WHOLE = "not_whole", "积分不是整数"
    NOT_POSITIVE = "not_positive", "积分须为正数"
    UNKNOWN_KIND = "unknown_kind", "类型未定义"


@frozen
class Reason:
    """One limit as it was looked at: what was given, what was wanted, whether it held.

    >>> reason = Reason("days_since_purchase", 126, "<= 90", held=False)
    >>> str(reason), reason.text("zh")
    ('days_since_purchase 126 is not <= 90', 'days_since_purchase 126 不满足 <= 90')
    """

    subject: str
    given: Scalar
    wanted: str
    held: bool = field(kw_only=True)
    note: str = field(default="", kw_only=True)  # the limit as the handbook has it, when pinned

    def text(self, language: Language = "en", *, name: Callable[[str], str] = str) -> str:
        """Return the sentence; ``name`` turns the subject into a word for people."""
        subject, note = name(self.subject), f" ({self.note})" if self.note else ""
        if self.given is None:
            return (
                f"{subject} 缺失（需要 {self.wanted}）{note}"
                if language == "zh"
                else f"{subject} is missing (wanted {self.wanted}){note}"
            )
        if language == "zh":
            return f"{subject} {self.given} {'满足' if self.held else '不满足'} {self.wanted}{note}"
        return f"{subject} {self.given} is {'' if self.held else 'not '}{self.wanted}{note}"

    def __str__(self) -> str:
        """Return the English sentence."""
        return self.text()


@frozen
class Problem:
    """Rows of one log that were set aside for one cause; nothing is lost, nothing guessed.

    ``rows`` are the numbers of the rows as they were handed over, ``given`` the first value.

    >>> str(Problem(Code.NO_AMOUNT, (3, 17), "nan", "a finite number"))
    'no amount: 2 rows (3, 17), first nan; allowed: a finite number'
    """

    code: Code
    rows: tuple[int, ...]
    given: str
    allowed: str

    def text(self, language: Language = "en") -> str:
        """Return one line for people, with at most five row numbers."""
        shown = ", ".join(map(str, self.rows[:5])) + (", ..." if len(self.rows) > 5 else "")  # noqa: PLR2004
        code, many = self.code.label(language), len(self.rows)
        if language == "zh":
            return f"{code}：{many} 行（{shown}），首个 {self.given}；允许：{self.allowed}"
        rows = "row" if many == 1 else "rows"
        return f"{code}: {many} {rows} ({shown}), first {self.given}; allowed: {self.allowed}"

    def __str__(self) -> str:
        """Return the English line."""
        return self.text()


@frozen(weakref_slot=False)  # so that it has a maker
class Accepted(Generic[S_co, F_co]):
    """The command holds: the state afterwards, the facts to store, the requests to carry out.

    >>> Accepted("assigned", ("Assigned",)).or_raise().state
    'assigned'
    """

    state: S_co
    facts: tuple[F_co, ...] = ()
    requests: tuple[object, ...] = ()

    def or_raise(self) -> Accepted[S_co, F_co]:
        """Return this answer; the other kind of answer raises here."""
        return self

    def __bool__(self) -> NoReturn:
        """Refuse to be a condition."""
        raise RuleTruthError("Accepted", "an answer", "use match, or isinstance(answer, Accepted)")


@frozen
class Refused:
    """The command does not hold (X-05): why, what was missing, what would be accepted now.

    ``given`` names the state and the command; the state itself is unchanged.

    >>> no = Refused(Code.NAMES_MISSING, given=("verified", "assign"), missing=("person",),
    ...              allowed=("assign",))
    >>> str(no)
    'assign while verified: names missing (person); allowed now: assign'
    >>> no.or_raise()
    Traceback (most recent call last):
    ...
    retention.mechanisms.errors.RefusedError: assign while verified: names missing (person) is \
refused; allowed now: assign
    """

    code: Code
    given: tuple[str, str]
    missing: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()

    def or_raise(self) -> Never:
        """Raise this refusal as :class:`~retention.mechanisms.errors.RefusedError`."""
        state, command = self.given
        raise RefusedError(f"{command} while {state}", self._why("en"), self.allowed)

    def text(self, language: Language = "en") -> str:
        """Return the sentence for people, in English or Chinese."""
        state, command = self.given
        allowed = ", ".join(self.allowed)
        if language == "zh":
            return f"{state} 状态下 {command}：{self._why(language)}；当前允许：{allowed or '无'}"
        return (
            f"{command} while {state}: {self._why(language)}; allowed now: {allowed or 'nothing'}"
        )

    def _why(self, language: Language) -> str:
        missing = f" ({', '.join(self.missing)})" if self.missing else ""
        return self.code.label(language) + missing

    def __str__(self) -> str:
        """Return the English sentence."""
        return self.text()

    def __bool__(self) -> NoReturn:
        """Refuse to be a condition."""
        raise RuleTruthError("Refused", "an answer", "use match, or isinstance(answer, Refused)")
