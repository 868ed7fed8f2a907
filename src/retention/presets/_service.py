"""Customer service of the five handbooks: desk, queue, intents, after-sales, hotline, trainings.

002 says most; what a handbook does not have is blank (VAR-09).
"""

from retention.after_sales import (
    AFTER_SALES,
    AfterSales,
    AfterSalesState,
    CountedFrom,
    Entitlement,
)
from retention.after_sales import (
    JUDGED as AFTER_SALES_JUDGED,
)
from retention.case_clocks import RECEIVED, ClockName, ClockRule
from retention.faq import MessageBoard
from retention.intake import Entry
from retention.intents import IntentKeywords, KeywordIntents
from retention.mechanisms.calendars import Calendar, WeekHours
from retention.mechanisms.decisions import Case, FirstMatch
from retention.mechanisms.kpis import Target
from retention.mechanisms.obligations import After, Days, Within
from retention.mechanisms.policies import assumed, blank, read, stated
from retention.mechanisms.rules import Measure
from retention.mechanisms.workflows import Workflow
from retention.outlets import OutletService, OutletServices
from retention.service import Service
from retention.sessions import JUDGED, SESSION, ServiceDesk, SessionState
from retention.staffing import Hotline, TrainingPlan
from retention.support_tools import ToolKind, ToolPlan
from retention.triage import QueueOrder
from retention.watches import ChannelWatch, ChannelWatches

ZONE = assumed("Asia/Shanghai", "RC-01: the handbook does not say")
kind = Measure[str]("kind", zh="售后类型")
days_counted = Measure[int]("days_counted", unit="days", zh="已过天数")
excluded = Measure[bool]("excluded", zh="不支持无理由退货的商品")
damaged = Measure[bool]("damaged", zh="商品破损")
pieces_of_evidence = Measure[int]("pieces_of_evidence", zh="凭证数")
ALL_DAY = Calendar(
    name="hotline", zone="Asia/Shanghai", week=(WeekHours("mon-sun", "00:00-24:00"),)
)
FIRST_TRAINING = assumed(Days(0, 30), "H-47: no time is named; a month after joining")
NEXT_TRAINING = assumed(After(months=12), "H-47: no interval is named; a year")

# --- 000 ----------------------------------------------------------------------------------------

user_retention_service = Service(
    hotline=read(
        Hotline(
            hours=stated(ALL_DAY, "000 四(一)2 「设立24小时客服热线」"),
            people=assumed(1, "000 四(一)2: no number is named"),
            answered=assumed(None, "000 四(一)2: no target is named"),
        ),
        "000 四(一)2",
    ),
    board=read(
        MessageBoard(
            limit=assumed(Within(hours=24), "000 四(一)1 「留言板」: no limit is named"),
            zone=ZONE,
        ),
        "000 四(一)1 「在线客服、留言板、常见问题解答」",
    ),
    outlets=read(
        OutletServices(
            services=stated(
                (
                    OutletService.REPAIR,
                    OutletService.MAINTENANCE,
                    OutletService.TECHNICAL_SUPPORT,
                ),
                "000 四(一)2 「面对面的产品维修、保养、技术支持」",
            ),
        ),
        "000 四(一)2 「同时收集用户的反馈意见」",
    ),
    trainings=read(
        TrainingPlan(
            topics=blank("000: topics of the training"),
            first=FIRST_TRAINING,
            again=NEXT_TRAINING,
            criteria=blank("000: criteria of recruiting"),
            zone=ZONE,
        ),
        "000 四(二)3 「加强客服培训」",
    ),
)

# --- 001 ----------------------------------------------------------------------------------------

