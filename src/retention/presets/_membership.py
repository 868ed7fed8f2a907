"""003, rules for member relations (会员关系维护管理制度).

Every value stands beside its origin and clause. The handbook scores the value of members; it
names no classes, so the limits on the score are blank.
"""

from retention.grades import ValueClass
from retention.handbook import Handbook
from retention.mechanisms.decisions import Case, FirstMatch
from retention.mechanisms.policies import assumed, blank, read, stated
from retention.mechanisms.ranks import Ranking, Rounding, Ties
from retention.presets._cases import (
    membership_analysis,
    membership_improvements,
)
from retention.presets._feedback import membership_feedback
from retention.presets._loyalty import membership_programme
from retention.presets._service import membership_service
from retention.presets._surveys import membership_surveys
from retention.scores import Factor, Scored, Scoring
from retention.segmentation import Segmentation

ZONE = assumed("Asia/Shanghai", "RC-01: the handbook does not say")
EVERYBODY = read(None, "003 七(二): no population is named, so every member")
RANKING = Ranking(
    ties=assumed(Ties.SHARE_BEST, "RC-09: the handbook does not say"),
    rounding=assumed(Rounding.EXACT, "RC-09, AMB-01: the handbook does not say"),
)
EQUAL = assumed("1/3", "003 七(二) 「计算会员的价值得分」; equal weights")

# C-19: the value score of a member.
VALUE_SCORE = Scored(
    name="value_score",
    scoring=Scoring(
        name="value_score",
        factors=(
            Factor(
                "spend",
                EQUAL,
                measure=stated("spend", "003 七(二) 「消费金额、消费利润贡献、潜在价值」"),
            ),
            Factor(
                "profit",
                EQUAL,
                measure=stated("profit", "003 七(二) 「消费金额、消费利润贡献、潜在价值」"),
            ),
            Factor(
                "potential",
                EQUAL,
                measure=stated("potential", "003 七(二) 「消费金额、消费利润贡献、潜在价值」"),
            ),
        ),
        zone=ZONE,
    ),
    table=FirstMatch(
        cases=(
            Case(ValueClass.HIGH, blank("003 七(二): limits on the value score")),
            Case(ValueClass.MEDIUM, blank("003 七(二): limits on the value score")),
        ),
        otherwise=read(ValueClass.LOW, "003 七(二): the rest, once there are limits"),
    ),
    population=EVERYBODY,
    ranking=RANKING,
    zone=ZONE,
)

membership = Handbook(
    name="membership",
    title="Member relations rules",
    title_zh="会员关系维护管理制度",
    segmentation=Segmentation(
        population=EVERYBODY, ranking=RANKING, zone=ZONE, classifications=(VALUE_SCORE,)
    ),
    feedback=membership_feedback,
    cause_analysis=membership_analysis,
    improvements=membership_improvements,
    service=membership_service,
    surveys=membership_surveys,
    programme=membership_programme,
)
