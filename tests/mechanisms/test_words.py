"""Terms in two languages (X-08)."""

from __future__ import annotations

import pickle

import pytest

from retention.activity import InteractionKind
from retention.ageing import Trigger
from retention.lifecycle import LifecycleEvent, Stage
from retention.mechanisms.answers import Code
from retention.mechanisms.periods import Unit
from retention.mechanisms.policies import Origin
from retention.mechanisms.ranks import Rounding, Ties
from retention.mechanisms.words import Word
from retention.segmentation import Action, Goal, Layer

ALL = [InteractionKind, Trigger, LifecycleEvent, Stage, Code, Unit, Origin, Rounding, Ties]
ALL += [Action, Goal, Layer]


class Grade(Word):
    HIGH_ACTIVE = "high_active", "高价值活跃客户"
    LOW = "low", "低"


def test_a_word_is_its_code() -> None:
    assert f"{Grade.LOW}" == str(Grade.LOW) == "low"
    assert Grade("high_active") is Grade.HIGH_ACTIVE
    words: dict[str, int] = {Grade.LOW: 1}
    assert words["low"] == 1


def test_a_word_has_a_name_in_both_languages() -> None:
    assert Grade.HIGH_ACTIVE.label() == "high active"
    assert Grade.HIGH_ACTIVE.label("en") == "high active"
    assert Grade.HIGH_ACTIVE.label("zh") == "高价值活跃客户"


def test_a_term_without_a_chinese_name_cannot_be_made() -> None:
    with pytest.raises(TypeError, match="Mute: the term 'quiet' has no Chinese name"):
        type("Mute", (Word,), _body(QUIET="quiet"))
    with pytest.raises(TypeError, match="no Chinese name"):
        type("Mute", (Word,), _body(QUIET=("quiet", "")))


def _body(**members: object) -> dict[str, object]:
    body = type(Word).__prepare__("Mute", (Word,))
    for name, value in members.items():
        body[name] = value
    return body


@pytest.mark.parametrize("words", ALL, ids=lambda words: words.__name__)
def test_every_term_of_the_library_has_both_names(words: type[Word]) -> None:
    for word in words:
        assert word.label("en") == word.value.replace("_", " ")
        assert any("\u4e00" <= letter <= "\u9fff" for letter in word.label("zh"))
        assert pickle.loads(pickle.dumps(word)) is word  # noqa: S301  our own
    assert len({word.zh for word in words}) == len(words)
