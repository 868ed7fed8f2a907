"""The loyalty programmes of the five handbooks: tiers, earning, redeeming, points (VAR-01, VAR-12).

Rates, prices and thresholds are for the company to set, so they are blank. What no handbook
speaks of, and what a programme cannot be without, is assumed.
"""

from fractions import Fraction

from retention.classifications import Classification
from retention.earning import (
    BirthdayBonus,
    BirthdayWindow,
    EarningEvent,
    EarningRules,
    EventReward,
    LeapBirthday,
    Stacking,
)
from retention.grades import MemberTier, VipTier
from retention.ledger import LateRule, PointCurrency, PointsPolicy, Shortfall
from retention.lots import PeriodEnd, Validity
from retention.loyalty import Programme
from retention.mechanisms.decisions import FirstMatch
from retention.mechanisms.policies import assumed, blank, read, stated
from retention.mechanisms.ranks import Ranking, Rounding, Ties
from retention.member_days import MemberDay
from retention.presets import (
    _benefits_customer_operations,
    _benefits_ecommerce,
    _benefits_membership,
    _benefits_new_measures,
    _benefits_user_retention,
)
from retention.redeeming import RedemptionPurpose, RedemptionRules
from retention.tiers import (
    QualificationWindow,
    TierCase,
    TierCriterion,
    Tiers,
    UpgradeTime,
    ValidityEnd,
)

ZONE = assumed("Asia/Shanghai", "RC-01: the handbook does not say")
RANKING = Ranking(
    ties=assumed(Ties.SHARE_BEST, "RC-09: the handbook does not say"),
    rounding=assumed(Rounding.EXACT, "RC-09, AMB-01: the handbook does not say"),
)
POINTS = read("points", "no other kind of points is named (E-14)")
CURRENCIES = (
    PointCurrency(
        code=POINTS, redeemable=read(True, "no points that cannot be exchanged are named (E-11)")
    ),
)
PENDING = assumed(0, "no waiting time is named (E-14)")
SHORTFALL = assumed(Shortfall.DEBT, "no word on points that were spent and are taken back (E-17)")
RETURNED = assumed(True, "no word on points that expired before the return (E-17)")
REINSTATED = assumed(0, "no word on a return after the expiry (E-17)")
LATE = assumed(LateRule.REBOOK, "no word on entries that come late (E-14)")
REMINDER = assumed(30, "no lead of the reminder is named (E-16)")
PER_STEP = assumed(1, "no points for each step are named (E-08)")
STACKING = assumed(Stacking.BEST, "no word on several bonuses on one order (E-10)")
ON_POINTS_PART = assumed(False, "no word on whether points earn points (E-12)")
MEMBER_POINTS = read("points", "no other kind of points is named, so it counts for tiers too")
WINDOW = assumed(QualificationWindow.ROLLING, "no period that counts is named (E-04)")
MONTHS = assumed(12, "no period that counts is named (E-04)")
AT_ONCE = assumed(UpgradeTime.AT_ONCE, "no time at which a rise takes effect is named (E-04)")
TO_THE_DAY = assumed(ValidityEnd.TO_THE_DAY, "no last day of a tier is named (E-05)")
GRACE = assumed(0, "no grace period is named (E-05)")
STEPS_DOWN = assumed(False, "no fall by single steps is named (E-05)")

# --- 000 ------------------------------------------------------------------------------------------

USES_000 = "000 五(一)1 「兑换礼品、抵扣现金、升级会员等级等」"
EARNS_000 = "000 五(一)1 「购买产品或服务、参与公司活动、推荐新用户」"

