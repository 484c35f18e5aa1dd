"""Where tasks come from: environments, and the streams that compose them.

An `Environment` hands out tasks, runs an episode with Gymnasium's `reset` and `step`, speaks text, judges, and
has an expert that demonstrates. All members here are `gymnasium.Env`s and are loaded when first asked for.

- `DatabaseEnvironment`: requests over generated tables, answered in SQL, judged in SQLite.
- `GraphEnvironment`: questions about generated knowledge graphs, answered in SPARQL.
- `NavigationEnvironment`: BabyAI rooms described in text, one move at a time.
- `ObjectNavGridEnvironment`: find objects in several rooms with doors; goal categories are taught in stages (`envs.navigation.streams`).
- `ObjectNav3DEnvironment`: the same in furnished rooms, with pictures and depth by a camera.
- `TicketEnvironment`, `TicketMenuEnvironment`: tickets worked with four tools over several turns, by text or from a menu.
- `LabDatabaseEnvironment`: the database tasks of LifelongAgentBench, from a data directory.

A `Stream` puts `Block`s of them one after another, or mixes them. A new environment is one file that fulfils
`Environment`, and one line in `MEMBERS`; `lifelong.checks.environment` checks it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .environment import Demonstration, Environment, Exchangeable, History, Split, exchangeable, find_environment, history_of
from .make import make_all, make_environment

if TYPE_CHECKING:
    from .database.environment import DatabaseEnvironment
    from .database.lab_db import LabDatabaseEnvironment
    from .graph.environment import GraphEnvironment
    from .navigation.babyai import NavigationEnvironment
    from .navigation.objectnav_3d import ObjectNav3DEnvironment
    from .navigation.objectnav_grid import ObjectNavGridEnvironment
    from .stream import Block, Item, Order, Stream, schedule
    from .tools.environment import TicketEnvironment, TicketMenuEnvironment

MEMBERS = {
    "database-v1": "database.environment:DatabaseEnvironment",
    "graph-v1": "graph.environment:GraphEnvironment",
    "navigation-v1": "navigation.babyai:NavigationEnvironment",
    "objectnav-grid-v1": "navigation.objectnav_grid:ObjectNavGridEnvironment",
    "objectnav-3d-v1": "navigation.objectnav_3d:ObjectNav3DEnvironment",
    "lab-db-v1": "database.lab_db:LabDatabaseEnvironment",
    "tickets-v1": "tools.environment:TicketEnvironment",
    "tickets-menu-v1": "tools.environment:TicketMenuEnvironment",
}
"""Environments by id; a name without its version means the newest. Each is made with `data`, the data directory, where it reads one."""

_FACE = {
    "DatabaseEnvironment": "database.environment",
    "GraphEnvironment": "graph.environment",
    "LabDatabaseEnvironment": "database.lab_db",
    "NavigationEnvironment": "navigation.babyai",
    "ObjectNav3DEnvironment": "navigation.objectnav_3d",
    "ObjectNavGridEnvironment": "navigation.objectnav_grid",
    "TicketEnvironment": "tools.environment",
    "TicketMenuEnvironment": "tools.environment",
    "Block": "stream",
    "Item": "stream",
    "Order": "stream",
    "Stream": "stream",
    "schedule": "stream",
}

__all__ = [
    "MEMBERS",
    "Block",
    "DatabaseEnvironment",
    "Demonstration",
    "Environment",
    "Exchangeable",
    "GraphEnvironment",
    "History",
    "Item",
    "LabDatabaseEnvironment",
    "NavigationEnvironment",
    "ObjectNav3DEnvironment",
    "ObjectNavGridEnvironment",
    "Order",
    "Split",
    "Stream",
    "TicketEnvironment",
    "TicketMenuEnvironment",
    "exchangeable",
    "find_environment",
    "history_of",
    "make_all",
    "make_environment",
    "schedule",
]


def __getattr__(name: str) -> Any:
    if name in _FACE:
        return getattr(import_module(f".{_FACE[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