customer_operations_service = Service(
    queue=read(
        QueueOrder(
            urgencies=read(("urgent",), "H-36: urgency comes first"),
            tiers=stated(("high",), "001 三(一) 「享受优先响应」"),
        ),
        "001 三(一)",
    ),
    trainings=read(
        TrainingPlan(
            topics=stated(
                (
                    "product_knowledge",
                    "service_process",
                    "communication_skill",
                    "problem_solving",
                ),
                "001 四(二) 「公司产品知识、服务流程、沟通技巧、问题解决方法」",
            ),
            first=FIRST_TRAINING,
            again=NEXT_TRAINING,
            criteria=blank("001 四(二): criteria of recruiting"),
            zone=ZONE,
        ),
        "001 四(二)",
    ),
)

# --- 002 ----------------------------------------------------------------------------------------

DESK = ServiceDesk(
    common=read(
        ("logistics", "return_exchange"), "002 四(四)1 「物流查询”“退换货流程」: its examples"
    ),
    clocks=(
        ClockRule(
            name=ClockName.BOT_RESPONSE,
            starts=read((RECEIVED,), "AMB-20: from the opening"),
            stops=read(("recognise",), "AMB-20: the bot takes it up"),
            ends=read(("leave",), "AMB-20: until the customer leaves"),
            limit=stated(Within(minutes=1), "002 三(二)2 「确保响应时间≤1分钟」"),
            rule="H-32",
        ),
        ClockRule(
            name=ClockName.HUMAN_RESPONSE,
            starts=read(("hand_over",), "AMB-20: from the hand-over"),
            stops=read(("answer",), "AMB-20: a person answers"),
            ends=read(("leave",), "AMB-20: until the customer leaves"),
            limit=stated(Within(minutes=5), "002 三(二)2 「人工客服≤5分钟」"),
            rule="H-32",
        ),
    ),
    bot_solved=Target(at_least=stated("0.8", "002 四(四)1 「解决80%以上的常见问题」")),
    case_kinds=read(("complaint", "after_sales"), "SM-27: complaint or after-sales case"),
    workflow=read(
        Workflow(SESSION, SessionState.OPENED, judged=JUDGED),
        "002 三(二)2 「通过智能客服(Chatbot)解决常见问题」「无法解决的转人工客服」, SM-27",
    ),
    zone=ZONE,
)

AFTER_SALE = AfterSales(
    table=FirstMatch(
        cases=(
            Case(
                Entitlement.RETURN_WITHOUT_REASON,
                stated(
                    kind.one_of("return", "exchange")
                    & days_counted.between(0, 7)
                    & excluded.is_(False),
                    "002 三(二)2 「7天无理由退换货」",
                ),
            ),
            Case(
                Entitlement.DAMAGE_COMPENSATION,
                stated(
                    kind.is_("compensation") & damaged.is_(True) & (pieces_of_evidence >= 1),
                    "002 三(二)2 「破损包赔」",
                ),
            ),
        ),
        otherwise=read(Entitlement.NOT_ENTITLED, "002 三(二)2: everything else"),
    ),
    clocks=(
        ClockRule(
            name=ClockName.FOLLOW_UP,
            starts=stated(("finish",), "002 三(二)2 「处理完成后」"),
            stops=stated(("follow_up",), "002 三(二)2 「跟进客户满意度」"),
            limit=stated(Within(hours=24), "002 三(二)2 「处理完成后24小时内」"),
            rule="H-40",
        ),
    ),
    counted_from=read(CountedFrom.RECEIPT, "AMB-11: the days after the day of receipt"),
    excluded=assumed((), "002 三(二)2: no goods are named"),
    workflow=read(
        Workflow(AFTER_SALES, AfterSalesState.REQUESTED, judged=AFTER_SALES_JUDGED),
        "002 三(二)2 「建立“售后快速处理通道”」, SM-28",
    ),
    zone=ZONE,
)

