"""Requests over tables, answered in SQL and executed by SQLite: generated ones, and those of LifelongAgentBench."""
