"""Speed and memory beside the peers: ``python -m benchmarks [NAME ...] [--json] [--growth]``.

Each file that holds ``WORKS`` adds rows to the table; nothing else needs to know of it.
"""
