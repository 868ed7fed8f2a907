"""Feedback and complaints of the five handbooks: form, way, levels, clocks, departments.

Each handbook has its own way (SM-23 to SM-26); 004 has none and takes that of 000.
"""

from retention.case_clocks import RECEIVED, ClockName, ClockRule
from retention.case_flows import (
    FEEDBACK,
    GRADED_COMPLAINT,
    JUDGED,
    PROMISED_COMPLAINT,
    VERIFIED_COMPLAINT,
    CaseFlow,
    FeedbackState,
    GradedComplaintState,
    PromisedComplaintState,
    VerifiedComplaintState,
)
from retention.feedback import Feedback, Right, Route
from retention.intake import Entry, FeedbackKind, IntakeForm
from retention.mechanisms.decisions import FirstMatch
from retention.mechanisms.obligations import Days, Within
from retention.mechanisms.policies import assumed, read, stated
from retention.mechanisms.rules import Measure
from retention.mechanisms.workflows import Workflow
from retention.triage import CaseLevel, Consequence, LevelCase, Triage

ZONE = assumed("Asia/Shanghai", "RC-01: the handbook does not say")
severity = Measure[str]("severity", zh="严重程度")
scope = Measure[str]("scope", zh="影响范围")
urgency = Measure[str]("urgency", zh="紧急程度")
nature = Measure[str]("nature", zh="投诉性质")
layer = Measure[str]("layer", zh="客户层级")

# --- 000 ----------------------------------------------------------------------------------------

FEEDBACK_FLOW = read(
    CaseFlow(
        workflow=Workflow(FEEDBACK, FeedbackState.COLLECTED, judged=JUDGED["SM-23"]),
        completes=("reply",),
        replies=("reply",),
        over=("closed",),
        solved=("closed",),
        assesses=("assess",),
        recurs="recur",
        recurs_from=("confirm_solved",),
    ),
    "000 四(三)1-5, SM-23",
)

user_retention_feedback = Feedback(
    form=IntakeForm(
        kinds=stated(
            (FeedbackKind.INQUIRY, FeedbackKind.COMPLAINT, FeedbackKind.SUGGESTION),
            "000 四(三) 「包括咨询、投诉、建议等」",
        ),
        entries=stated(
            (Entry.MAILBOX, Entry.ONLINE_CHAT, Entry.HOTLINE, Entry.APP),
            "000 四(三) 「处理用户的咨询、投诉和建议」",
        ),
        required=stated(
            ("matter", "contact"), "000 四(三) 「记录反馈的内容、用户基本信息、反馈时间」"
        ),
        zone=ZONE,
    ),
    flow=FEEDBACK_FLOW,
    triage=Triage(
        table=FirstMatch(
            cases=(
                LevelCase(
                    outcome=CaseLevel.MAJOR,
                    when=assumed(
                        severity.is_("major") | scope.is_("group") | urgency.is_("high"),
                        "000 四(三) 「判断反馈问题的严重程度」: the highest of any, or a group",
                    ),
                    consequences=stated(
                        (Consequence.EMERGENCY_MECHANISM, Consequence.JOINT_TEAM),
                        "000 四(三) 「立即启动应急处理机制」",
                    ),
                ),
            ),
            otherwise=stated(CaseLevel.GENERAL, "000 四(三) 「对于一般性问题」"),
        ),
        facts=stated(
            ("severity", "scope", "urgency"), "000 四(三) 「严重程度、影响范围和紧急程度」"
        ),
        otherwise=stated((Consequence.HANDLING_STAFF,), "000 四(三) 「及时安排相关人员进行处理」"),
        joint_team=read(2, "000 四(三): several departments are at least two"),
        rule="H-04",
    ),
    clocks=(
        ClockRule(
            name=ClockName.PROMISE,
            starts=read(("start",), "000 四(三) 「时间节点」: set before handling starts"),
            stops=read(("reply",), "000 四(三) 「回复用户」"),
            limit=stated(None, "000 四(三): the time node that was set"),
            promised="time_node",
            rule="H-05",
        ),
        ClockRule(
            name=ClockName.PROGRESS,
            starts=read(("start",), "000 四(三): from the start of handling"),
            stops=stated(("notify",), "000 四(三) 「及时向用户反馈处理进度」"),
            ends=read(("reply",), "000 四(三): until the reply"),
            repeats=read(True, "000 四(三): again and again"),
            limit=assumed(Within(hours=24), "000 四(三) 「及时」: no limit is named"),
            rule="H-06",
        ),
    ),
    reply_channels=stated(("phone", "email", "sms"), "000 四(三) 「以电话、邮件、短信等方式」"),
    recurrence_days=assumed(30, "000 四(三) 「不再复发」: no time is named"),
    satisfied_from=assumed(4, "000 四(三): no rating is named; 4 of 5"),
    rule="H-08",
    zone=ZONE,
)

# --- 001 ----------------------------------------------------------------------------------------