ecommerce_service = Service(
    desk=read(DESK, "002 三(二)2"),
    queue=read(
        QueueOrder(
            urgencies=read(("urgent",), "H-36: urgency comes first"),
            tiers=read(
                ("diamond_card", "gold_card", "silver_card"),
                "002 三(四)2 「优先客服”(无需排队)」: every VIP, the highest card first",
            ),
        ),
        "002 三(四)2",
    ),
    intents=KeywordIntents(
        intents=(
            IntentKeywords(
                intent=read("logistics", "002 四(四)1 「物流查询」"),
                flow=stated(
                    "logistics_query",
                    "002 四(四)1 「客户说‘我的快递没到’,系统自动转‘物流查询’流程」",
                ),
                keywords=read(
                    (
                        *("快递", "物流", "包裹", "没到", "未到", "到哪", "没收到"),
                        *("parcel", "delivery", "tracking", "not arrived", "where is my order"),
                    ),
                    "002 四(四)1 「我的快递没到」, and words for the same",
                ),
            ),
            IntentKeywords(
                intent=read("return_exchange", "002 四(四)1 「退换货流程」"),
                flow=stated("return_process", "002 四(四)1 「退换货流程」"),
                keywords=read(
                    (
                        *("退货", "换货", "退换", "退换货", "无理由退", "退掉"),
                        *("return", "returns", "exchange", "send back"),
                    ),
                    "002 四(四)1 「退换货流程」, and words for the same",
                ),
            ),
        ),
        sure_from=assumed("1/2", "002 四(四)1: no confidence is named"),
    ),
    after_sales=read(AFTER_SALE, "002 三(二)2"),
)

# --- 003 ----------------------------------------------------------------------------------------

membership_service = Service(
    queue=read(
        QueueOrder(
            urgencies=stated(("urgent",), "003 六(二)1 「立即启动紧急处理流程,优先解决」"),
            tiers=blank("003 五(二): the tiers with priority service"),
        ),
        "003 六(二)1",
    ),
    hotline=read(
        Hotline(
            hours=read(ALL_DAY, "003 六(一)1 「客服热线应保持畅通」: at any time"),
            people=assumed(1, "003 六(一)1: no number is named"),
            answered=assumed(None, "003 六(一)1: no target is named"),
        ),
        "003 六(一)1",
    ),
    watches=read(
        ChannelWatches(
            watches=(
                ChannelWatch(
                    channel=stated(Entry.EMAIL, "003 六(一)1 「安排专人定期查看投诉邮箱」"),
                    every=assumed(After(days=1), "003 六(一)1 「定期」: no interval is named"),
                    answer=assumed(None, "003 六(一)1: no limit is named"),
                ),
                ChannelWatch(
                    channel=stated(
                        Entry.SOCIAL_PRIVATE_MESSAGE,
                        "003 六(一)1 「及时关注会员在社交媒体上的投诉」",
                    ),
                    every=assumed(After(days=1), "003 六(一)1 「及时」: no interval is named"),
                    answer=assumed(None, "003 六(一)1: no limit is named"),
                ),
            ),
            zone=ZONE,
        ),
        "003 六(一)1",
    ),
)

# --- 004 ----------------------------------------------------------------------------------------

new_measures_service = Service(
    queue=read(
        QueueOrder(
            urgencies=read(("urgent",), "H-36: urgency comes first"),
            tiers=stated(("diamond",), "004 二(一)2 「钻石客户可享受优先客服通道」"),
            channels=stated(
                (("diamond", "priority_service_channel"),),
                "004 二(一)2 「钻石客户可享受优先客服通道」",
            ),
        ),
        "004 二(一)2",
    ),
    trainings=read(
        TrainingPlan(
            topics=blank("004 三(一)2: topics of the training"),
            first=FIRST_TRAINING,
            again=NEXT_TRAINING,
            criteria=blank("004 三(一)2: criteria of recruiting"),
            zone=ZONE,
        ),
        "004 三(一)2 「培训客服团队」",
    ),
    tools=read(
        ToolPlan(
            kinds=read(
                (ToolKind.AI_SERVICE, ToolKind.CRM, ToolKind.AUTOMATION),
                "004 三(二) 「引入AI客服等智能化工具」; H-48 names the others",
            ),
        ),
        "004 三(二)",
    ),
)
