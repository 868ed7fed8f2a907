"""000, rules for keeping users (用户维系管理办法).

Every value stands beside its origin and clause. The purchase windows, the cut points and the
levels of the further wording are left open by the handbook and assumed here.
"""

from retention.classifications import Classification
from retention.grades import (
    Brand,
    Criterion,
    Graded,
    IndustryClass,
    LoyaltyGrade,
    Overdue,
    Participation,
    PurchaseClass,
    SpendGrade,
    Stability,
    Strictness,
    ValueClass,
)
from retention.grading import GradingProcess, Head, Process, WorkingGroup
from retention.grading_inputs import USER_SOURCES
from retention.handbook import Handbook
from retention.lifecycle import Lifecycle
from retention.measures import days_since_purchase, measure, purchases
from retention.mechanisms.decisions import Case, FirstMatch
from retention.mechanisms.obligations import After
from retention.mechanisms.policies import assumed, blank, read, stated
from retention.mechanisms.ranks import Ranking, Rounding, Ties
from retention.mechanisms.rules import Measure
from retention.presets._cases import (
    user_retention_analysis,
    user_retention_improvements,
)
from retention.presets._feedback import user_retention_feedback
from retention.presets._loyalty import user_retention_programme
from retention.presets._service import user_retention_service
from retention.presets._surveys import user_retention_surveys
from retention.regrading import Regrading
from retention.segmentation import Segmentation

message_count_180d = measure("message_count_180d")
call_count_180d = measure("call_count_180d")
opened_count_180d = measure("opened_count_180d")
answered_count_180d = measure("answered_count_180d")
interactions_90d = measure("interactions_90d")
spend_share_1y = measure("spend_share_1y")
purchases_share_1y = measure("purchases_share_1y")
profit_share_1y = measure("profit_share_1y")
core_run_years = measure("core_run_years")
run_years = measure("run_years")
tenure_years = measure("tenure_years")
purchase_variation_4q = measure("purchase_variation_4q")
participation_count_1y = measure("participation_count_1y")

# What the host knows besides, as attributes.
industry = Measure[str]("industry", zh="行业")
brand = Measure[str]("brand", zh="品牌认知")
satisfaction = Measure[float]("satisfaction", zh="满意度(1-5分)")
feedback_count = Measure[int]("feedback_count", zh="近一年反馈建议次数")
referral_purchases = Measure[int]("referral_purchases", zh="近一年带动购买次数")
potential = Measure[float]("potential", zh="发展潜力(0-1)")

ZONE = assumed("Asia/Shanghai", "RC-01: the handbook does not say")
EVERYBODY = read(None, "000 二: no population is named, so everybody")
# D-31: a message of the customer, an answered call, an opened or answered message.
IN_CONTACT = (
    (message_count_180d >= 1)
    | (call_count_180d >= 1)
    | (opened_count_180d >= 1)
    | (answered_count_180d >= 1)
)
BUYERS = read(purchases >= 1, "000 二(二)1, AMB-26: users with at least one purchase ever")
RANKING = Ranking(
    ties=assumed(Ties.SHARE_BEST, "RC-09: the handbook does not say"),
    rounding=assumed(Rounding.EXACT, "RC-09, AMB-01: the handbook does not say"),
)

# C-01: classes by purchase behaviour.
PURCHASE_CLASSES = Classification(
    name="purchase_classes",
    table=FirstMatch(
        cases=(
            Case(
                PurchaseClass.NONE,
                read(purchases < 1, "000 二(一)1: who bought nothing is in none of the classes"),
            ),
            Case(
                PurchaseClass.LOST,
                assumed(
                    (days_since_purchase > 180) & ~IN_CONTACT,
                    "000 二(一)1 「与公司失去有效联系」: no repurchase and no effective contact in the set time; both 180 days, borrowed from 002",
                ),
            ),
            Case(
                PurchaseClass.NEW,
                stated(purchases.is_(1), "000 二(一)1 「首次购买公司产品或服务的用户」"),
            ),
        ),
        otherwise=read(
            PurchaseClass.OLD,
            "000 二(一)1 「在一定时间内有再次购买行为」; also after a longer gap, AMB-06",
        ),
    ),
    population=EVERYBODY,
    ranking=RANKING,
    zone=ZONE,
)
OVERDUE = Classification(
    name="overdue",
    table=FirstMatch(
        cases=(
            Case(
                Overdue.OVERDUE,
                assumed(
                    (days_since_purchase > 180) & IN_CONTACT,
                    "000 二(一)1, AMB-06: the set time, 180 days, is over, the contact is not",
                ),
            ),
        ),
        otherwise=read(Overdue.IN_TIME, "000 二(一)1, AMB-06: bought within the set time"),
    ),
    population=assumed(
        (purchases >= 1) & ((days_since_purchase <= 180) | IN_CONTACT),
        "000 二(一)1, AMB-06: users who are not lost; 180 days, borrowed from 002",
    ),
    ranking=RANKING,
    zone=ZONE,
)

