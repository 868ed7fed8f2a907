"""003, the benefits of 会员关系维护管理制度, how they are used, and how they are changed.

Basic and advanced benefits are its own classes (E-20); the notice of a change goes through
four channels. Lead, review and inspection have no numbers, so those are assumed.
"""

from retention.benefit_grants import OccasionBenefits
from retention.benefits import Benefit, BenefitCatalogue, BenefitClass, BenefitKind, ComesWith
from retention.change_previews import CompensationForm, Remedy
from retention.coupons import CouponKind, Coupons, CouponTerms
from retention.earning import BirthdayWindow, LeapBirthday
from retention.mechanisms.obligations import After
from retention.mechanisms.policies import assumed, blank, read, stated
from retention.privileges import DedicatedService, EventPriority
from retention.programme_changes import BenefitReviews, ChangeTerms
from retention.redemptions import RedemptionTerms

BASIC = stated(BenefitClass.BASIC, "003 五(一)1 「基础权益」")
ADVANCED = stated(BenefitClass.ADVANCED, "003 五(一)2 「进阶权益」")
EVERY = read((), "003 五(一): every member")
HIGH = read(("diamond",), "003 五(一)2 「高级别会员」: the highest tier")
PRIVILEGES = "003 五(一)1 「优先服务、专属折扣、生日福利、免费配送」"
ALONE = "003 五(一)2 「个性化服务」"
FIRST = "003 五(一)2 「优先参与公司举办的各类新品发布会」"
EXTEND = "003 五(二)3 「在权益调整生效前延长现有权益有效期」"
POINTS = "003 五(二)3 「为会员提供一次性积分奖励」"

BENEFITS = BenefitCatalogue(
    benefits=(
        Benefit(stated(BenefitKind.POINTS, "003 五(一)1 「积分累积与兑换」"), EVERY, level=BASIC),
        Benefit(stated(BenefitKind.PRIORITY_SERVICE, PRIVILEGES), EVERY, level=BASIC),
        Benefit(
            stated(BenefitKind.EXCLUSIVE_DISCOUNT, PRIVILEGES),
            EVERY,
            level=BASIC,
            pays=blank("003 五(一)1: rate of the exclusive discount by tier"),
        ),
        Benefit(stated(BenefitKind.BIRTHDAY_BENEFIT, PRIVILEGES), EVERY, level=BASIC),
        Benefit(stated(BenefitKind.FREE_DELIVERY, PRIVILEGES), EVERY, level=BASIC),
        Benefit(stated(BenefitKind.MEMBER_NEWS, "003 五(一)1 「会员资讯」"), EVERY, level=BASIC),
        Benefit(stated(BenefitKind.INDIVIDUAL_RECOMMENDATION, ALONE), EVERY, level=ADVANCED),
        Benefit(stated(BenefitKind.SERVICE_SCHEME, ALONE), EVERY, level=ADVANCED),
        Benefit(stated(BenefitKind.INDIVIDUAL_OFFER, ALONE), EVERY, level=ADVANCED),
        Benefit(stated(BenefitKind.LAUNCH_PRIORITY, FIRST), EVERY, level=ADVANCED),
        Benefit(stated(BenefitKind.LIMITED_EDITION_PRIORITY, FIRST), EVERY, level=ADVANCED),
        Benefit(stated(BenefitKind.MEMBER_EVENT_PRIORITY, FIRST), EVERY, level=ADVANCED),
        Benefit(
            stated(BenefitKind.DEDICATED_TEAM, "003 五(一)2 「为高级别会员配备专属客服团队」"),
            HIGH,
            level=ADVANCED,
        ),
        Benefit(
            stated(BenefitKind.COUPON, "003 五(一)1 「生日优惠券」"),
            EVERY,
            level=BASIC,
            comes_with=stated(ComesWith.GRANT, "003 五(一)1 「生日优惠券」: on the birthday"),
        ),
    ),
    ladder=stated(
        ("ordinary", "silver_card", "gold_card", "diamond"),
        "003 五(一)1 「普通会员、银卡会员、金卡会员、钻石会员」",
    ),
    version=stated("003", "003: the handbook itself"),
)

# E-25, VAR-05: the batch of the month; a coupon or double points.
OCCASIONS = OccasionBenefits(
    birthday=blank("003 四(二)1 「如生日优惠券、积分加倍」: who gets which"),
    birthday_window=read(BirthdayWindow.MONTH, "003 四(二)1 「对当月过生日的会员」; AMB-08"),
    leap=assumed(LeapBirthday.FEB_28, "003 does not say"),
)

COUPONS = Coupons(
    rows=(
        CouponTerms(
            stated(CouponKind.BIRTHDAY, "003 五(一)1 「生日优惠券」"),
            off_minor=blank("003 五(一)1 「生日优惠券」: amount"),
        ),
    )
)

# E-18, E-36, E-37.
REDEMPTIONS = RedemptionTerms(
    department=blank("003 五(三)3 「明确责任部门」: which"),
    inspected=assumed(After(months=1), "003 五(三)3 「定期」: how often"),
)

# E-42, E-43.
DEDICATED = DedicatedService(tiers=HIGH)
EVENT_PRIORITY = EventPriority(
    windows=blank("003 五(一)2 「优先」: how much earlier, for which tiers")
)

# E-31.
REVIEWS = BenefitReviews(every=assumed(After(months=6), "003 五(二)1 「定期」: how often"))

# E-32 to E-34, AMB-21.
CHANGES = ChangeTerms(
    channels=stated(
        ("email", "sms", "letter", "social"),
        "003 五(二)2 「电子邮件、短信、会员系统站内信、社交媒体平台等」",
    ),
    min_channels=read(2, "003 五(二)2 「通过多种渠道」; AMB-21"),
    lead_days=assumed(30, "003 五(二)2 「提前」: how long"),
    remedies=(
        Remedy(
            form=stated(CompensationForm.EXTENSION, EXTEND),
            months=blank("003 五(二)3: how long the old benefit goes on"),
        ),
        Remedy(
            kind=read("tier", "003 五(二)3: there is no benefit that could go on"),
            form=stated(CompensationForm.POINTS, POINTS),
            points=blank("003 五(二)3: how many points"),
        ),
        Remedy(
            kind=read("earning", "003 五(二)3: there is no benefit that could go on"),
            form=stated(CompensationForm.POINTS, POINTS),
            points=blank("003 五(二)3: how many points"),
        ),
    ),
)
