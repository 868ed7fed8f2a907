"""002, rules for maintaining the customers of an e-commerce company (电子商务企业客户维护管理办法).

Every value stands beside its origin and clause; the key phrase of the clause is quoted where
the handbook states it.
"""

from retention.grading import GradingProcess, Process
from retention.handbook import Handbook
from retention.lifecycle import Automation, Lifecycle, Reduction, Stage, WakeUp
from retention.measures import (
    days_since_first_purchase,
    days_since_interaction,
    days_since_purchase,
    interactions,
    measure,
    purchases,
    spend_share,
)
from retention.mechanisms.decisions import Bands, Case, FirstMatch
from retention.mechanisms.policies import assumed, read, stated
from retention.mechanisms.ranks import Ranking, Rounding, Ties
from retention.presets._cases import (
    ecommerce_analysis,
    ecommerce_group_rule,
    ecommerce_improvements,
)
from retention.presets._feedback import ecommerce_feedback
from retention.presets._loyalty import ecommerce_programme
from retention.presets._service import ecommerce_service
from retention.presets._surveys import ecommerce_complaint_rates, ecommerce_surveys
from retention.regrading import Regrading
from retention.segmentation import Action, Goal, Layer, LayerCase, Rfm, Segmentation

purchases_30d = measure("purchases_30d")
purchases_90d = measure("purchases_90d")
purchases_365d = measure("purchases_365d")
logins_each_week_4w = measure("logins_each_week_4w")

ZONE = assumed("Asia/Shanghai", "RC-01: the handbook does not say")
RANKING = Ranking(
    ties=assumed(Ties.SHARE_BEST, "RC-09: the handbook does not say"),
    rounding=assumed(Rounding.EXACT, "RC-09, AMB-01: the handbook does not say"),
)

# C-20: bands of recency, frequency and monetary value.
RFM = Rfm(
    recency=Bands(
        measure=stated("days_since_purchase", "002 二(一)1 R: 最近一次购买"),
        at_most=read(
            (30, 90, 180), "002 二(一)1 「近30天购买”“31-90天购买」; 91-180 fills the printed gap"
        ),
        open_end=stated(True, "002 二(一)1 「180天以上」"),
    ),
    frequency=FirstMatch(
        cases=(
            Case(
                1,
                read(purchases_30d >= 2, "002 二(一)1 「月均购买≥2次」; trailing 30 days, AMB-05"),
            ),
            Case(
                2,
                read(purchases_90d >= 1, "002 二(一)1 「季度购买≥1次」; trailing 90 days, AMB-05"),
            ),
            Case(
                3,
                read(
                    purchases_365d >= 1, "002 二(一)1 「年度购买≥1次」; trailing 365 days, AMB-05"
                ),
            ),
        ),
        otherwise=read(4, "002 二(一)1: fewer, unnamed"),
    ),
    monetary=Bands(
        measure=stated("spend_share", "002 二(一)1 「累计消费TOP20%」: rank of cumulative spend"),
        at_most=stated((0.20, 0.50, 0.80, 1.00), "002 二(一)1 「TOP20%”“TOP21%-50%”...”」"),
        open_end=False,
    ),
)

# C-21 to C-23: maintenance layers, in the order of precedence of C-22.
LAYERS = FirstMatch(
    cases=(
        LayerCase(
            Layer.NEW,
            stated(days_since_first_purchase <= 30, "002 二(二) 「首次购买后30天内的客户」"),
            goal=stated(Goal.SECOND_PURCHASE, "002 二(二) 「降低流失率，促进二次购买」"),
            actions=stated(
                (Action.THANKS_24H_COUPON, Action.NEWCOMER_GUIDE, Action.FEEDBACK_QUESTION),
                "002 二(二)",
            ),
        ),
        LayerCase(
            Layer.HIGH_ACTIVE,
            read(
                (days_since_purchase <= 30) & (purchases_30d >= 2) & (spend_share <= 0.20),
                "002 二(二) 「Recency≤30天、Frequency≥2次、Monetary≥TOP20%」; count in the trailing 30 days, AMB-05",
            ),
            goal=stated(Goal.LOYALTY_AND_WALLET_SHARE, "002 二(二) 「提升忠诚度，扩大钱包份额」"),
            actions=stated(
                (Action.DEDICATED_MANAGER_24H, Action.TAILORED_BENEFITS, Action.DEEP_INTERVIEW),
                "002 二(二)",
            ),
        ),
        LayerCase(
            Layer.MEDIUM_ACTIVE,
            read(
                (days_since_purchase <= 90) & (purchases_90d >= 1) & (spend_share <= 0.50),
                "002 二(二) 「Recency≤90天、Frequency≥1次、Monetary≥TOP50%」; count in the trailing 90 days, AMB-05",
            ),
            goal=stated(Goal.REPURCHASE_AND_UPGRADE, "002 二(二) 「提升复购频率」"),
            actions=stated(
                (Action.PERSONAL_RECOMMENDATION, Action.TIER_GUIDANCE, Action.HOLIDAY_CARE),
                "002 二(二)",
            ),
        ),
        LayerCase(
            Layer.SLEEPING,
            read(
                days_since_purchase.between(91, 180),
                "002 二(二) 「近____天未购买」; 91-180, AMB-03",
            ),
            goal=stated(Goal.WAKE_UP, "002 二(二) 「唤醒需求，恢复购买行为」"),
            actions=stated(
                (Action.WAKE_TOUCH, Action.RETURN_DISCOUNT_80, Action.REASON_SURVEY), "002 二(二)"
            ),
        ),
        LayerCase(
            Layer.LOST,
            stated(
                days_since_purchase > 180,
                "002 二(二) 「近180天以上未购买的客户」; from day 181, AMB-03",
            ),
            goal=stated(Goal.WIN_BACK_OR_RELEASE, "002 二(二) 「挽回或资源释放」"),
            actions=stated((Action.NO_THRESHOLD_COUPON, Action.ARCHIVE), "002 二(二)"),
        ),
    ),
    otherwise=read(Layer.GENERAL_ACTIVE, "C-22: recent buyers below TOP 50 %, whom 002 leaves out"),
    rising="days_since_purchase",
)