# C-05: classes by value contribution, and the level of each measure.
CUT = "000 二(一)2: cut points are left open; top 20 % and next 30 % from its own grade bounds, the past year"
VALUE_CLASSES = Classification(
    name="value_classes",
    table=FirstMatch(
        cases=(
            Case(
                ValueClass.HIGH,
                assumed(
                    (purchases_share_1y <= 0.20)
                    & (spend_share_1y <= 0.20)
                    & (profit_share_1y <= 0.20),
                    "000 二(一)2 「购买频次高、消费金额大、对公司利润贡献显著」; top 20 % of each is assumed",
                ),
            ),
            Case(
                ValueClass.MEDIUM,
                assumed(
                    (purchases_share_1y <= 0.50)
                    & (spend_share_1y <= 0.50)
                    & (profit_share_1y <= 0.50),
                    "000 二(一)2 「处于中等水平」; top 50 % of each is assumed",
                ),
            ),
        ),
        otherwise=stated(ValueClass.LOW, "000 二(一)2 「购买频次低、消费金额小」"),
    ),
    population=BUYERS,
    ranking=RANKING,
    zone=ZONE,
)
FREQUENCY_LEVEL = Classification(
    name="frequency_level",
    table=FirstMatch(
        cases=(
            Case(ValueClass.HIGH, assumed(purchases_share_1y <= 0.20, CUT)),
            Case(ValueClass.MEDIUM, assumed(purchases_share_1y <= 0.50, CUT)),
        ),
        otherwise=read(ValueClass.LOW, "000 二(一)2 「购买频次低」"),
        rising="purchases_share_1y",
    ),
    population=BUYERS,
    ranking=RANKING,
    zone=ZONE,
)
AMOUNT_LEVEL = Classification(
    name="amount_level",
    table=FirstMatch(
        cases=(
            Case(ValueClass.HIGH, assumed(spend_share_1y <= 0.20, CUT)),
            Case(ValueClass.MEDIUM, assumed(spend_share_1y <= 0.50, CUT)),
        ),
        otherwise=read(ValueClass.LOW, "000 二(一)2 「消费金额小」"),
        rising="spend_share_1y",
    ),
    population=BUYERS,
    ranking=RANKING,
    zone=ZONE,
)
PROFIT_LEVEL = Classification(
    name="profit_level",
    table=FirstMatch(
        cases=(
            Case(ValueClass.HIGH, assumed(profit_share_1y <= 0.20, CUT)),
            Case(ValueClass.MEDIUM, assumed(profit_share_1y <= 0.50, CUT)),
        ),
        otherwise=read(ValueClass.LOW, "000 二(一)2: little contribution to profit"),
        rising="profit_share_1y",
    ),
    population=BUYERS,
    ranking=RANKING,
    zone=ZONE,
)

# C-04: the host says which industries are A and B, e.g. industry in ('banking', 'insurance').
INDUSTRY_CLASSES = Classification(
    name="industry_classes",
    table=FirstMatch(
        cases=(
            Case(
                IndustryClass.INDUSTRY_A,
                read(
                    industry.is_("industry_a"),
                    "000 二(一)3 「按照用户行业属性分类」; named by the host",
                ),
            ),
            Case(
                IndustryClass.INDUSTRY_B,
                read(
                    industry.is_("industry_b"),
                    "000 二(一)3 「按照用户行业属性分类」; named by the host",
                ),
            ),
        ),
        otherwise=stated(IndustryClass.OTHER, "000 二(一)3 「不属于行业A和行业B」"),
    ),
    population=EVERYBODY,
    ranking=RANKING,
    zone=ZONE,
)

