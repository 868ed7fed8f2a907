"""Groups of complaints, regular analysis and improvement items of the handbooks.

Where a handbook says "regularly", a month is assumed; 002 says so itself. 004 has none of it.
"""

from retention.case_groups import GroupRule
from retention.improvements import Improvements
from retention.intake import FeedbackKind
from retention.mechanisms.policies import assumed, read, stated
from retention.presets._feedback import ecommerce_feedback
from retention.root_causes import CauseAnalysis

ZONE = assumed("Asia/Shanghai", "RC-01: the handbook does not say")
COMPLAINTS = (FeedbackKind.COMPLAINT,)

# --- 000 ----------------------------------------------------------------------------------------

user_retention_analysis = CauseAnalysis(
    months=assumed(1, "000 四(三) 「定期对用户反馈进行分析」: no period is named"),
    vital_percent=assumed(
        80, "000 四(三) 「共性问题」: the few that make up most, by the rule of Pareto"
    ),
    recurrence_days=assumed(30, "000 四(三) 「不再复发」: no time is named"),
    leftovers=assumed(("other",), "000 四(三) 「共性问题」: what is left over is none"),
    rule="H-09",
    zone=ZONE,
)
user_retention_improvements = Improvements(
    check_after_days=assumed(30, "000 四(三): no time is named; that of recurrence"),
    least_change=assumed("0", "000 四(三): any improvement"),
    rule="H-46",
    zone=ZONE,
)

# --- 001 ----------------------------------------------------------------------------------------

customer_operations_analysis = CauseAnalysis(
    months=assumed(1, "001 四(三): 「总结投诉类型、原因和趋势」 without a period"),
    vital_percent=assumed(80, "001 四(三): the few that make up most, by the rule of Pareto"),
    recurrence_days=assumed(30, "001 四(三) 「防止类似问题再次发生」: no time is named"),
    leftovers=assumed(("other",), "001 四(三) 「总结投诉类型、原因」: what is left over is none"),
    kinds=read(COMPLAINTS, "001 四(三) 「总结投诉类型」"),
    rule="H-28",
    zone=ZONE,
)
customer_operations_improvements = Improvements(
    check_after_days=assumed(30, "001 四(四) 「跟踪改进措施的实施效果」: no time is named"),
    least_change=assumed("0", "001 四(四) 「实施效果」: any improvement"),
    rule="H-46",
    zone=ZONE,
)

# --- 002 ----------------------------------------------------------------------------------------

ecommerce_group_rule = GroupRule(
    customers=assumed(5, "002 三(三)2 「如群体投诉」, H-16: no number is named"),
    hours=assumed(24, "002 三(三)2 「如群体投诉」, H-16: no period is named"),
    assess=read("grade", "002 三(三)2, SM-26: a group is graded like every complaint"),
    brings=read(
        (("severity", "major"), ("scope", "group")), "002 三(三)2 「重大投诉(如群体投诉)」"
    ),
    rule="H-16",
)
ecommerce_analysis = CauseAnalysis(
    months=stated(1, "002 三(三)3 「每月汇总投诉数据」"),
    vital_percent=assumed(80, "002 三(三)3 「分析高频问题」: by the rule of Pareto"),
    recurrence_days=assumed(30, "002 三(三): no time is named"),
    leftovers=assumed(("other",), "002 三(三)3 「高频问题」: what is left over is none"),
    kinds=stated(COMPLAINTS, "002 三(三)3 「每月汇总投诉数据」"),
    routes=read(ecommerce_feedback.routes, "002 三(三)3 「物流延迟」, 「商品描述不符」"),
    rule="H-27",
    zone=ZONE,
)
ecommerce_improvements = Improvements(
    check_after_days=assumed(30, "002 三(三)3: no time is named; that of the next summary"),
    least_change=assumed("0", "002 三(三)3: any improvement"),
    departments=read(
        ("logistics", "product", "customer_service"), "002 三(三)3: those who have a route"
    ),
    rule="H-46",
    zone=ZONE,
)

# --- 003 ----------------------------------------------------------------------------------------

membership_analysis = CauseAnalysis(
    months=assumed(1, "003 六(三) 「分析投诉产生的原因和规律」: no period is named"),
    vital_percent=assumed(80, "003 六(三) 「规律」: by the rule of Pareto"),
    recurrence_days=assumed(30, "003 六(三): no time is named"),
    leftovers=assumed(("other",), "003 六(三) 「原因和规律」: what is left over is none"),
    kinds=read((FeedbackKind.COMPLAINT, FeedbackKind.BENEFIT), "003 六(三), 五(三)"),
    rule="H-24",
    zone=ZONE,
)
membership_improvements = Improvements(
    check_after_days=assumed(30, "003 六(三): no time is named"),
    least_change=assumed("0", "003 六(三): any improvement"),
    rule="H-46",
    zone=ZONE,
)
