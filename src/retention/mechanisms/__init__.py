"""The few mechanisms that every rule of a handbook is made of.

Read them in this order, each stands on the ones before: ``words``, ``errors``, ``answers``,
``policies``, ``periods``, ``rules``, ``machines``, ``ranks``, ``decisions``.
"""