# C-07 to C-09: grades by the rank of spend; the further wording is reported (AMB-27).
SPEND_GRADE = Graded(
    name="spend_grade",
    table=FirstMatch(
        cases=(
            Case(
                SpendGrade.DIAMOND,
                stated(spend_share_1y <= 0.05, "000 二(二)1 「近一年消费金额排名前5%」"),
            ),
            Case(
                SpendGrade.PLATINUM,
                read(
                    spend_share_1y <= 0.10, "000 二(二)1 「近一年消费金额排名前10%5%」: (5 %, 10 %]"
                ),
            ),
            Case(
                SpendGrade.GOLD,
                read(spend_share_1y <= 0.20, "000 二(二)1 「排名前20%10%」: (10 %, 20 %]"),
            ),
            Case(
                SpendGrade.SILVER,
                read(spend_share_1y <= 0.50, "000 二(二)1 「排名前50%20%」: (20 %, 50 %]"),
            ),
        ),
        otherwise=stated(SpendGrade.ORDINARY, "000 二(二)1 「近一年消费金额排名后50%」"),
        rising="spend_share_1y",
    ),
    population=BUYERS,
    ranking=RANKING,
    zone=ZONE,
    criteria=(
        Criterion(
            SpendGrade.DIAMOND,
            "frequency",
            assumed(
                purchases_share_1y <= 0.10, "000 二(二)1: frequency high; the bound is assumed"
            ),
        ),
        Criterion(
            SpendGrade.DIAMOND,
            "loyalty",
            assumed(core_run_years >= 3, "000 二(二)1: very loyal; loyal as in 二(二)2 is assumed"),
        ),
        Criterion(
            SpendGrade.DIAMOND,
            "feedback",
            assumed(
                feedback_count >= 1,
                "000 二(二)1 「积极为公司提供反馈和建议」; one in a year is assumed",
            ),
        ),
        Criterion(
            SpendGrade.PLATINUM,
            "frequency",
            assumed(
                purchases_share_1y <= 0.20,
                "000 二(二)1: frequency fairly high; the bound is assumed",
            ),
        ),
        Criterion(
            SpendGrade.PLATINUM,
            "satisfaction",
            assumed(satisfaction >= 4, "000 二(二)1: satisfaction fairly high; 4 of 5 is assumed"),
        ),
        Criterion(
            SpendGrade.PLATINUM,
            "referrals",
            assumed(
                referral_purchases >= 1, "000 二(二)1 「能够带动其他用户购买」; one is assumed"
            ),
        ),
        Criterion(
            SpendGrade.GOLD,
            "frequency",
            assumed(
                purchases_share_1y <= 0.50, "000 二(二)1: frequency moderate; the bound is assumed"
            ),
        ),
        Criterion(
            SpendGrade.GOLD,
            "satisfaction",
            assumed(satisfaction >= 3.5, "000 二(二)1: basically satisfied; 3.5 of 5 is assumed"),
        ),
        Criterion(
            SpendGrade.GOLD,
            "potential",
            assumed(potential >= 0.5, "000 二(二)1 「有一定发展潜力」; 0.5 of 1 is assumed"),
        ),
        Criterion(
            SpendGrade.SILVER,
            "frequency",
            assumed(
                purchases_share_1y <= 0.80,
                "000 二(二)1: frequency fairly low; the bound is assumed",
            ),
        ),
        Criterion(
            SpendGrade.SILVER,
            "satisfaction",
            assumed(satisfaction >= 3, "000 二(二)1: satisfaction average; 3 of 5 is assumed"),
        ),
        Criterion(
            SpendGrade.ORDINARY,
            "frequency",
            assumed(purchases_share_1y > 0.50, "000 二(二)1: frequency low; the bound is assumed"),
        ),
        Criterion(
            SpendGrade.ORDINARY,
            "attention",
            assumed(
                interactions_90d < 1, "000 二(二)1: little attention; none in 90 days is assumed"
            ),
        ),
    ),
    mode=assumed(Strictness.RANK_ONLY, "AMB-27: what the further wording does is left open"),
)

