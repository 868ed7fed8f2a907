"""The ways of a case: feedback of 000, complaints of 001, 002 and 003, as machines (VAR-08).

One table each, as the catalogue writes it (SM-23 to SM-26). Names in brackets are what a step
must bring; those that only the handbook can judge are listed beside the table. What every
case may hear besides its way (a response, a promise, a pause) is one more table: notes.
Sessions, returns and improvement items have rooms of their own.
"""

from __future__ import annotations

from typing import Any

from attrs import field

from retention.mechanisms.machines import Machine
from retention.mechanisms.policies import Policy, policy
from retention.mechanisms.words import Word
from retention.mechanisms.workflows import Workflow


class FeedbackState(Word):
    """States of feedback (SM-23, 000)."""

    COLLECTED = "collected", "已收集"
    ASSESSED = "assessed", "已评估"
    ASSIGNED = "assigned", "已分派"
    EMERGENCY = "emergency", "应急处理"
    HANDLING = "handling", "处理中"
    REPLIED = "replied", "已回复"
    SURVEYED = "surveyed", "已调查满意度"
    TRACKING = "tracking", "跟踪中"
    CLOSED = "closed", "已关闭"
    REOPENED = "reopened", "重新打开"


class FeedbackCommand(Word):
    """Commands of feedback (SM-23, 000)."""

    ASSESS = "assess", "评估"
    GENERAL = "general", "按一般问题处理"
    MAJOR = "major", "启动应急处理机制"
    START = "start", "开始处理"
    REPLY = "reply", "回复用户"
    SURVEY = "survey", "满意度调查"
    TRACK = "track", "跟踪"
    CONFIRM_SOLVED = "confirm_solved", "确认解决"
    RECUR = "recur", "问题复发"


class VerifiedComplaintState(Word):
    """States of a complaint that is verified and agreed (SM-24, 001)."""

    ACCEPTED = "accepted", "已受理"
    VERIFIED = "verified", "已核实"
    UNFOUNDED = "unfounded", "不属实"
    ASSIGNED = "assigned", "已明确责任"
    SOLUTION_PROPOSED = "solution_proposed", "已提出方案"
    AGREED = "agreed", "客户认可"
    EXECUTING = "executing", "执行中"
    RESULT_REPORTED = "result_reported", "已反馈结果"
    VISITED = "visited", "已回访"
    TRACKING = "tracking", "跟踪中"
    CLOSED = "closed", "已关闭"


class VerifiedComplaintCommand(Word):
    """Commands of a complaint that is verified and agreed (SM-24, 001)."""

    VERIFY_TRUE = "verify_true", "核实属实"
    VERIFY_FALSE = "verify_false", "核实不属实"
    ASSIGN = "assign", "明确责任"
    PROPOSE = "propose", "提出方案"
    REFUSE = "refuse", "客户不认可"
    AGREE = "agree", "客户认可"
    EXECUTE = "execute", "执行方案"
    REPORT = "report", "反馈结果"
    VISIT = "visit", "回访"
    SATISFIED = "satisfied", "客户满意"
    DISSATISFIED = "dissatisfied", "客户不满意"
    CLOSE = "close", "无复发关闭"
    RECUR = "recur", "问题复发"


class PromisedComplaintState(Word):
    """States of a complaint with a promised time (SM-25, 003)."""

    RECORDED = "recorded", "已记录"
    URGENT = "urgent", "紧急"
    NORMAL = "normal", "一般"
    PROMISED = "promised", "已承诺时间"
    INVESTIGATING = "investigating", "调查核实"
    SOLUTION_PROPOSED = "solution_proposed", "已提出方案"
    AGREED = "agreed", "会员认可"
    RESULT_REPORTED = "result_reported", "已反馈结果"
    SATISFACTION_TRACKED = "satisfaction_tracked", "已跟踪满意度"
    ARCHIVED = "archived", "已归档"


class PromisedComplaintCommand(Word):
    """Commands of a complaint with a promised time (SM-25, 003)."""

    JUDGE_URGENT = "judge_urgent", "判定紧急"
    JUDGE_NORMAL = "judge_normal", "判定一般"
    RESOLVE_ON_SPOT = "resolve_on_spot", "当场解决"
    PROMISE = "promise", "承诺时间节点"
    INVESTIGATE = "investigate", "调查核实"
    PROPOSE = "propose", "提出方案"
    AGREE = "agree", "会员认可"
    REFUSE = "refuse", "会员不认可"
    REPORT = "report", "反馈结果"
    ASK = "ask", "询问满意度"
    ARCHIVE = "archive", "归档"
    DISSATISFIED = "dissatisfied", "会员不满意"


