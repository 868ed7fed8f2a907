"""001, rules for customer operations (客户运营管理制度).

Every value stands beside its origin and clause. The weights of the value model and its cut
points are left open by the handbook and assumed here.
"""

from retention.classifications import Classification
from retention.grades import PartyType, PurchaseClass, ValueClass
from retention.grading import GradingProcess, Process
from retention.grading_inputs import CUSTOMER_SOURCES
from retention.handbook import Handbook
from retention.measures import purchases
from retention.mechanisms.decisions import Case, FirstMatch
from retention.mechanisms.obligations import After
from retention.mechanisms.policies import assumed, read, stated
from retention.mechanisms.ranks import Ranking, Rounding, Ties
from retention.mechanisms.rules import Measure
from retention.presets._benefits_customer_operations import VALUE_BENEFITS
from retention.presets._cases import (
    customer_operations_analysis,
    customer_operations_improvements,
)
from retention.presets._feedback import customer_operations_feedback
from retention.presets._loyalty import customer_operations_programme
from retention.presets._service import customer_operations_service
from retention.presets._surveys import customer_operations_surveys
from retention.publications import PublicationTerms
from retention.regrading import Regrading
from retention.scores import Factor, Scored, Scoring
from retention.segmentation import Segmentation

party_type = Measure[str]("party_type", zh="客户类型")
value_score_share = Measure[float]("value_score_share", zh="价值得分排名占比")

ZONE = assumed("Asia/Shanghai", "RC-01: the handbook does not say")
EVERYBODY = read(None, "001 二, 三: no population is named, so everybody")
RANKING = Ranking(
    ties=assumed(Ties.SHARE_BEST, "RC-09: the handbook does not say"),
    rounding=assumed(Rounding.EXACT, "RC-09, AMB-01: the handbook does not say"),
)
WEIGHT = assumed(0.25, "001 三(二) 「综合考虑客户的购买金额、购买频率、潜在价值」; equal weights")

# C-02: classes by purchase behaviour.
PURCHASE_CLASSES = Classification(
    name="purchase_classes",
    table=FirstMatch(
        cases=(
            Case(
                PurchaseClass.POTENTIAL,
                read(purchases < 1, "001 二(二) 「潜在客户、新客户、老客户」; bought nothing yet"),
            ),
            Case(
                PurchaseClass.NEW,
                read(purchases.is_(1), "001 二(二) 「潜在客户、新客户、老客户」; one purchase"),
            ),
        ),
        otherwise=read(PurchaseClass.OLD, "001 二(二) 「潜在客户、新客户、老客户」; bought again"),
    ),
    population=EVERYBODY,
    ranking=RANKING,
    zone=ZONE,
)

# C-03: who the customer is.
PARTY_TYPES = Classification(
    name="party_types",
    table=FirstMatch(
        cases=(
            Case(
                PartyType.INDIVIDUAL,
                stated(party_type.is_("individual"), "001 二(二) 「个人客户、企业客户」"),
            ),
            Case(
                PartyType.ENTERPRISE,
                stated(party_type.is_("enterprise"), "001 二(二) 「个人客户、企业客户」"),
            ),
        ),
        otherwise=read(PartyType.UNKNOWN, "001 二(二): not recorded, or another word"),
    ),
    population=EVERYBODY,
    ranking=RANKING,
    zone=ZONE,
)

# C-06, C-18: value grades by the rank of a score; limits on value_score serve as well.
VALUE_MODEL = Scored(
    name="value_model",
    scoring=Scoring(
        name="value_score",
        factors=(
            Factor(
                "amount", WEIGHT, measure=stated("amount", "001 三(一)1 「购买金额大、购买频率高」")
            ),
            Factor(
                "frequency",
                WEIGHT,
                measure=stated("frequency", "001 三(一)1 「购买金额大、购买频率高」"),
            ),
            Factor("potential", WEIGHT, measure=stated("potential", "001 三(二) 「潜在价值」")),
            Factor(
                "loyalty",
                WEIGHT,
                measure=read("loyalty", "001 三(一)1: recognition, loyalty and attention"),
            ),
        ),
        zone=ZONE,
    ),
    table=FirstMatch(
        cases=(
            Case(
                ValueClass.HIGH,
                assumed(
                    value_score_share <= 0.20, "001 三(一)1 「购买金额大、购买频率高」; top 20 %"
                ),
            ),
            Case(
                ValueClass.MEDIUM,
                assumed(value_score_share <= 0.50, "001 三(一)1 「购买金额和频率适中」; next 30 %"),
            ),
        ),
        otherwise=read(ValueClass.LOW, "001 三(一)1 「对公司产品和服务关注度不高」; the rest"),
        rising="value_score_share",
    ),
    population=EVERYBODY,
    ranking=RANKING,
    zone=ZONE,
)

customer_operations = Handbook(
    name="customer_operations",
    title="Customer operations rules",
    title_zh="客户运营管理制度",
    segmentation=Segmentation(
        population=EVERYBODY,
        ranking=RANKING,
        zone=ZONE,
        classifications=(PURCHASE_CLASSES, PARTY_TYPES, VALUE_MODEL),
        process=GradingProcess(
            process=stated(Process.PUBLISHED, "001 三(二)3 「在公司内部系统进行公示」"),
            regrading=Regrading(
                ladder=stated(("low", "medium", "high"), "001 三(一): 高、中等、低价值客户"),
                every=assumed(
                    After(months=3), "001 三(二)4 「定期对客户等级进行动态调整」: quarterly"
                ),
                zone=ZONE,
            ),
            publication=PublicationTerms(
                zone=ZONE,
                persons=read((), "001 三(二)3 「相关部门和人员」: no person is named"),
                departments=read(
                    ("marketing", "customer_service", "sales"),
                    "001 三(二)3 「确保相关部门和人员知晓客户等级情况」: the departments of 001",
                ),
            ),
            sources_wanted=stated(
                CUSTOMER_SOURCES, "001 三(二)1 「定期收集客户购买数据、交易记录、客户评价」"
            ),
        ),
    ),
    feedback=customer_operations_feedback,
    cause_analysis=customer_operations_analysis,
    improvements=customer_operations_improvements,
    service=customer_operations_service,
    surveys=customer_operations_surveys,
    programme=customer_operations_programme,
    value_benefits=VALUE_BENEFITS,
)
