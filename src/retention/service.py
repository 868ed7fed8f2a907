"""The service part of a handbook: desk, queue, intents, after-sales, hotline, watches, trainings.

One value of policies that stand on their own; what a handbook does not have is blank and says
so when it is used. Complaints and feedback are ``feedback``, surveys ``surveys``.
"""

from __future__ import annotations

from attrs import field

from retention.after_sales import AfterSales
from retention.faq import MessageBoard
from retention.intents import KeywordIntents
from retention.mechanisms.policies import Policy, blank, policy
from retention.outlets import OutletServices
from retention.sessions import ServiceDesk
from retention.staffing import Hotline, TrainingPlan
from retention.support_tools import ToolPlan
from retention.triage import QueueOrder
from retention.watches import ChannelWatches


@policy
class Service(Policy):
    """Everything that one handbook says about serving customers (H-30 to H-36, H-39 to H-49).

    >>> from retention.presets import ecommerce
    >>> ecommerce.service.intents.recognise("我的快递没到").flow
    'logistics_query'
    >>> ecommerce.service.hotline.people
    Traceback (most recent call last):
    ...
    retention.mechanisms.errors.BlankValueError: Service.hotline: the handbook leaves this blank \
(no hotline); set it with policy.with_('...hotline', value)
    """

    desk: ServiceDesk = field(default=blank("no service desk"))
    queue: QueueOrder = field(default=blank("no order of the queue"))
    intents: KeywordIntents = field(default=blank("no intents"))
    after_sales: AfterSales = field(default=blank("no after-sales promises"))
    hotline: Hotline = field(default=blank("no hotline"))
    watches: ChannelWatches = field(default=blank("no watched channels"))
    board: MessageBoard = field(default=blank("no message board"))
    outlets: OutletServices = field(default=blank("no service outlets"))
    trainings: TrainingPlan = field(default=blank("no trainings"))
    tools: ToolPlan = field(default=blank("no support tools"))