user_retention_programme = Programme(
    version=stated("000", "000: the handbook itself"),
    tiers=blank("000 五(一)2 「消费金额、购买频次、忠诚度等指标」: names and thresholds (AMB-32)"),
    earning=EarningRules(
        ratio=blank("000 五(一)1: points for a purchase"),
        step=blank("000 五(一)1: points for a purchase"),
        points_per_step=PER_STEP,
        events=(
            EventReward(
                stated(EarningEvent.ACTIVITY, EARNS_000),
                blank("000 五(一)1: points for an activity"),
            ),
            EventReward(
                stated(EarningEvent.REFERRAL, EARNS_000),
                blank("000 五(一)1: points for a referral"),
            ),
        ),
        stacking=STACKING,
        on_points_part=ON_POINTS_PART,
        zone=ZONE,
    ),
    redeeming=RedemptionRules(
        purposes=stated(
            (
                RedemptionPurpose.GIFT,
                RedemptionPurpose.CASH_OFFSET,
                RedemptionPurpose.TIER_UPGRADE,
                RedemptionPurpose.OTHER_OFFER,
            ),
            USES_000,
        ),
        offset=blank("000 五(一)1 「抵扣现金」: rate, cap and minimum"),
        upgrades=blank("000 五(一)1 「升级会员等级」: price of a step"),
    ),
    points=PointsPolicy(
        currencies=CURRENCIES,
        validity=blank("000 五(一)1: how long points are valid"),
        pending_days=PENDING,
        shortfall=SHORTFALL,
        expired_counts_as_returned=RETURNED,
        reinstatement_days=REINSTATED,
        late=LATE,
        reminder_days=REMINDER,
        zone=ZONE,
    ),
    benefits=_benefits_user_retention.BENEFITS,
    occasions=_benefits_user_retention.OCCASIONS,
    referral=_benefits_user_retention.REFERRALS,
    activity_rewards=_benefits_user_retention.ACTIVITY_REWARDS,
    qualifying_currency=MEMBER_POINTS,
    zone=ZONE,
)

# --- 001 ------------------------------------------------------------------------------------------

customer_operations_programme = Programme(
    version=stated("001", "001: the handbook itself"),
    tiers=blank("001 五(一)1 「根据客户消费金额和频次」: names, conditions up and down, validity"),
    earning=EarningRules(
        ratio=blank("001 五(一)2 「消费金额可按一定比例换算为积分」: the ratio"),
        points_per_step=PER_STEP,
        stacking=STACKING,
        on_points_part=ON_POINTS_PART,
        zone=ZONE,
    ),
    redeeming=RedemptionRules(
        purposes=stated(
            (
                RedemptionPurpose.GIFT,
                RedemptionPurpose.CASH_OFFSET,
                RedemptionPurpose.TIER_UPGRADE,
            ),
            "001 五(一)2 「兑换礼品、抵扣现金、升级会员等级」",
        ),
        offset=blank("001 五(一)2 「抵扣现金」: rate, cap and minimum"),
        upgrades=blank("001 五(一)2 「升级会员等级」: price of a step"),
    ),
    points=PointsPolicy(
        currencies=CURRENCIES,
        validity=blank("001 五(一)2: how long points are valid"),
        pending_days=PENDING,
        shortfall=SHORTFALL,
        expired_counts_as_returned=RETURNED,
        reinstatement_days=REINSTATED,
        late=LATE,
        reminder_days=REMINDER,
        zone=ZONE,
    ),
    benefits=_benefits_customer_operations.BENEFITS,
    qualifying_currency=MEMBER_POINTS,
    zone=ZONE,
)

# --- 002 ------------------------------------------------------------------------------------------

BY_002 = "002 三(四)1 「根据累计消费金额或积分划分VIP等级」"
NO_WAY_DOWN_002 = read(None, "002 三(四)1: no way down is named; what reaches a tier keeps it")

