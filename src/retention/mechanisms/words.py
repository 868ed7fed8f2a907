"""Terms of the handbooks in two languages (X-08).

The code of a term is its value and the handbook's word; English and Chinese names stand
beside it. Sentences are not kept here: errors and answers own theirs.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, Self

Language = Literal["en", "zh"]


class Word(StrEnum):
    """An enumeration whose members have an English and a Chinese name.

    >>> class Grade(Word):
    ...     HIGH_ACTIVE = "high_active", "高价值活跃客户"
    >>> Grade.HIGH_ACTIVE.label("zh"), Grade.HIGH_ACTIVE.label(), Grade("high_active").name
    ('高价值活跃客户', 'high active', 'HIGH_ACTIVE')
    """

    zh: str
    _heading_zh: str  # of the enumeration itself

    def __init_subclass__(cls, zh: str = "结果") -> None:
        """Keep the Chinese name of the enumeration itself."""
        super().__init_subclass__()
        cls._heading_zh = zh

    def __new__(cls, code: str, zh: str = "") -> Self:
        """Make a member from its code and its Chinese name, which no term may lack."""
        if not zh:
            message = f"{cls.__name__}: the term {code!r} has no Chinese name"
            raise TypeError(message)
        word = str.__new__(cls, code)
        word._value_ = code
        word.zh = zh
        return word

    @classmethod
    def heading(cls, language: Language = "en") -> str:
        """Name of the enumeration itself, as it stands above a column.

        >>> class SpendGrade(Word, zh="消费等级"):
        ...     GOLD = "gold", "金卡"
        >>> SpendGrade.heading(), SpendGrade.heading("zh")
        ('spend grade', '消费等级')
        """
        words = "".join(f" {c.lower()}" if c.isupper() else c for c in cls.__name__)
        return cls._heading_zh if language == "zh" else words.strip()

    def label(self, language: Language = "en") -> str:
        """Name for people: the code with spaces in English, the handbook's term in Chinese."""
        return self.zh if language == "zh" else self.value.replace("_", " ")
