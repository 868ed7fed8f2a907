"""Surveys of the five handbooks: who is asked what, after what, by when (VAR-14).

004 has no survey of its own. Where a handbook says "regularly", the next survey is due one
interval after the last one (AMB-31).
"""

from retention.complaint_rates import ComplaintRates, RateBase
from retention.mechanisms.kpis import Target
from retention.mechanisms.obligations import After, Days, Every, Within
from retention.mechanisms.policies import assumed, read, stated
from retention.ratings import Better, Figure, RatingMetric, Scale
from retention.surveys import (
    InvitationLimit,
    Question,
    QuestionKind,
    Survey,
    SurveyMethod,
    SurveyPlan,
    Surveys,
    SurveyTrigger,
)

FIVE = assumed(Scale(1, 5, Better.HIGHER), "no scale is named; that of 002 五(一)1 is taken")
OVERALL = read(
    (Question("overall", QuestionKind.SCALE, scale=FIVE, required=True),),
    "000 四(二)1, 四(三): one question about satisfaction",
)
CASE = read(
    (Question("csat", QuestionKind.SCALE, scale=Scale(1, 5, Better.HIGHER), required=True),),
    "002 五(一)1: after-sales and complaints are asked for the rating of CSAT",
)
ZONE = assumed("Asia/Shanghai", "RC-01: the handbook does not say")

# 000: 四(二)1 after the purchase of a new user (I-31), 四(三) after feedback was handled.
user_retention_surveys = Surveys(
    surveys=(
        Survey(
            name="new_user_satisfaction",
            questions=OVERALL,
            methods=stated((SurveyMethod.QUESTIONNAIRE,), "000 四(二)1 「满意度调查问卷」"),
            subjects=stated(("products", "service"), "000 四(二)1 「对产品或服务的评价和建议」"),
        ),
        Survey(
            name="handling_satisfaction",
            questions=OVERALL,
            subjects=stated(("handling",), "000 四(三) 「对用户反馈进行满意度调查」"),
        ),
    ),
    plans=(
        SurveyPlan(
            survey="new_user_satisfaction",
            trigger=stated(SurveyTrigger.FIRST_PURCHASE, "000 四(二)1 「收集新用户」"),
            limit=stated(Days(0, 7), "000 四(二)1 「购买产品或服务后的一周内」"),
            rule="I-31",
            channels=read(("email", "sms"), "000 四(二)1: the channels of its news to new users"),
        ),
        SurveyPlan(
            survey="handling_satisfaction",
            trigger=stated(SurveyTrigger.FEEDBACK_HANDLED, "000 四(三) 「满意度调查」"),
            limit=assumed(Within(hours=24), "000 四(三): no limit is named"),
            rule="H-07",
        ),
    ),
    zone=ZONE,
)

# 001 四(四): regular, four dimensions (I-13, I-14, I-17).
customer_operations_surveys = Surveys(
    surveys=(
        Survey(
            name="customer_satisfaction",
            questions=read(
                (
                    Question(
                        "product_quality",
                        QuestionKind.SCALE,
                        scale=FIVE,
                        dimension=stated("product_quality", "001 四(四) 「产品质量」"),
                    ),
                    Question(
                        "service_level",
                        QuestionKind.SCALE,
                        scale=FIVE,
                        dimension=stated("service_level", "001 四(四) 「服务水平」"),
                    ),
                    Question(
                        "delivery_timeliness",
                        QuestionKind.SCALE,
                        scale=FIVE,
                        dimension=stated("delivery_timeliness", "001 四(四) 「交付及时性」"),
                    ),
                    Question(
                        "communication",
                        QuestionKind.SCALE,
                        scale=FIVE,
                        dimension=stated("communication", "001 四(四) 「沟通效果」"),
                    ),
                    Question("opinions", QuestionKind.TEXT),
                ),
                "001 四(四): one rating for each dimension, and an open question",
            ),
            methods=stated(
                (
                    SurveyMethod.QUESTIONNAIRE,
                    SurveyMethod.PHONE_INTERVIEW,
                    SurveyMethod.ONLINE_RATING,
                ),
                "001 四(四) 「问卷调查、电话访谈、在线测评」",
            ),
        ),
    ),
    plans=(
        SurveyPlan(
            survey="customer_satisfaction",
            trigger=stated(SurveyTrigger.REGULAR, "001 四(四) 「定期开展客户满意度调查」"),
            limit=assumed(After(months=6), "001 四(四): no period is named"),
            rule="I-17",
        ),
    ),
    zone=ZONE,
)