ecommerce_programme = Programme(
    version=stated("002", "002: the handbook itself"),
    tiers=Tiers(
        ladder=Classification(
            name="vip_tiers",
            table=FirstMatch(
                cases=(
                    TierCase(
                        VipTier.DIAMOND_CARD, blank(f"{BY_002}: diamond card"), NO_WAY_DOWN_002
                    ),
                    TierCase(VipTier.GOLD_CARD, blank(f"{BY_002}: gold card"), NO_WAY_DOWN_002),
                    TierCase(VipTier.SILVER_CARD, blank(f"{BY_002}: silver card"), NO_WAY_DOWN_002),
                ),
                otherwise=read(VipTier.NONE, "002 三(四)1: no tier below silver"),
            ),
            population=read(None, "002 三(四)1: every customer"),
            ranking=RANKING,
            zone=ZONE,
        ),
        by=stated((TierCriterion.CUMULATIVE_SPEND, TierCriterion.POINTS), BY_002),
        window=read(QualificationWindow.LIFETIME, "002 三(四)1 「累计」: everything counts"),
        window_months=MONTHS,
        upgrade=AT_ONCE,
        validity_months=blank("002 三(四)1: how long a tier holds"),
        validity_end=TO_THE_DAY,
        grace_days=GRACE,
        one_step_down=STEPS_DOWN,
    ),
    earning=EarningRules(
        ratio=blank("002: what earns points is not said"),
        step=blank("002: what earns points is not said"),
        points_per_step=PER_STEP,
        stacking=STACKING,
        on_points_part=ON_POINTS_PART,
        zone=ZONE,
    ),
    redeeming=RedemptionRules(
        purposes=read((RedemptionPurpose.PRODUCT,), "002 四(一)3 「可兑换XX商品」: goods")
    ),
    points=PointsPolicy(
        currencies=CURRENCIES,
        validity=blank("002 四(一)3 「您的积分即将过期」: how long points are valid"),
        pending_days=PENDING,
        shortfall=SHORTFALL,
        expired_counts_as_returned=RETURNED,
        reinstatement_days=REINSTATED,
        late=LATE,
        reminder_days=REMINDER,
        zone=ZONE,
    ),
    benefits=_benefits_ecommerce.BENEFITS,
    occasions=_benefits_ecommerce.OCCASIONS,
    coupons=_benefits_ecommerce.COUPONS,
    dispatch=_benefits_ecommerce.DISPATCH,
    dedicated_service=_benefits_ecommerce.DEDICATED,
    member_day=MemberDay(
        on=blank("002 四(一)3 「会员日」: which day"),
        notice_days=blank("002 四(一)3 「会员日」: how long before it is announced"),
        zone=ZONE,
    ),
    qualifying_currency=MEMBER_POINTS,
    zone=ZONE,
)

# --- 003 ------------------------------------------------------------------------------------------

BY_003 = "003 五(一)1 「消费金额、消费频次、忠诚度等指标」"
NO_WAY_DOWN_003 = read(None, "003 五(一)1: no way down is named; what reaches a tier keeps it")

