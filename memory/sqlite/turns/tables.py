"""The tables of what was said."""

from __future__ import annotations

TURNS = (
    # The text itself stands once, in the episode; a row says where.
    """CREATE TABLE turns (
        number INTEGER PRIMARY KEY AUTOINCREMENT, episode INTEGER NOT NULL REFERENCES episodes (sequence) ON DELETE CASCADE,
        tenant TEXT NOT NULL, session TEXT NOT NULL, position INTEGER NOT NULL, step INTEGER NOT NULL, start INTEGER NOT NULL,
        stop INTEGER NOT NULL, speaker TEXT NOT NULL, kind TEXT NOT NULL, created REAL NOT NULL, length INTEGER NOT NULL,
        flags INTEGER NOT NULL, vector BLOB NOT NULL)""",
    "CREATE UNIQUE INDEX turns_by_place ON turns (tenant, session, position)",
    "CREATE INDEX turns_by_episode ON turns (episode)",
    # Its entries end in the row's number: the newest of one tenant are found without reading the others'.
    "CREATE INDEX turns_by_tenant ON turns (tenant)",
    # A term is a digest of tenant and term, so that no list holds two tenants' turns.
    "CREATE TABLE turn_terms (term INTEGER NOT NULL, turn INTEGER NOT NULL REFERENCES turns ON DELETE CASCADE, count INTEGER NOT NULL, "
    "PRIMARY KEY (term, turn)) WITHOUT ROWID",
    "CREATE INDEX turn_terms_by_turn ON turn_terms (turn)",
    "CREATE TABLE turn_counts (tenant TEXT PRIMARY KEY, turns INTEGER NOT NULL, length INTEGER NOT NULL) WITHOUT ROWID",
    """CREATE TRIGGER turn_added AFTER INSERT ON turns BEGIN
        INSERT INTO turn_counts VALUES (new.tenant, 1, new.length)
        ON CONFLICT (tenant) DO UPDATE SET turns = turns + 1, length = length + new.length; END""",
    """CREATE TRIGGER turn_removed AFTER DELETE ON turns BEGIN
        UPDATE turn_counts SET turns = turns - 1, length = length - old.length WHERE tenant = old.tenant;
        DELETE FROM turn_counts WHERE tenant = old.tenant AND turns = 0; END""",
    # What waits to be indexed. Only conversations: what an environment shows is nobody's saying.
    "CREATE TABLE unindexed (episode INTEGER PRIMARY KEY REFERENCES episodes (sequence) ON DELETE CASCADE)",
    "INSERT INTO unindexed SELECT sequence FROM episodes WHERE environment = 'chat'",
    """CREATE TRIGGER episode_said AFTER INSERT ON episodes WHEN new.environment = 'chat' BEGIN
        INSERT INTO unindexed VALUES (new.sequence); END""",
    """CREATE TRIGGER episode_said_otherwise AFTER UPDATE OF body ON episodes
        WHEN new.environment = 'chat' AND json_extract(old.body, '$.steps') IS NOT json_extract(new.body, '$.steps') BEGIN
        DELETE FROM turns WHERE episode = new.sequence; INSERT OR IGNORE INTO unindexed VALUES (new.sequence); END""",
)
