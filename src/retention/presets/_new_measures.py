"""004, new measures for keeping customers (客户维系新措施).

Every value stands beside its origin and clause. Its RFM model looks at the last interaction;
the limits of the bands are borrowed from 002. The thresholds of its layers are blank.
"""

from retention.classifications import Classification
from retention.grades import Service, ServiceCase, ValueLayer
from retention.handbook import Handbook
from retention.measures import measure, purchases
from retention.mechanisms.decisions import Bands, Case, FirstMatch
from retention.mechanisms.obligations import After
from retention.mechanisms.policies import assumed, blank, read, stated
from retention.mechanisms.ranks import Ranking, Rounding, Ties
from retention.presets._feedback import new_measures_feedback
from retention.presets._loyalty import new_measures_programme
from retention.presets._service import new_measures_service
from retention.segmentation import Rfm, Segmentation
from retention.tags import Tag, TagLibrary, TagRule, tagged

purchases_30d = measure("purchases_30d")
purchases_90d = measure("purchases_90d")
purchases_365d = measure("purchases_365d")

ZONE = assumed("Asia/Shanghai", "RC-01: the handbook does not say")
EVERYBODY = read(None, "004 二(一)2: no population is named, so everybody")
RANKING = Ranking(
    ties=assumed(Ties.SHARE_BEST, "RC-09: the handbook does not say"),
    rounding=assumed(Rounding.EXACT, "RC-09, AMB-01: the handbook does not say"),
)
BORROWED = "004 二(一)1 「根据消费金额、购买次数」: no limits are named; borrowed from 002"

# C-31: recency is the time of the last interaction.
RFM = Rfm(
    recency=Bands(
        measure=stated("days_since_interaction", "004 二(一)1 「最近一次互动时间(RFM模型)」"),
        at_most=assumed((30, 90, 180), "004 二(一)1: no limits are named; borrowed from 002"),
        open_end=assumed(True, "004 二(一)1: no limits are named; borrowed from 002"),
    ),
    frequency=FirstMatch(
        cases=(
            Case(1, assumed(purchases_30d >= 2, BORROWED)),
            Case(2, assumed(purchases_90d >= 1, BORROWED)),
            Case(3, assumed(purchases_365d >= 1, BORROWED)),
        ),
        otherwise=assumed(4, BORROWED),
    ),
    monetary=Bands(
        measure=read("spend_share", "004 二(一)1 「根据消费金额」: rank of cumulative spend"),
        at_most=assumed((0.20, 0.50, 0.80, 1.00), BORROWED),
        open_end=assumed(False, BORROWED),
    ),
)

# C-27, C-28: layers by value and activity, e.g. value_score >= 80 and activity_score >= 60.
THRESHOLDS = "004 二(一)2 「根据客户价值、活跃度等指标」: limits on value_score and activity_score"
LAYERS = Classification(
    name="layers",
    table=FirstMatch(
        cases=(
            ServiceCase(
                ValueLayer.DIAMOND,
                blank(THRESHOLDS),
                services=stated(
                    (Service.PRIORITY_SERVICE_CHANNEL,),
                    "004 二(一)2 「钻石客户可享受优先客服通道」",
                ),
            ),
            ServiceCase(
                ValueLayer.GOLD,
                blank(THRESHOLDS),
                services=read((), "004 二(一)2 「提供差异化服务」: none is named for gold"),
            ),
            ServiceCase(
                ValueLayer.SILVER,
                blank(THRESHOLDS),
                services=read((), "004 二(一)2 「提供差异化服务」: none is named for silver"),
            ),
        ),
        otherwise=read(ValueLayer.NONE, "004 二(一)2 「如钻石、黄金、白银」: none below silver"),
    ),
    population=EVERYBODY,
    ranking=RANKING,
    zone=ZONE,
)

new_measures = Handbook(
    name="new_measures",
    title="New measures for keeping customers",
    title_zh="客户维系新措施",
    segmentation=Segmentation(
        rfm=RFM,
        population=read(purchases >= 1, "C-20: customers with a purchase are ranked"),
        ranking=RANKING,
        zone=ZONE,
        classifications=(LAYERS,),
        tags=TagLibrary(
            rules=(
                TagRule(Tag.HIGH_VALUE, blank("004 二(一)1 「高价值客户」: a limit on spend")),
                TagRule(
                    Tag.ACTIVE, blank("004 二(一)1 「活跃客户」: a limit on the last interaction")
                ),
                TagRule(
                    Tag.POTENTIAL_CHURN,
                    read(tagged(Tag.ACTIVE).is_(False), "004 二(一)1 「潜在流失客户」: not active"),
                ),
            ),
            population=EVERYBODY,
            zone=ZONE,
            every=stated(After(months=1), "004 二(一)1(3) 「定期(如每月)重新评估客户标签」"),
        ),
    ),
    feedback=new_measures_feedback,
    service=new_measures_service,
    programme=new_measures_programme,
)
