"""Keeping reference data in step with the official registers: fetch, compare, apply or ask, roll back.

`protocol.py` says what a source is, `changes.py` compares and writes, `running.py` does a run from
beginning to end, `http.py` speaks to foreign servers. The sources themselves are in `ozgsync/sources/`.
"""
