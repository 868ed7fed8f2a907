"""Every phrase of a report, in English and Chinese."""

from collections.abc import Mapping

from retention.mechanisms.tables import Head

PHRASES: Mapping[str, tuple[str, str]] = {
    **{head.value: (head.label("en"), head.label("zh")) for head in Head},
    # what stands above
    "as_of": ("as of {day}", "截至 {day}"),
    "fingerprint": (
        "handbook {name}, fingerprint {fingerprint}",
        "制度 {name}，指纹 {fingerprint}",
    ),
    "contents": ("Contents", "目录"),
    # what is counted
    "purchases": ("purchases", "购买次数"),
    # layers and stages
    "layer": ("layer", "客户层级"),
    "layers": ("Maintenance layers", "客户维护层级"),
    "stage": ("stage", "生命周期阶段"),
    "stages": ("Lifecycle stages", "客户生命周期阶段"),
    "rule": ("who belongs here", "判定规则"),
    "no_goal": ("the handbook names none", "制度未规定"),
    "otherwise": ("everybody else", "其余客户"),
    "order": (
        "The first line whose rule holds decides, from top to bottom.",
        "自上而下，首个满足规则的即为结果。",
    ),
    "headed": ("{head}: {text}", "{head}：{text}"),
    # RFM
    "rfm": ("Recency, frequency, monetary value", "RFM 分析"),
    "rfm_note": (
        "Customers per cell; a stronger shade holds more. Band 1 is the best.",
        "每格为客户数，底色越重客户越多；1 档为最高档。",
    ),
    "bands": ("What the bands mean", "分档说明"),
    # time
    "timeline": ("Stages at month ends", "各月末客户阶段"),
    "movement": ("Who moved since {day}", "自 {day} 以来的变动"),
    "moved_layers": (
        "{moved} of {all} customers ({share}) changed layer.",
        "{all} 位客户中有 {moved} 位（{share}）层级发生变化。",
    ),
    "moved_stages": (
        "{moved} of {all} customers ({share}) changed stage.",
        "{all} 位客户中有 {moved} 位（{share}）阶段发生变化。",
    ),
    "row_share": (
        "Percentages are shares of the line. Whoever stayed is not shaded.",
        "百分比为占该行的比例；未变动者不着色。",
    ),
    "layers_from_to": ("Layers: from {before} to {now}", "层级：{before} 至 {now}"),
    "stages_from_to": ("Stages: from {before} to {now}", "阶段：{before} 至 {now}"),
    "due": ("Due within {days} days", "{days} 天内到期"),
    "due_note": (
        "Stages that change by {day} unless a purchase or an interaction comes first.",
        "若之前无购买或互动，到 {day} 为止将变更的阶段。",
    ),
    "due_days": ("Changes per day", "每日变更"),
    "due_none": ("Nothing falls due.", "没有到期项。"),
    # customers
    "explained": ("Ten customers, and why", "十位客户及其原因"),
    "explained_note": (
        "The largest spenders of every layer in turn.",
        "依次取各层级中消费最高的客户。",
    ),
    "because": ("{axis} {outcome}, because", "{axis}：{outcome}，因为"),
    "no_other": ("no other rule holds", "其余规则均不满足"),
    "not": ("not {outcome}:", "不是{outcome}："),
    "next": (
        "next: {day} {left} → {entered}, unless a purchase or an interaction comes first",
        "下一步：{day} {left} → {entered}，除非之前有购买或互动",
    ),
    "never": ("next: nothing changes by itself", "下一步：不会自行变更"),
    # what to know before trusting it
    "assumed": ("Assumed, because the handbook is silent", "制度未规定而假定的值"),
    "path": ("value", "项目"),
    "value": ("assumed as", "假定值"),
    "source": ("instead of", "依据"),
    "assumed_none": ("Nothing is assumed.", "没有假定值。"),
    "problems": ("Set aside and left out", "剔除与未计入"),
    "problems_none": ("No row was set aside.", "没有被剔除的行。"),
    "left_out": (
        "Facts after {day} that are not counted: {number}.",
        "{day} 之后未计入的记录：{number} 条。",
    ),
}  # fmt: skip
"""English first; braces are filled with what the report knows."""
