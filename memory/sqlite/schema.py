"""The tables of the record."""

from __future__ import annotations

TABLES = (
    # AUTOINCREMENT never uses a number twice: (rows, last) of a tenant then names the exact set of its rows.
    """CREATE TABLE episodes (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, tenant TEXT NOT NULL, skill TEXT NOT NULL,
        source TEXT NOT NULL, success INTEGER, trusted INTEGER NOT NULL, trainable INTEGER NOT NULL, control INTEGER NOT NULL,
        offered INTEGER NOT NULL, body TEXT NOT NULL)""",
    "CREATE INDEX episodes_by_skill ON episodes (tenant, skill, offered, control, trusted, success)",
    "CREATE INDEX episodes_by_use ON episodes (tenant, trainable, skill)",
    # Apart from the episodes, so that reading all vectors does not read all texts.
    "CREATE TABLE vectors (sequence INTEGER PRIMARY KEY REFERENCES episodes ON DELETE CASCADE, vector BLOB NOT NULL)",
    "CREATE TABLE tenants (tenant TEXT PRIMARY KEY, episodes INTEGER NOT NULL, last INTEGER NOT NULL)",
    """CREATE TRIGGER episode_added AFTER INSERT ON episodes BEGIN
        INSERT INTO tenants VALUES (new.tenant, 1, new.sequence)
        ON CONFLICT (tenant) DO UPDATE SET episodes = episodes + 1, last = new.sequence; END""",
    """CREATE TRIGGER episode_removed AFTER DELETE ON episodes BEGIN
        UPDATE tenants SET episodes = episodes - 1 WHERE tenant = old.tenant;
        DELETE FROM tenants WHERE tenant = old.tenant AND episodes = 0; END""",
    # What an episode's prompt showed. No foreign key: what was shown may have left the budget since.
    "CREATE TABLE shown (episode TEXT NOT NULL REFERENCES episodes (id) ON DELETE CASCADE, cited TEXT NOT NULL, "
    "PRIMARY KEY (cited, episode)) WITHOUT ROWID",
    "CREATE INDEX shown_by_episode ON shown (episode)",
    """CREATE TABLE lessons (
        id TEXT PRIMARY KEY, tenant TEXT NOT NULL, skill TEXT NOT NULL, status TEXT NOT NULL,
        helped INTEGER NOT NULL, harmed INTEGER NOT NULL, text TEXT NOT NULL, author TEXT NOT NULL)""",
    "CREATE INDEX lessons_by_skill ON lessons (tenant, skill, status)",
    # Provenance has foreign keys without cascade: nothing that is evidence can vanish under what it proves.
    "CREATE TABLE lesson_episodes (lesson TEXT NOT NULL REFERENCES lessons ON DELETE CASCADE, "
    "episode TEXT NOT NULL REFERENCES episodes (id), PRIMARY KEY (episode, lesson)) WITHOUT ROWID",
    "CREATE INDEX lesson_episodes_by_lesson ON lesson_episodes (lesson)",
    "CREATE TABLE adapters (name TEXT PRIMARY KEY, tenant TEXT NOT NULL, status TEXT NOT NULL, body TEXT NOT NULL)",
    "CREATE TABLE adapter_episodes (adapter TEXT NOT NULL REFERENCES adapters ON DELETE CASCADE, "
    "episode TEXT NOT NULL REFERENCES episodes (id), PRIMARY KEY (episode, adapter)) WITHOUT ROWID",
    "CREATE TABLE adapter_lessons (adapter TEXT NOT NULL REFERENCES adapters ON DELETE CASCADE, "
    "lesson TEXT NOT NULL REFERENCES lessons, PRIMARY KEY (lesson, adapter)) WITHOUT ROWID",
    "CREATE INDEX adapter_episodes_by_adapter ON adapter_episodes (adapter)",
    "CREATE INDEX adapter_lessons_by_adapter ON adapter_lessons (adapter)",
    "CREATE TABLE names (prefix TEXT PRIMARY KEY, last INTEGER NOT NULL)",
    "CREATE TABLE routes (tenant TEXT NOT NULL, skill TEXT NOT NULL, adapter TEXT NOT NULL REFERENCES adapters, "
    "PRIMARY KEY (tenant, skill)) WITHOUT ROWID",
    """CREATE TABLE route_history (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT, tenant TEXT NOT NULL, skill TEXT NOT NULL, adapter TEXT NOT NULL,
        previous TEXT NOT NULL)""",
    "CREATE TABLE journal (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE receipts (id TEXT PRIMARY KEY, created REAL NOT NULL, body TEXT NOT NULL)",
)

CUES = (
    "CREATE TABLE cue_memories (tenant TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID",
    # No foreign key: these episodes have left the budget, and their names stay so that they can be forgotten (law 7).
    "CREATE TABLE cue_episodes (tenant TEXT NOT NULL, batch INTEGER NOT NULL, episode TEXT NOT NULL, skill TEXT NOT NULL, "
    "PRIMARY KEY (tenant, batch, episode)) WITHOUT ROWID",
    "CREATE INDEX cue_episodes_by_episode ON cue_episodes (episode)",
)

NAMES = ("ALTER TABLE episodes RENAME COLUMN source TO environment",)

STEPS = (TABLES, CUES, NAMES)
"""What makes each format of the file out of the one before."""

VERSION = len(STEPS)
"""Format of the file, kept in `PRAGMA user_version`."""