customer_operations_feedback = Feedback(
    form=IntakeForm(
        entries=read(
            (Entry.COMPLAINT_DESK, Entry.PHONE, Entry.EMAIL, Entry.ONLINE_CHAT),
            "001 四(二) 「专门的客户投诉受理渠道」, and the channels of 四(一)",
        ),
        required=stated(("matter", "contact"), "001 四(二) 「详细记录投诉内容、客户基本信息」"),
        zone=ZONE,
    ),
    flow=read(
        CaseFlow(
            workflow=Workflow(
                VERIFIED_COMPLAINT, VerifiedComplaintState.ACCEPTED, judged=JUDGED["SM-24"]
            ),
            completes=("report", "verify_false"),
            replies=("report", "verify_false"),
            over=("closed", "unfounded"),
            solved=("closed",),
            assesses=(),
            recurs="recur",
            recurs_from=("report",),
            unfounded=("unfounded",),
        ),
        "001 四(二) 「按照规定流程进行处理」, SM-24",
    ),
    triage=read(None, "001 四(二): no levels (VAR-08)"),
    clocks=(
        ClockRule(
            name=ClockName.PROGRESS,
            starts=read(("assign",), "001 四(二): from the day somebody is responsible"),
            stops=stated(("notify",), "001 四(二) 「向客户反馈处理进度」"),
            ends=read(("report",), "001 四(二): until the result is reported"),
            repeats=read(True, "001 四(二): again and again"),
            limit=assumed(Within(hours=24), "001 四(二): no limit is named"),
            rule="H-06",
        ),
    ),
    recurrence_days=assumed(30, "001 四(二) 「防止类似问题再次发生」: no time is named"),
    satisfied_from=assumed(4, "001 四(二): no rating is named; 4 of 5"),
    rule="H-17",
    zone=ZONE,
)

# --- 002 ----------------------------------------------------------------------------------------

ecommerce_feedback = Feedback(
    form=IntakeForm(
        entries=stated(
            (Entry.APP, Entry.PHONE, Entry.THIRD_PARTY),
            "002 三(三)1 「APP内“投诉建议”、客服电话、第三方平台售后入口」",
        ),
        required=read(("matter",), "002 三(三)1 「确保投诉信息及时汇总至CRM系统」"),
        zone=ZONE,
    ),
    flow=read(
        CaseFlow(
            workflow=Workflow(
                GRADED_COMPLAINT, GradedComplaintState.RECEIVED, judged=JUDGED["SM-26"]
            ),
            completes=("complete",),
            replies=("report",),
            over=("solved",),
            solved=("solved",),
            assesses=("grade",),
        ),
        "002 三(三)1-3, SM-26",
    ),
    triage=Triage(
        table=FirstMatch(
            cases=(
                LevelCase(
                    outcome=CaseLevel.MAJOR,
                    when=stated(
                        severity.is_("major") | scope.is_("group"),
                        "002 三(三)2 「重大投诉(如群体投诉)」",
                    ),
                    consequences=stated(
                        (Consequence.MANAGEMENT,), "002 三(三)2 「需升级至管理层处理」"
                    ),
                ),
                LevelCase(
                    outcome=CaseLevel.SERIOUS,
                    when=read(severity.is_("serious"), "H-15: four levels"),
                    consequences=read((Consequence.HANDLING_STAFF,), "002 三(三)2"),
                ),
                LevelCase(
                    outcome=CaseLevel.MODERATE,
                    when=read(severity.is_("moderate"), "H-15: four levels"),
                    consequences=read((Consequence.HANDLING_STAFF,), "002 三(三)2"),
                ),
            ),
            otherwise=read(CaseLevel.MINOR, "H-15: four levels"),
        ),
        facts=stated(("severity",), "002 三(三)2 「根据投诉严重程度」"),
        typical=read(
            (("goods_damaged", "moderate"), ("bad_attitude", "moderate"), ("fraud", "serious")),
            "002 三(三)2 「如“商品破损”“服务态度差”“欺诈”」",
        ),
        otherwise=read((Consequence.HANDLING_STAFF,), "002 三(三)2"),
        rule="H-15",
    ),
    clocks=(
        ClockRule(
            name=ClockName.MANAGER_RESPONSE,
            starts=read((RECEIVED,), "002 三(三): from what the customer said"),
            stops=read(("respond",), "AMB-12: respond within 24 h"),
            limit=stated(Within(hours=24), "002 二(二) 「专属客服经理(24小时响应)」"),
            when=stated(layer.is_("high_active"), "002 二(二): high-value active customers"),
            who=stated("dedicated_manager", "002 二(二) 「专属客服经理」"),
            rule="H-38",
        ),
        ClockRule(
            name=ClockName.COMPLETION,
            starts=read((RECEIVED,), "002 三(三): from what the customer said"),
            stops=stated(("complete",), "002 五(一)6 「投诉处理完成时间」"),
            limit=stated(Within(hours=24), "002 五(一)6 「≤24小时」"),
            rule="H-26",
        ),
        ClockRule(
            name=ClockName.SATISFACTION_VISIT,
            starts=stated(("complete",), "002 三(三)2 「投诉处理完成后」"),
            stops=stated(("visit",), "002 三(三)2 「满意度回访」"),
            limit=stated(Days(0, 3), "002 三(三)2 「并在3天内进行满意度回访」"),
            rule="H-25",
        ),
    ),
    rights=(Right("take_over", stated(("management",), "002 三(三)2 「升级至管理层处理」")),),
    routes=(
        Route("logistics_delay", read("logistics", "002 三(三)3 「物流延迟」")),
        Route("not_as_described", read("product", "002 三(三)3 「商品描述不符」")),
        Route("bad_attitude", read("customer_service", "002 三(三)2 「服务态度差」")),
    ),
    recurrence_days=assumed(30, "002 三(三): no time is named"),
    satisfied_from=assumed(4, "002 三(三)2: no rating is named; 4 of 5"),
    rule="H-12",
    zone=ZONE,
)

