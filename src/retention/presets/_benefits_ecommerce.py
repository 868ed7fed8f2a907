"""002, the VIP benefits, coupons and dispatch of 电子商务企业客户维护管理办法.

The examples of the handbook are kept as they stand (E-21): new products are tasted by gold
cards, and nothing says that diamond cards may as well. Amounts of coupons are blank.
"""

from fractions import Fraction

from retention.benefit_grants import BirthdayBenefit, OccasionBenefits
from retention.benefits import Benefit, BenefitCatalogue, BenefitKind, ComesWith
from retention.coupons import CouponKind, Coupons, CouponTerms
from retention.earning import BirthdayWindow, LeapBirthday
from retention.measures import measure, purchases
from retention.mechanisms.decisions import Case, FirstMatch
from retention.mechanisms.policies import assumed, blank, read, stated
from retention.mechanisms.rules import Measure
from retention.privileges import DedicatedService, PriorityDispatch

ALL = read((), "002 三(四)2: every VIP customer")
GOLD = stated(("gold_card",), "002 三(四)2 「金卡客户可参与新品试吃」")
DIAMOND = stated(("diamond_card",), "002 三(四)2 「钻石卡享免运费、专属客服、生日礼」")
VIP = "002 三(四)2: every VIP customer"
CARDS = stated(("silver_card", "gold_card", "diamond_card"), "002 三(四)1 「银卡、金卡、钻石卡」")
GRANTED = stated(ComesWith.GRANT, "002 三(四)2 「生日礼」: on the birthday")
days_since_purchase = measure("days_since_purchase")
tier = Measure[str]("tier")
layer = Measure[str]("layer")

BENEFITS = BenefitCatalogue(
    benefits=(
        Benefit(stated(BenefitKind.PRIORITY_SERVICE, VIP), ALL),
        Benefit(
            stated(BenefitKind.PRIORITY_DISPATCH, "002 三(四)2 「优先发货”(下单后24小时内发出)」"),
            ALL,
        ),
        Benefit(stated(BenefitKind.OFFLINE_EVENTS, "002 三(四)2: invited to offline events"), ALL),
        Benefit(stated(BenefitKind.NEW_PRODUCT_TASTING, "002 三(四)2 「新品试吃」"), GOLD),
        Benefit(stated(BenefitKind.FREE_SHIPPING, "002 三(四)2 「免运费」"), DIAMOND),
        Benefit(stated(BenefitKind.DEDICATED_SERVICE, "002 三(四)2 「专属客服」"), DIAMOND),
        Benefit(stated(BenefitKind.BIRTHDAY_GIFT, "002 三(四)2 「生日礼」"), DIAMOND),
        Benefit(
            stated(BenefitKind.CUSTOM_PACKAGING, "002 三(四)2 「钻石卡客户可定制商品包装」"),
            DIAMOND,
        ),
    ),
    ladder=CARDS,
    version=stated("002", "002: the handbook itself"),
)

# VAR-05: a gift for diamond cards and for the high-value active; the day is not named.
OCCASIONS = OccasionBenefits(
    birthday=FirstMatch(
        cases=(
            Case(
                BirthdayBenefit.GIFT,
                stated(
                    tier.is_("diamond_card") | layer.is_("high_active"),
                    "002 二(二), 三(四)2 「生日礼」",
                ),
            ),
        ),
        otherwise=read(BirthdayBenefit.NONE, "002 names a gift for these alone"),
    ),
    birthday_window=assumed(BirthdayWindow.DAY, "002 names no day"),
    leap=assumed(LeapBirthday.FEB_28, "002 does not say"),
)

# E-40: every coupon that the handbook names.
COUPONS = Coupons(
    rows=(
        CouponTerms(
            stated(CouponKind.SECOND_PURCHASE, "002 二(二) 「二次购买立减」"),
            off_minor=blank("002 二(二) 「二次购买立减」: amount"),
            when=read(purchases.is_(1), "002 二(二): who has bought once"),
        ),
        CouponTerms(
            stated(CouponKind.SPEND_AND_SAVE, "002 三(一)1 「新人福利”(如满减券)」"),
            off_minor=blank("002 三(一)1 「满减券」: amount"),
            threshold_minor=blank("002 三(一)1 「满减券」: threshold"),
        ),
        CouponTerms(
            stated(CouponKind.NO_THRESHOLD, "002 二(二) 「送您一张无门槛券」"),
            off_minor=blank("002 二(二) 「无门槛券」: amount"),
            threshold_minor=stated(0, "002 二(二) 「无门槛」"),
        ),
        CouponTerms(
            stated(CouponKind.FIRST_ORDER_BACK, "002 二(二) 「回归首单享8折」"),
            pays=read(Fraction(4, 5), "002 二(二) 「8折」; the customer pays 80 %, AMB-25"),
            when=read(
                days_since_purchase > 90,
                "002 二(二): who sleeps, so the next order is the first back",
            ),
        ),
        CouponTerms(
            stated(CouponKind.HOLIDAY, "002 四(一)3 「中秋优惠券」"),
            name=stated("mid_autumn", "002 四(一)3 「中秋优惠券」"),
            off_minor=blank("002 四(一)3 「中秋优惠券」: amount"),
        ),
    )
)

# E-22: a VIP order leaves within 24 hours.
DISPATCH = PriorityDispatch(
    tiers=CARDS, hours=stated(24, "002 三(四)2 「优先发货”(下单后24小时内发出)」")
)

# E-42: 专属客服 of diamond cards.
DEDICATED = DedicatedService(tiers=DIAMOND)
