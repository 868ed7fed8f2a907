"""004, the member benefits and the fission campaign of 客户维系新措施."""

from retention.benefits import Benefit, BenefitCatalogue, BenefitKind
from retention.mechanisms.policies import assumed, blank, read, stated
from retention.referrals import ReferralTerms, Side

MEMBERS = "004 二(二)1 「积分兑换、会员折扣、专属活动」"
EVERYBODY = read(True, "004 二(二)1: every member, whatever the layer")

BENEFITS = BenefitCatalogue(
    benefits=(
        Benefit(stated(BenefitKind.POINTS_REDEMPTION, MEMBERS), everybody=EVERYBODY),
        Benefit(
            stated(BenefitKind.MEMBER_DISCOUNT, MEMBERS),
            everybody=EVERYBODY,
            pays=blank("004 二(二)1: rate of the member discount"),
        ),
        Benefit(stated(BenefitKind.EXCLUSIVE_ACTIVITIES, MEMBERS), everybody=EVERYBODY),
        Benefit(
            stated(BenefitKind.PRIORITY_SERVICE_CHANNEL, "004 二(一)1 「钻石」: priority channel"),
            stated(("diamond",), "004 二(一)1 「钻石」"),
        ),
    ),
    ladder=stated(("silver", "gold", "diamond"), "004 二(一)1 「钻石、黄金、白银」"),
    version=stated("004", "004: the handbook itself"),
)

# E-29: both sides win.
REFERRALS = ReferralTerms(
    referrer=Side(
        blank("004 二(二)3: kind of reward"), blank("004 二(二)3: amount for the referrer")
    ),
    referee=Side(
        blank("004 二(二)3: kind of reward"), blank("004 二(二)3: amount for the referred")
    ),
    return_days=assumed(7, "004 names no return period; 002 三(二)2 has 7 days"),
)