# --- 003 ----------------------------------------------------------------------------------------

membership_feedback = Feedback(
    form=IntakeForm(
        entries=stated(
            (Entry.HOTLINE, Entry.ONLINE_CHAT, Entry.EMAIL, Entry.SOCIAL_PRIVATE_MESSAGE),
            "003 六(一)1 「私信公司官方账号,提交投诉信息」",
        ),
        required=stated(
            ("contact", "matter", "demand"),
            "003 六(二)1 「投诉时间、投诉人基本信息、投诉事项、诉求」",
        ),
        zone=ZONE,
    ),
    flow=read(
        CaseFlow(
            workflow=Workflow(
                PROMISED_COMPLAINT, PromisedComplaintState.RECORDED, judged=JUDGED["SM-25"]
            ),
            completes=("report", "resolve_on_spot"),
            replies=("report", "resolve_on_spot"),
            over=("archived",),
            solved=("archived",),
            assesses=("judge_urgent", "judge_normal"),
        ),
        "003 六(二)1-4, SM-25",
    ),
    triage=Triage(
        table=FirstMatch(
            cases=(
                LevelCase(
                    outcome=CaseLevel.URGENT,
                    when=stated(
                        nature.one_of("product_quality_safety", "major_service_failure"),
                        "003 六(二)1 「如涉及产品质量安全、重大服务失误」",
                    ),
                    consequences=stated(
                        (Consequence.URGENT_PROCESS, Consequence.FIRST_IN_LINE),
                        "003 六(二)1 「立即启动紧急处理流程,优先解决」",
                    ),
                ),
            ),
            otherwise=read(CaseLevel.NORMAL, "003 六(二)1: everything else"),
        ),
        facts=stated(("nature",), "003 六(二)1: the nature of the complaint"),
        otherwise=read((Consequence.HANDLING_STAFF,), "003 六(二)1"),
        rule="H-14",
    ),
    clocks=(
        ClockRule(
            name=ClockName.PROMISE,
            starts=stated(("promise",), "003 六(二)1 「向会员承诺处理投诉的时间节点」"),
            stops=stated(("report",), "003 六(二)3 「按照承诺的时间节点向会员反馈处理结果」"),
            limit=stated(None, "003 六(二)1: the time node that was promised"),
            promised="time_node",
            rule="H-20",
        ),
        ClockRule(
            name=ClockName.PROGRESS,
            starts=read(("promise",), "003 六(二)2: from the promise on"),
            stops=stated(("notify",), "003 六(二)2 「反馈处理进度」"),
            ends=read(("report",), "003 六(二)2: until the result is reported"),
            repeats=read(True, "003 六(二)2: again and again"),
            limit=assumed(Within(hours=24), "003 六(二)2: no limit is named"),
            rule="H-20",
        ),
    ),
    routes=(Route("benefit", assumed("customer_service", "003 五(三) 「会员权益投诉处理机制」")),),
    recurrence_days=assumed(30, "003 六(二): no time is named"),
    satisfied_from=assumed(4, "003 六(二)3: no rating is named; 4 of 5"),
    rule="H-13",
    zone=ZONE,
)

# --- 004 ----------------------------------------------------------------------------------------

new_measures_feedback = Feedback(
    form=IntakeForm(zone=ZONE),
    flow=assumed(
        CaseFlow(
            workflow=Workflow(FEEDBACK, FeedbackState.COLLECTED, judged=JUDGED["SM-23"]),
            completes=("reply",),
            replies=("reply",),
            over=("closed",),
            solved=("closed",),
            assesses=("assess",),
            recurs="recur",
            recurs_from=("confirm_solved",),
        ),
        "004 二(二)2: no way is named; that of 000 is taken",
    ),
    triage=read(None, "004 二(二)2: no levels (VAR-08)"),
    clocks=(
        ClockRule(
            name=ClockName.FIRST_RESPONSE,
            starts=read((RECEIVED,), "004 二(二)2: from what the customer said"),
            stops=read(("respond", "reply"), "004 二(二)2 「初步回应」: the first of them"),
            limit=stated(Within(hours=24), "004 二(二)2 「24小时内得到初步回应」"),
            rule="H-11",
        ),
    ),
    recurrence_days=assumed(30, "004 二(二)2: no time is named"),
    satisfied_from=assumed(4, "004 二(二)2: no rating is named; 4 of 5"),
    rule="H-11",
    zone=ZONE,
)