membership_programme = Programme(
    version=stated("003", "003: the handbook itself"),
    tiers=Tiers(
        ladder=Classification(
            name="tiers",
            table=FirstMatch(
                cases=(
                    TierCase(MemberTier.DIAMOND, blank(f"{BY_003}: diamond"), NO_WAY_DOWN_003),
                    TierCase(MemberTier.GOLD_CARD, blank(f"{BY_003}: gold card"), NO_WAY_DOWN_003),
                    TierCase(
                        MemberTier.SILVER_CARD, blank(f"{BY_003}: silver card"), NO_WAY_DOWN_003
                    ),
                ),
                otherwise=stated(
                    MemberTier.ORDINARY, "003 五(一)1 「普通会员、银卡会员、金卡会员、钻石会员」"
                ),
            ),
            population=read(None, "003 五(一)1: every member"),
            ranking=RANKING,
            zone=ZONE,
        ),
        by=stated((TierCriterion.SPEND, TierCriterion.FREQUENCY, TierCriterion.LOYALTY), BY_003),
        window=WINDOW,
        window_months=MONTHS,
        upgrade=AT_ONCE,
        validity_months=blank("003 五(一)1: how long a tier holds"),
        validity_end=TO_THE_DAY,
        grace_days=GRACE,
        one_step_down=STEPS_DOWN,
    ),
    earning=EarningRules(
        step=blank("003 五(一)1 「会员每消费一定金额可获得相应积分」: the step"),
        points_per_step=PER_STEP,
        events=(
            EventReward(
                stated(EarningEvent.DISCUSSION, "003 四(三)1 「给予积分、优惠券等奖励」"),
                blank("003 四(三)1: points for outstanding participants"),
            ),
            EventReward(
                stated(EarningEvent.CONTEST, "003 四(三)1: prizes of contests"),
                blank("003 四(三)1: points for a prize"),
            ),
            EventReward(
                stated(EarningEvent.COMPENSATION, "003 五(二)3 「为会员提供一次性积分奖励」"),
                blank("003 五(二)3: points of one compensation"),
            ),
        ),
        birthday=BirthdayBonus(
            factor=stated(Fraction(2), "003 五(一)1, 四(二)1 「积分加倍」"),
            window=assumed(BirthdayWindow.MONTH, "003 四(二)1: the window is left open; the month"),
            leap=assumed(LeapBirthday.FEB_28, "003 四(二)1: 29 February is not spoken of"),
        ),
        stacking=STACKING,
        on_points_part=ON_POINTS_PART,
        zone=ZONE,
    ),
    redeeming=RedemptionRules(
        purposes=stated(
            (
                RedemptionPurpose.PRODUCT,
                RedemptionPurpose.SERVICE,
                RedemptionPurpose.GIFT,
                RedemptionPurpose.CASH_OFFSET,
            ),
            "003 五(一)1 「兑换公司产品、服务、礼品或抵扣现金」",
        ),
        offset=blank("003 五(一)1 「抵扣现金」: rate, cap and minimum"),
    ),
    points=PointsPolicy(
        currencies=CURRENCIES,
        validity=Validity(
            months=assumed(12, "003 五(一)1: how long points are valid is left open"),
            until_end_of=assumed(PeriodEnd.MONTH, "003 五(一)1: to the end of the month"),
        ),
        pending_days=PENDING,
        shortfall=SHORTFALL,
        expired_counts_as_returned=RETURNED,
        reinstatement_days=REINSTATED,
        late=LATE,
        reminder_days=REMINDER,
        zone=ZONE,
    ),
    benefits=_benefits_membership.BENEFITS,
    occasions=_benefits_membership.OCCASIONS,
    coupons=_benefits_membership.COUPONS,
    dedicated_service=_benefits_membership.DEDICATED,
    event_priority=_benefits_membership.EVENT_PRIORITY,
    benefit_redemption=_benefits_membership.REDEMPTIONS,
    benefit_reviews=_benefits_membership.REVIEWS,
    benefit_changes=_benefits_membership.CHANGES,
    qualifying_currency=MEMBER_POINTS,
    zone=ZONE,
)

# --- 004 ------------------------------------------------------------------------------------------

new_measures_programme = Programme(
    version=stated("004", "004: the handbook itself"),
    tiers=read(None, "004 二(一)2: its layers are those of segmentation; members have no others"),
    earning=EarningRules(
        ratio=blank("004 二(二)1 「积分兑换」: what earns points is not said"),
        step=blank("004 二(二)1 「积分兑换」: what earns points is not said"),
        points_per_step=PER_STEP,
        stacking=STACKING,
        on_points_part=ON_POINTS_PART,
        zone=ZONE,
    ),
    redeeming=RedemptionRules(purposes=blank("004 二(二)1 「积分兑换」: for what")),
    points=PointsPolicy(
        currencies=CURRENCIES,
        validity=blank("004 二(二)1: how long points are valid"),
        pending_days=PENDING,
        shortfall=SHORTFALL,
        expired_counts_as_returned=RETURNED,
        reinstatement_days=REINSTATED,
        late=LATE,
        reminder_days=REMINDER,
        zone=ZONE,
    ),
    benefits=_benefits_new_measures.BENEFITS,
    referral=_benefits_new_measures.REFERRALS,
    qualifying_currency=MEMBER_POINTS,
    zone=ZONE,
)