CSAT = RatingMetric(
    name="csat",
    scale=stated(Scale(1, 5, Better.HIGHER), "002 五(一)1 「评分1-5分」"),
    figure=read(Figure.MEAN, "002 五(一)1 「目标≥4.5分」: a mean, not a share"),
    target=stated(Target(at_least="4.5"), "002 五(一)1 「目标≥4.5分」"),
)
NPS = RatingMetric(
    name="nps",
    scale=stated(Scale(0, 10, Better.HIGHER), "002 五(一)2 「评分0-10分」"),
    figure=read(Figure.NET, "002 五(一)2, AMB-16"),
    good_from=read(9, "AMB-16: 9 and 10 are promoters"),
    bad_to=read(6, "AMB-16: 0 to 6 are detractors"),
    target=stated(Target(at_least=50), "002 五(一)2 「目标≥50」"),
)

# 002: quarterly, 24 hours after after-sales, 3 days after a complaint (I-15, H-40, H-25).
ecommerce_surveys = Surveys(
    surveys=(
        Survey(
            name="quarterly_research",
            questions=read(
                (
                    Question("csat", QuestionKind.SCALE, scale=CSAT.scale),
                    Question("nps", QuestionKind.SCALE, scale=NPS.scale),
                    Question("opinions", QuestionKind.TEXT),
                ),
                "002 五(一)1, 2, 五(三)1: the two ratings, and an open question",
            ),
            methods=stated(
                (
                    SurveyMethod.QUESTIONNAIRE,
                    SurveyMethod.ONLINE_RATING,
                    SurveyMethod.PHONE_INTERVIEW,
                ),
                "002 五(三)1 「如线上问卷、电话访谈」",
            ),
            subjects=stated(
                ("products", "service", "maintenance_actions"),
                "002 五(三)1 「对产品、服务、维护动作的意见与建议」",
            ),
        ),
        Survey(
            name="after_sales_satisfaction",
            questions=CASE,
        ),
        Survey(
            name="complaint_satisfaction",
            questions=CASE,
        ),
    ),
    plans=(
        SurveyPlan(
            survey="quarterly_research",
            trigger=stated(SurveyTrigger.REGULAR, "002 五(三)1 「每季度开展客户调研」"),
            limit=stated(Every(months=3), "002 五(三)1 「每季度」"),
            rule="I-15",
        ),
        SurveyPlan(
            survey="after_sales_satisfaction",
            trigger=stated(SurveyTrigger.AFTER_SALES_HANDLED, "002 三(二)2 「处理完成后」"),
            limit=stated(Within(hours=24), "002 三(二)2 「24小时内跟进客户满意度」"),
            rule="H-40",
        ),
        SurveyPlan(
            survey="complaint_satisfaction",
            trigger=stated(SurveyTrigger.COMPLAINT_COMPLETED, "002 三(三)2 「投诉处理完成后」"),
            limit=stated(Days(0, 3), "002 三(三)2 「3天内进行满意度回访」"),
            rule="H-25",
        ),
    ),
    metrics=(CSAT, NPS),
    zone=ZONE,
)

# 002 五(一)6 and 7: the two complaint rates (I-06, I-07).
ecommerce_complaint_rates = ComplaintRates(
    limit_hours=stated(24, "002 五(一)6 「投诉处理完成时间≤24小时」"),
    base=read(RateBase.RECEIVED, "AMB-24"),
    timely=stated(Target(at_least="0.95"), "002 五(一)6 「目标≥95%」"),
    resolved=stated(Target(at_least="0.90"), "002 五(一)7 「目标≥90%」"),
    zone=ZONE,
)

# 003 三(一), 四(一): members are asked regularly, and not too often (I-16, I-19).
membership_surveys = Surveys(
    surveys=(
        Survey(
            name="member_research",
            questions=read(
                (
                    Question("satisfaction", QuestionKind.SCALE, scale=FIVE),
                    Question("needs", QuestionKind.TEXT),
                    Question("suggestions", QuestionKind.TEXT),
                ),
                "003 三(一) 「满意度、需求和建议」",
            ),
            subjects=stated(
                ("products", "service", "activities"),
                "003 三(一) 「对公司产品、服务、活动等方面的满意度、需求和建议」",
            ),
        ),
    ),
    plans=(
        SurveyPlan(
            survey="member_research",
            trigger=stated(SurveyTrigger.REGULAR, "003 三(一) 「定期开展会员调研」"),
            limit=assumed(After(months=6), "003 三(一): no period is named"),
            rule="I-16",
        ),
    ),
    limit=InvitationLimit(
        most=assumed(1, "003 四(一) 「避免过度营销」: one invitation ..."),
        days=assumed(30, "003 四(一) 「避免过度营销」: ... in 30 days"),
        exempt=assumed(
            (
                SurveyTrigger.FEEDBACK_HANDLED,
                SurveyTrigger.AFTER_SALES_HANDLED,
                SurveyTrigger.COMPLAINT_COMPLETED,
            ),
            "003 四(一), I-19: except after a case was handled",
        ),
    ),
    zone=ZONE,
)