class GradedComplaintState(Word):
    """States of a complaint that is graded and may go to management (SM-26, 002)."""

    RECEIVED = "received", "已接收"
    GRADED = "graded", "已分级"
    ESCALATED = "escalated", "已升级至管理层"
    HANDLING = "handling", "处理中"
    COMPLETED = "completed", "处理完成"
    RESULT_REPORTED = "result_reported", "已反馈结果"
    VISITED = "visited", "已回访"
    SOLVED = "solved", "彻底解决"
    REOPENED = "reopened", "重新打开"


class GradedComplaintCommand(Word):
    """Commands of a complaint that is graded and may go to management (SM-26, 002)."""

    GRADE = "grade", "分级"
    ESCALATE = "escalate", "升级至管理层"
    HANDLE = "handle", "处理"
    COMPLETE = "complete", "处理完成"
    REPORT = "report", "反馈结果"
    VISIT = "visit", "满意度回访"
    SATISFIED = "satisfied", "客户满意"
    NOT_SATISFIED = "not_satisfied", "客户不满意"


class NoteState(Word):
    """Whether a case hears notes: open, waiting for somebody, over, or merged into another."""

    OPEN = "open", "进行中"
    PAUSED = "paused", "等待中"
    OVER = "over", "已结束"
    MERGED = "merged", "已合并"


class Note(Word):
    """What is noted in a case beside its way."""

    RESPOND = "respond", "首次响应"
    ACKNOWLEDGE = "acknowledge", "自动回执"
    NOTIFY = "notify", "通报进度"
    RENEGOTIATE = "renegotiate", "重新约定时间"
    FORWARD = "forward", "转交部门"
    CONFIRM_RECEIPT = "confirm_receipt", "确认收到"
    JOIN = "join", "多部门会商"
    HAND_OFF = "hand_off", "移交"
    ALERT = "alert", "提请管理层关注"
    TAKE_OVER = "take_over", "接手"
    ATTACH = "attach", "并入同一客户的再次联系"
    REMARK = "remark", "备注"
    PAUSE = "pause", "暂停等待"
    RESUME = "resume", "恢复处理"
    REDACT = "redact", "隐去内容"
    MERGE_INTO = "merge_into", "合并到"
    ABSORB = "absorb", "承接其他案件"
    SPLIT_OFF = "split_off", "拆分"
    GATHER = "gather", "归集子案件"
    BELONG = "belong", "归入群体投诉"


# H-05: no handling without department, person, measure and time node; H-07: no end without
# reply and survey. A major item needs a team of two departments (H-04).
FEEDBACK = Machine(
    "SM-23",
    FeedbackState,
    FeedbackCommand,
    """
    collected -assess-> assessed [severity, scope, urgency]
    assessed -general-> assigned [is_general]
    assessed -major-> emergency [is_major, joint_team]
    assigned/emergency -start-> handling [department, person, measure, time_node]
    handling -reply-> replied [reply_channel] (phone, e-mail or SMS)
    replied -survey-> surveyed (an answer is not required)
    surveyed -track-> tracking
    tracking -confirm_solved-> closed
    tracking/closed -recur-> reopened
    reopened -assess-> assessed [severity, scope, urgency]
    """,
)

# H-17, H-18, H-19: steps cannot be skipped, a solution may be refused, a complaint be untrue.
VERIFIED_COMPLAINT = Machine(
    "SM-24",
    VerifiedComplaintState,
    VerifiedComplaintCommand,
    """
    accepted -verify_true-> verified
    accepted -verify_false-> unfounded [finding, reply_channel] (with a reply)
    verified -assign-> assigned [department, person]
    assigned -propose-> solution_proposed [solution]
    solution_proposed -refuse-> assigned [reason]
    solution_proposed -agree-> agreed
    agreed -execute-> executing
    executing -report-> result_reported [result]
    result_reported -visit-> visited
    visited -satisfied-> tracking
    visited -dissatisfied-> assigned
    tracking -close-> closed [no_recurrence]
    tracking/closed -recur-> assigned (reopened)
    """,
)