# D-01 to D-03: lifecycle stages.
STAGES = FirstMatch(
    cases=(
        Case(
            Stage.REGISTERED,
            read((purchases < 1) & (interactions < 1), "D-02: neither purchase nor interaction"),
        ),
        Case(
            Stage.POTENTIAL,
            stated(
                purchases < 1,
                "002 二(一)2 「未产生购买行为但有浏览、收藏、加购」; also with frequent login, AMB-34",
            ),
        ),
        Case(
            Stage.NEW,
            stated(days_since_first_purchase <= 30, "002 二(一)2 「首次购买的客户(下单后30天内)」"),
        ),
        Case(
            Stage.ACTIVE,
            assumed(
                (days_since_purchase <= 90) | (logins_each_week_4w >= 1),
                "002 二(一)2 「近90天内有购买或高频互动(如每周登录≥1次)」; the number of weeks, 4, is assumed (D-03)",
            ),
        ),
        Case(
            Stage.SLEEPING,
            read(
                (days_since_purchase <= 180) | (days_since_interaction <= 180),
                "002 二(一)2 「未购买且互动减少」; 91-180, AMB-03; any interaction in 180 days, AMB-04, AMB-28",
            ),
        ),
    ),
    otherwise=stated(Stage.LOST, "002 二(一)2 「近180天以上未购买且无互动」"),
    rising="days_since_purchase",
)

ecommerce = Handbook(
    name="ecommerce",
    title="E-commerce customer maintenance rules",
    title_zh="电子商务企业客户维护管理办法",
    segmentation=Segmentation(
        layers=LAYERS,
        rfm=RFM,
        population=read(purchases >= 1, "C-20: customers with a purchase"),
        ranking=RANKING,
        process=GradingProcess(
            process=stated(Process.AUTOMATIC, "002 四(一)1 「通过CRM系统自动划分客户层级」"),
            regrading=Regrading(
                ladder=read(
                    ("lost", "sleeping", "general_active", "new", "medium_active", "high_active"),
                    "002 二(二): the layers from the farthest to the nearest",
                ),
                every=read(None, "002 四(一)1: in real time, on each event (C-25)"),
                zone=ZONE,
            ),
            sources_wanted=read((), "002: the system takes what it records"),
        ),
        zone=ZONE,
    ),
    lifecycle=Lifecycle(
        stages=STAGES,
        reduced=Reduction(
            window_days=assumed(90, "002 二(一)2 「互动减少」; D-04: the window is left open"),
            ratio_below=assumed(1.0, "002 二(一)2 「互动减少」; D-04: the ratio is left open"),
        ),
        returning=stated((Stage.SLEEPING, Stage.LOST), "002 二(二) 「恢复购买行为」, 「回归首单」"),
        wake_up=WakeUp(
            when=stated(Stage.SLEEPING, "002 四(一)3 「沉睡客户120天未购买发送唤醒邮件」"),
            at_day=stated(120, "002 四(一)3 「沉睡客户120天未购买发送唤醒邮件」"),
            do=stated(Automation.WAKE_UP, "002 四(一)3 「发送唤醒邮件」"),
            via=stated(("email",), "002 四(一)3 「唤醒邮件」"),
        ),
        zone=ZONE,
    ),
    feedback=ecommerce_feedback,
    group_rule=ecommerce_group_rule,
    cause_analysis=ecommerce_analysis,
    improvements=ecommerce_improvements,
    service=ecommerce_service,
    surveys=ecommerce_surveys,
    complaint_rates=ecommerce_complaint_rates,
    programme=ecommerce_programme,
)
