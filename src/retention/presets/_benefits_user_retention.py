"""000, the benefits, referrals and activity rewards of 用户维系管理办法.

The incentive tiers have no names and the rewards no amounts, so those are blank.
"""

from retention.benefit_grants import AnniversaryBenefit, Occasion, OccasionBenefits
from retention.benefits import Benefit, BenefitCatalogue, BenefitKind, ComesWith
from retention.earning import BirthdayWindow, LeapBirthday
from retention.mechanisms.policies import assumed, blank, stated
from retention.referrals import ReferralTerms, Side
from retention.rewards import ActivityRewards

LADDER = "000 五(一)2: names of the incentive tiers"
TIER = "000 五(一)2 「优先客服、专属折扣、生日福利」"
NEWCOMER = "000 四(一)1 「首次购买折扣、免费试用期限延长、新手礼包」"
ACTIVITY = "000 五(三) 「奖品、优惠券、会员权益升级」"
GRANT = stated(ComesWith.GRANT, "000 四(一)1, 五(三): on an occasion")

BENEFITS = BenefitCatalogue(
    benefits=(
        Benefit(stated(BenefitKind.PRIORITY_SERVICE, TIER)),
        Benefit(
            stated(BenefitKind.EXCLUSIVE_DISCOUNT, TIER),
            pays=blank("000 五(一)2: rate of the exclusive discount"),
        ),
        Benefit(stated(BenefitKind.BIRTHDAY_BENEFIT, TIER)),
        Benefit(stated(BenefitKind.FIRST_PURCHASE_DISCOUNT, NEWCOMER), comes_with=GRANT),
        Benefit(stated(BenefitKind.TRIAL_EXTENSION, NEWCOMER), comes_with=GRANT),
        Benefit(stated(BenefitKind.NEWCOMER_PACK, NEWCOMER), comes_with=GRANT),
        Benefit(stated(BenefitKind.COUPON, ACTIVITY), comes_with=GRANT),
        Benefit(stated(BenefitKind.BENEFIT_UPGRADE, ACTIVITY), comes_with=GRANT),
    ),
    ladder=blank(LADDER),
    version=stated("000", "000: the handbook itself"),
)

# E-25 to E-27, VAR-05: on the birthday itself, by tier and spend.
OCCASIONS = OccasionBenefits(
    birthday=blank("000 五(二)1 「根据用户的等级和消费情况」: rule table"),
    birthday_window=stated(BirthdayWindow.DAY, "000 五(二)1 「在用户生日当天」"),
    leap=assumed(LeapBirthday.FEB_28, "000 五(二)1: the handbook does not say"),
    anniversaries=(
        AnniversaryBenefit(
            stated(Occasion.MEMBERSHIP_ANNIVERSARY, "000 五(二)3 「会员纪念日」"),
            stated("gift_or_offer", "000 五(二)3 「提供相应的纪念礼品或优惠活动」"),
        ),
        AnniversaryBenefit(
            stated(Occasion.FIRST_PURCHASE_ANNIVERSARY, "000 五(二)3 「首次购买纪念日」"),
            stated("gift_or_offer", "000 五(二)3 「提供相应的纪念礼品或优惠活动」"),
        ),
    ),
    newcomer=stated(
        (
            BenefitKind.FIRST_PURCHASE_DISCOUNT,
            BenefitKind.TRIAL_EXTENSION,
            BenefitKind.NEWCOMER_PACK,
        ),
        NEWCOMER,
    ),
)

# E-28, E-30: both sides, once the referred user has bought; kinds are stated, amounts are not.
REFERRALS = ReferralTerms(
    referrer=Side(
        blank("000 五(四) 「现金返还、积分奖励、礼品赠送」: which"),
        blank("000 五(四): amount for the referrer"),
    ),
    referee=Side(
        blank("000 五(四) 「现金返还、积分奖励、礼品赠送」: which"),
        blank("000 五(四): amount for the referred user"),
    ),
    return_days=assumed(7, "000 names no return period; 002 三(二)2 has 7 days"),
)

# E-41: who does outstandingly or meets a condition.
ACTIVITY_REWARDS = ActivityRewards(blank("000 五(三) 「表现优秀或达到一定条件」: rows"))