# H-13 (the four fields), H-14, H-20, H-21, H-22, H-24.
PROMISED_COMPLAINT = Machine(
    "SM-25",
    PromisedComplaintState,
    PromisedComplaintCommand,
    """
    recorded -judge_urgent-> urgent [four_fields, is_urgent]
    recorded -judge_normal-> normal [four_fields, is_normal]
    urgent/normal -resolve_on_spot-> result_reported [result]
    urgent/normal -promise-> promised [time_node]
    promised -investigate-> investigating [evidence, cause]
    investigating -propose-> solution_proposed [solution]
    solution_proposed -agree-> agreed
    solution_proposed -refuse-> investigating [reason]
    agreed -report-> result_reported [result]
    result_reported -ask-> satisfaction_tracked
    satisfaction_tracked -archive-> archived [satisfied, result, cause]
    satisfaction_tracked -dissatisfied-> investigating [reason]
    """,
)

# H-15, H-23, H-25, H-26.
GRADED_COMPLAINT = Machine(
    "SM-26",
    GradedComplaintState,
    GradedComplaintCommand,
    """
    received -grade-> graded [severity, in_crm]
    graded -escalate-> escalated [is_major, management]
    graded -handle-> handling [is_not_major, department, person]
    escalated -handle-> handling [department, person]
    handling -complete-> completed [result]
    completed -report-> result_reported [reply_channel]
    result_reported -visit-> visited
    visited -satisfied-> solved
    visited -not_satisfied-> reopened [reason]
    reopened -handle-> handling [department, person]
    """,
)

# H-06, H-10, H-20, H-29, H-44: whatever the way is, a case hears these. What concerns two
# cases is judged where both are seen, in ``case_groups``: nothing is half done.
NOTES = Machine(
    "notes",
    NoteState,
    Note,
    """
    open/paused -respond-> open [channel]
    open -acknowledge-> open [channel] (by a machine: no response)
    open -notify-> open [channel]
    paused -notify-> paused [channel]
    open -renegotiate-> open [time_node, reason, agreed]
    open/paused -forward-> open [department]
    open -confirm_receipt-> open [department]
    open -join-> open [departments, lead]
    open -hand_off-> open [department, person, history]
    open -alert-> open [level]
    open -take_over-> open [person]
    open/paused -attach-> open [channel, content]
    open -remark-> open [content]
    paused -remark-> paused [content]
    over -remark-> over [content]
    open -pause-> paused [reason]
    paused -resume-> open
    open -redact-> open [reason, fields]
    paused -redact-> paused [reason, fields]
    over -redact-> over [reason, fields]
    merged -redact-> merged [reason, fields]
    open/paused -merge_into-> merged [case, both_cases]
    open -absorb-> open [case, both_cases]
    paused -absorb-> paused [case, both_cases]
    open -split_off-> open [case, both_cases]
    paused -split_off-> paused [case, both_cases]
    open -gather-> open [case, both_cases]
    paused -gather-> paused [case, both_cases]
    open -belong-> open [case, both_cases]
    paused -belong-> paused [case, both_cases]
    open/paused -> over (its way ended)
    paused -> open (a step of its way was taken)
    over -> open (it was taken up again)
    """,
)


@policy
class CaseFlow(Policy):
    """The way of a case with what its steps mean: data for clocks, rates and recurrence.

    An open case follows a change of its flow at once; the steps that it took stay.
    """

    workflow: Workflow[Any, Any]
    completes: tuple[str, ...] = field(converter=tuple)  # commands after which it is handled
    replies: tuple[str, ...] = field(converter=tuple)  # commands that reach the customer
    over: tuple[str, ...] = field(converter=tuple)  # states in which it hears nothing but a remark
    solved: tuple[str, ...] = field(converter=tuple)  # states in which it is solved for good
    assesses: tuple[str, ...] = field(converter=tuple)  # commands that settle its level
    recurs: str = ""  # command that takes up a case again; empty: it becomes a new one
    recurs_from: tuple[str, ...] = field(default=(), converter=tuple)  # commands it counts from
    unfounded: tuple[str, ...] = field(default=(), converter=tuple)


# Conditions that only the handbook can find true: no act brings them.
JUDGED = {
    "SM-23": ("is_general", "is_major", "joint_team", "reply_channel"),
    "SM-24": ("no_recurrence", "reply_channel"),
    "SM-25": ("four_fields", "is_urgent", "is_normal", "satisfied"),
    "SM-26": ("is_major", "is_not_major", "reply_channel"),
    "notes": ("both_cases",),
}
