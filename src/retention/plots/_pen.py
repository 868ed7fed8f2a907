"""The pen of a picture: the axes, the language, and letters that its fonts can write."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from attrs import frozen
from matplotlib import font_manager
from matplotlib.text import Text

from retention.mechanisms.decisions import said
from retention.mechanisms.errors import RetentionWarning
from retention.mechanisms.tables import Head, checked, columns_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from retention.mechanisms.outcomes import Movement
    from retention.mechanisms.words import Language

CHINESE_FONTS = (
    "WenQuanYi Micro Hei",
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "Microsoft YaHei",
    "PingFang SC",
    "Hiragino Sans GB",
    "SimHei",
    "WenQuanYi Zen Hei",
    "Droid Sans Fallback",
    "Arial Unicode MS",
)
"""Families that have Chinese letters, the first that is installed is taken."""

LINE = 1.35  # distance of lines, in the height of letters
LEAST = 4.5  # points; smaller letters are not read
SHRINKS = 0.85  # what the layout leaves of the axes when all labels stand
_LETTER = 0.62  # width of a Latin letter, in its height
_PHRASES = {
    "by": ("{what} by {axis}, {day}", "{day} 各{axis}的{what}"),
    "rfm": (
        "Customers by recency, frequency and monetary value, {day}",
        "{day} 按最近购买、购买频次、消费金额的客户数",
    ),
    "bands": ("{what}: band 1 is the best", "{what}（1 档为最高档）"),
    "moved": ("{moved} of {all} customers changed {axis}", "{all} 位客户中 {moved} 位{axis}变动"),
    "flow": ("Customers by {axis}, {before} to {after}", "{before} 至 {after} 各{axis}的客户数"),
    "over_time": ("Customers by {axis}", "各{axis}的客户数"),
    "at": ("{what}, {day}", "{what}（{day}）"),
    "nobody": ("no customers", "没有客户"),
}


@frozen
class Pen:
    """The axes, the language that their fonts can write, and families for the letters."""

    ax: Axes
    language: Language
    families: tuple[str, ...]  # empty: those of the axes will do
    known: frozenset[Text]  # what stood on the axes before

    def say(self, phrase: str, **values: object) -> str:
        return _PHRASES[phrase][self.language == "zh"].format(**values)

    def head(self, head: Head) -> str:
        return head.label(self.language)

    def name(self, outcome: object) -> str:
        return self.head(Head.NOT_KNOWN) if outcome is None else said(outcome, self.language)

    def title(self, text: str) -> None:
        """Set the title, in as many lines as the axes ask for."""
        self.ax.set_title(_folded(text, 1.2 * self.points[0]))

    def done(self) -> Axes:
        """Give the new letters their fonts and hand the axes back."""
        for text in self.ax.findobj(Text) if self.families else ():
            if text not in self.known:
                text.set_fontfamily(list(self.families))
        return self.ax

    def nobody(self) -> Axes:
        """Say that there is nothing to draw."""
        self.ax.set_xticks([])
        self.ax.set_yticks([])
        middle: dict[str, Any] = {"ha": "center", "va": "center", "transform": self.ax.transAxes}
        self.ax.text(0.5, 0.5, self.say("nobody"), **middle)
        return self.done()

    @property
    def points(self) -> tuple[float, float]:
        """Width and height of the axes, in points."""
        box = self.ax.get_window_extent()
        scale = 72 / self.ax.figure.dpi
        return box.width * scale, box.height * scale


def size_now() -> float:
    """Height of ordinary letters, in points."""
    return font_manager.FontProperties(size=mpl.rcParams["font.size"]).get_size_in_points()


def width(texts: Iterable[str]) -> float:
    """Width of the longest text, in points, guessed on the safe side."""
    return size_now() * max((sum(map(_wide, text)) for text in texts), default=0)


def _wide(letter: str) -> float:
    return 1.05 if columns_of(letter) > 1 else _LETTER


def _folded(text: str, room: float) -> str:
    """Break a text into lines that fit, between words or Chinese letters."""
    lines = [""]
    for piece in re.findall(r"[^\s\u2e80-\uffef]+\s*|[\s\u2e80-\uffef]", text):
        if lines[-1] and 1.2 * width([(lines[-1] + piece).rstrip()]) > room:
            lines.append("")
        lines[-1] += piece
    return "\n".join(line.rstrip() for line in lines)


def pen_for(
    ax: Axes | None, language: Language, outcomes: Iterable[object], size: tuple[float, float]
) -> Pen:
    """Take the axes or make some, and see which language can be written."""
    outcomes = list(outcomes)
    wanted = _letters(outcomes, checked(language))
    families = _families(wanted)
    if families is None:
        text = "".join(sorted(wanted))[:12]
        warnings.warn(
            f"no font that matplotlib knows can write {text}: install fonts-wqy-microhei or "
            "Noto Sans CJK SC and empty the font cache of matplotlib; labels are in English",
            RetentionWarning,
            stacklevel=3,
        )
        language = "en"
    if ax is None:
        from matplotlib import pyplot as plt

        _, ax = plt.subplots(figsize=size, layout="constrained")
    return Pen(ax, language, families or (), frozenset(ax.texts))


def _letters(outcomes: Iterable[object], language: Language) -> set[str]:
    """Letters beyond Latin that a picture will show."""
    said_there = [said(each, language) for each in outcomes]
    said_here = [*(x[1] for x in _PHRASES.values()), *(x.zh for x in Head)]
    texts = said_there + (said_here if language == "zh" else [])
    return {letter for letter in "".join(texts) if columns_of(letter) > 1}


def _families(letters: set[str]) -> tuple[str, ...] | None:
    """Families that write all letters, those in force first; None if there is none."""
    ours = [*mpl.rcParams["font.family"]]
    missing = letters - _writes(ours)
    if not missing:
        return ()
    installed = {font.name for font in font_manager.fontManager.ttflist}
    for family in CHINESE_FONTS:
        if family in installed and missing <= _writes([family]):
            return (*ours, family)
    return None


def _writes(families: Sequence[str]) -> set[str]:
    """Letters that some families have."""
    asked = [font_manager.FontProperties(family=[family]) for family in families]
    paths = {font_manager.findfont(each) for each in asked}
    return {chr(code) for path in paths for code in font_manager.get_font(path).get_charmap()}


def bare(ax: Axes) -> None:
    """Leave out the lines that no figure stands on."""
    ax.spines[["top", "right"]].set_visible(False)


def side_name(pen: Pen, head: Head, movement: Movement[Any]) -> str:
    """Return what one side of a movement is called: before or after, and the day."""
    side = movement.before if head is Head.BEFORE else movement.after
    return pen.say("at", what=pen.head(head), day=side.as_of.day)