# C-10, C-11: grades by loyalty; stability, brand and activities are reported (AMB-27).
LOYALTY_GRADE = Graded(
    name="loyalty_grade",
    table=FirstMatch(
        cases=(
            Case(
                LoyaltyGrade.LOYAL,
                read(
                    core_run_years >= 3,
                    "000 二(二)2 「连续三年以上购买公司核心产品或服务」; no gap over 12 months, AMB-19",
                ),
            ),
            Case(
                LoyaltyGrade.FAIRLY_LOYAL,
                read(
                    run_years >= 2,
                    "000 二(二)2 「连续两年购买公司产品或服务」; no gap over 12 months, AMB-19",
                ),
            ),
            Case(
                LoyaltyGrade.GENERALLY_LOYAL,
                read(
                    tenure_years >= 1,
                    "000 二(二)2 「购买公司产品或服务一年以上」; since the first purchase, AMB-19",
                ),
            ),
        ),
        otherwise=stated(LoyaltyGrade.LOW, "000 二(二)2 「购买公司产品或服务不满一年」"),
    ),
    population=BUYERS,
    ranking=RANKING,
    zone=ZONE,
    criteria=(
        Criterion(
            LoyaltyGrade.LOYAL,
            "stability",
            assumed(purchase_variation_4q <= 0.25, "000 二(二)2 「购买频次稳定」; C-12"),
        ),
        Criterion(
            LoyaltyGrade.LOYAL,
            "brand",
            read(brand.is_("identifies"), "000 二(二)2: strongly identifies with the brand"),
        ),
        Criterion(
            LoyaltyGrade.LOYAL,
            "participation",
            assumed(
                participation_count_1y >= 4, "000 二(二)2 「积极参与公司举办的各类活动」; C-13"
            ),
        ),
        Criterion(
            LoyaltyGrade.FAIRLY_LOYAL,
            "stability",
            assumed(purchase_variation_4q <= 0.5, "000 二(二)2 「购买频次较稳定」; C-12"),
        ),
        Criterion(
            LoyaltyGrade.FAIRLY_LOYAL,
            "brand",
            read(brand.one_of("identifies", "goodwill"), "000 二(二)2: some goodwill"),
        ),
        Criterion(
            LoyaltyGrade.FAIRLY_LOYAL,
            "participation",
            assumed(participation_count_1y >= 2, "000 二(二)2 「偶尔参与公司活动」; C-13"),
        ),
        Criterion(
            LoyaltyGrade.GENERALLY_LOYAL,
            "stability",
            assumed(purchase_variation_4q <= 1.0, "000 二(二)2 「购买频次波动较大」; C-12"),
        ),
        Criterion(
            LoyaltyGrade.GENERALLY_LOYAL,
            "brand",
            read(brand.one_of("identifies", "goodwill", "faint"), "000 二(二)2: faint impression"),
        ),
        Criterion(
            LoyaltyGrade.GENERALLY_LOYAL,
            "participation",
            assumed(participation_count_1y >= 1, "000 二(二)2 「较少参与公司活动」; C-13"),
        ),
    ),
    mode=assumed(Strictness.RANK_ONLY, "AMB-27: what the further wording does is left open"),
)

