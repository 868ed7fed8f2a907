"""001, the benefits of 客户运营管理制度: those of the loyalty plan, and those of high value.

The tiers of the loyalty plan have no names; the services of high-value customers follow the
value grade instead.
"""

from retention.benefits import Benefit, BenefitCatalogue, BenefitKind
from retention.mechanisms.policies import blank, read, stated

PLAN = "001 五(一)3 「优先购买权、专属折扣、免费增值服务、个性化服务」"
HIGH = "001 四(一)1: services of high-value customers"
TOP = read(("high",), "001 四(一)1: high-value customers alone")

BENEFITS = BenefitCatalogue(
    benefits=(
        Benefit(stated(BenefitKind.PRIORITY_PURCHASE, PLAN)),
        Benefit(
            stated(BenefitKind.EXCLUSIVE_DISCOUNT, PLAN),
            pays=blank("001 五(一)3: rate of the exclusive discount"),
        ),
        Benefit(stated(BenefitKind.FREE_VALUE_ADDED, PLAN)),
        Benefit(stated(BenefitKind.INDIVIDUAL_SERVICE, PLAN)),
    ),
    ladder=blank("001 五(一)1: names of the loyalty tiers"),
    version=stated("001", "001: the handbook itself"),
)

VALUE_BENEFITS = BenefitCatalogue(
    benefits=(
        Benefit(stated(BenefitKind.PRIORITY_RESPONSE, HIGH), TOP),
        Benefit(stated(BenefitKind.INDIVIDUAL_SOLUTION, HIGH), TOP),
        Benefit(stated(BenefitKind.EXCLUSIVE_TRAINING, HIGH), TOP),
        Benefit(stated(BenefitKind.EVENT_PRIORITY, HIGH), TOP),
        Benefit(stated(BenefitKind.UPGRADE_DISCOUNT, HIGH), TOP),
    ),
    ladder=stated(("low", "medium", "high"), "001 三(一)3: grades by value"),
    version=stated("001", "001: the handbook itself"),
)