# C-12, C-13 and the brand survey: the levels beside the loyalty grade.
STABILITY = Classification(
    name="stability",
    table=FirstMatch(
        cases=(
            Case(
                Stability.STABLE,
                assumed(
                    purchase_variation_4q <= 0.25,
                    "000 二(二)2 「购买频次稳定」; four quarters, 0.25",
                ),
            ),
            Case(
                Stability.FAIRLY_STABLE,
                assumed(
                    purchase_variation_4q <= 0.5,
                    "000 二(二)2 「购买频次较稳定」; four quarters, 0.5",
                ),
            ),
            Case(
                Stability.FLUCTUATING,
                assumed(
                    purchase_variation_4q <= 1.0,
                    "000 二(二)2 「购买频次波动较大」; four quarters, 1.0",
                ),
            ),
        ),
        otherwise=stated(Stability.UNSTABLE, "000 二(二)2 「购买频次不稳定」"),
        rising="purchase_variation_4q",
    ),
    population=BUYERS,
    ranking=RANKING,
    zone=ZONE,
)
PARTICIPATION = Classification(
    name="participation",
    table=FirstMatch(
        cases=(
            Case(
                Participation.ACTIVE,
                assumed(
                    participation_count_1y >= 4,
                    "000 二(二)2 「积极参与公司举办的各类活动」; 4 in a year",
                ),
            ),
            Case(
                Participation.OCCASIONAL,
                assumed(
                    participation_count_1y >= 2, "000 二(二)2 「偶尔参与公司活动」; 2 in a year"
                ),
            ),
            Case(
                Participation.FEW,
                assumed(
                    participation_count_1y >= 1, "000 二(二)2 「较少参与公司活动」; 1 in a year"
                ),
            ),
        ),
        otherwise=stated(Participation.ALMOST_NONE, "000 二(二)2 「几乎不参与公司活动」"),
    ),
    population=EVERYBODY,
    ranking=RANKING,
    zone=ZONE,
)
BRAND = Classification(
    name="brand",
    table=FirstMatch(
        cases=(
            Case(
                Brand.IDENTIFIES, read(brand.is_("identifies"), "000 二(二)2: strongly identifies")
            ),
            Case(Brand.GOODWILL, read(brand.is_("goodwill"), "000 二(二)2: some goodwill")),
            Case(Brand.FAINT, read(brand.is_("faint"), "000 二(二)2: faint impression")),
        ),
        otherwise=read(Brand.LITTLE_KNOWN, "000 二(二)2: little known; also without a survey"),
    ),
    population=EVERYBODY,
    ranking=RANKING,
    zone=ZONE,
)

user_retention = Handbook(
    name="user_retention",
    title="User retention rules",
    title_zh="用户维系管理办法",
    segmentation=Segmentation(
        population=BUYERS,
        ranking=RANKING,
        zone=ZONE,
        process=GradingProcess(
            process=stated(
                Process.REVIEWED, "000 二(三)3 「结果提交至用户维系管理工作小组进行审核」"
            ),
            regrading=Regrading(
                ladder=stated(
                    ("ordinary", "silver", "gold", "platinum", "diamond"),
                    "000 二(二)1: 普通、白银、黄金、白金、钻石",
                ),
                every=assumed(
                    After(months=3), "000 二(三)4 「定期对用户的分类分级进行动态调整」: quarterly"
                ),
                zone=ZONE,
            ),
            group=WorkingGroup(
                name=stated("retention_working_group", "000 七(一) 「用户维系管理工作小组」"),
                heads=(
                    Head(stated("marketing", "000 七(一)"), blank("000 七(一): head of marketing")),
                    Head(
                        stated("customer_service", "000 七(一)"),
                        blank("000 七(一): head of customer service"),
                    ),
                    Head(
                        stated("technical_support", "000 七(一)"),
                        blank("000 七(一): head of technical support"),
                    ),
                    Head(
                        stated("product_rd", "000 七(一)"),
                        blank("000 七(一): head of product development"),
                    ),
                ),
            ),
            sources_wanted=stated(
                USER_SOURCES, "000 二(三)1 「购买行为、消费金额、购买频次、满意度调查结果」"
            ),
        ),
        classifications=(
            PURCHASE_CLASSES,
            OVERDUE,
            VALUE_CLASSES,
            FREQUENCY_LEVEL,
            AMOUNT_LEVEL,
            PROFIT_LEVEL,
            INDUSTRY_CLASSES,
            SPEND_GRADE,
            LOYALTY_GRADE,
            STABILITY,
            PARTICIPATION,
            BRAND,
        ),
    ),
    lifecycle=Lifecycle(
        contact=assumed(
            IN_CONTACT, "000 二(一)1 「与公司失去有效联系」; D-31: what counts, and 180 days"
        ),
        zone=ZONE,
    ),
    feedback=user_retention_feedback,
    cause_analysis=user_retention_analysis,
    improvements=user_retention_improvements,
    service=user_retention_service,
    surveys=user_retention_surveys,
    programme=user_retention_programme,
)
