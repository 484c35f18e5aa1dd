"""The tables of the record."""

from __future__ import annotations

import sqlite3

from ...core.plain import valid_json
from .digests import message_digest, without_text_digest

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
    # No foreign key: these episodes have left the budget, and their names stay so that they can be forgotten (invariant Provenance).
    "CREATE TABLE cue_episodes (tenant TEXT NOT NULL, batch INTEGER NOT NULL, episode TEXT NOT NULL, skill TEXT NOT NULL, "
    "PRIMARY KEY (tenant, batch, episode)) WITHOUT ROWID",
    "CREATE INDEX cue_episodes_by_episode ON cue_episodes (episode)",
)

NAMES = ("ALTER TABLE episodes RENAME COLUMN source TO environment",)

UPKEEP = (
    "ALTER TABLE episodes ADD COLUMN demonstration INTEGER NOT NULL DEFAULT 0",
    "UPDATE episodes SET demonstration = 1 "
    "WHERE coalesce(json_extract(body, '$.demonstration'), 0) OR json_extract(body, '$.model') = 'expert'",
    "CREATE INDEX episodes_unjudged ON episodes (tenant) WHERE success IS NULL",
    # Kept by the transaction that files an episode, so that no request has to read all rows to learn a few names.
    "CREATE TABLE skills (tenant TEXT NOT NULL, skill TEXT NOT NULL, episodes INTEGER NOT NULL, PRIMARY KEY (tenant, skill)) WITHOUT ROWID",
    "INSERT INTO skills SELECT tenant, skill, count(*) FROM episodes WHERE skill != '' GROUP BY tenant, skill",
    """CREATE TRIGGER skill_added AFTER INSERT ON episodes WHEN new.skill != '' BEGIN
        INSERT INTO skills VALUES (new.tenant, new.skill, 1)
        ON CONFLICT (tenant, skill) DO UPDATE SET episodes = episodes + 1; END""",
    """CREATE TRIGGER skill_removed AFTER DELETE ON episodes WHEN old.skill != '' BEGIN
        UPDATE skills SET episodes = episodes - 1 WHERE tenant = old.tenant AND skill = old.skill;
        DELETE FROM skills WHERE tenant = old.tenant AND skill = old.skill AND episodes = 0; END""",
    """CREATE TRIGGER skill_changed AFTER UPDATE OF skill ON episodes WHEN old.skill != new.skill BEGIN
        INSERT INTO skills SELECT new.tenant, new.skill, 1 WHERE new.skill != ''
        ON CONFLICT (tenant, skill) DO UPDATE SET episodes = episodes + 1;
        UPDATE skills SET episodes = episodes - 1 WHERE tenant = old.tenant AND skill = old.skill;
        DELETE FROM skills WHERE tenant = old.tenant AND skill = old.skill AND episodes = 0; END""",
    # A bucket and not a name: the counter outlives its tenant and must not name it.
    "CREATE TABLE generations (bucket INTEGER PRIMARY KEY, changes INTEGER NOT NULL)",
    # What an episode repeats of earlier turns, as digests of single messages: copies are found without reading all texts.
    "CREATE TABLE quoted (digest INTEGER NOT NULL, episode TEXT NOT NULL REFERENCES episodes (id) ON DELETE CASCADE, "
    "PRIMARY KEY (digest, episode)) WITHOUT ROWID",
    "CREATE INDEX quoted_by_episode ON quoted (episode)",
    "INSERT OR IGNORE INTO quoted SELECT message_digest(json_extract(step.value, '$.text')), episodes.id FROM episodes, "
    "json_each(body, '$.steps') AS step WHERE json_extract(step.value, '$.step') IN ('observation', 'action') "
    "AND message_digest(json_extract(step.value, '$.text')) IS NOT NULL",
    "CREATE TABLE erasures (id TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID",
)

LOG = (
    # Its entries end in the row number, so that the rows of one tenant after a number are found without reading the others'.
    "CREATE INDEX episodes_by_tenant ON episodes (tenant)",
    # What a cache of older rows has to read again: rows filed for the first time, and rows judged. One entry a row and kind.
    "CREATE TABLE changes (number INTEGER PRIMARY KEY AUTOINCREMENT, tenant TEXT NOT NULL, sequence INTEGER NOT NULL, kind TEXT NOT NULL)",
    "CREATE INDEX changes_by_tenant ON changes (tenant)",
    "CREATE INDEX changes_by_row ON changes (sequence)",
    """CREATE TRIGGER change_removed AFTER DELETE ON episodes BEGIN
        DELETE FROM changes WHERE sequence = old.sequence; END""",
    """CREATE TRIGGER episode_filed AFTER UPDATE OF skill ON episodes WHEN old.skill = '' AND new.skill != '' BEGIN
        DELETE FROM changes WHERE sequence = new.sequence AND kind = 'filed';
        INSERT INTO changes (tenant, sequence, kind) VALUES (new.tenant, new.sequence, 'filed'); END""",
    """CREATE TRIGGER episode_judged AFTER UPDATE OF success, trusted ON episodes
        WHEN old.success IS NOT new.success OR old.trusted != new.trusted BEGIN
        DELETE FROM changes WHERE sequence = new.sequence AND kind = 'judged';
        INSERT INTO changes (tenant, sequence, kind) VALUES (new.tenant, new.sequence, 'judged'); END""",
)

STATE = (
    """CREATE TABLE run_state (
        kind TEXT NOT NULL, tenant TEXT NOT NULL, skill TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL,
        PRIMARY KEY (kind, tenant, skill, id)) WITHOUT ROWID""",
    # The mark goes with the episode, so that what was erased or compressed is never counted as learned.
    "CREATE TABLE learned (episode TEXT PRIMARY KEY REFERENCES episodes (id) ON DELETE CASCADE) WITHOUT ROWID",
    "INSERT INTO run_state SELECT 'home', '', '', '', json_object('encoder', json_extract(value, '$')) FROM journal WHERE key = 'encoder'",
    "INSERT INTO run_state SELECT 'discover_counts', substr(key, 10), '', '', value FROM journal WHERE key GLOB 'discover/*'",
    "INSERT INTO run_state SELECT 'relabel_count', substr(key, 15), '', '', json_object('count', json_extract(value, '$')) FROM journal "
    "WHERE key GLOB 'relabel_count/*'",
    "INSERT OR IGNORE INTO run_state SELECT 'sleep_report', json_extract(value, '$.tenant'), "
    "coalesce(json_extract(value, '$.skill'), json_extract(value, '$.kind')), printf('%06d', json_extract(value, '$.number')), "
    "json_set(value, '$.state', iif(json_extract(value, '$.published'), 'published', 'rejected')) FROM journal "
    "WHERE key GLOB 'night/[0-9]*' AND json_extract(value, '$.tenant') IS NOT NULL",
    # A promised erasure is kept; a night that had begun is not, since it begins again by itself with whatever is there.
    "INSERT INTO run_state SELECT 'pending_erasure', '', '', json_extract(value, '$.id'), "
    "json_set(value, '$.episodes', json_extract(value, '$.ids'), '$.planned', json_type(value, '$.tenants') IS NOT NULL) FROM journal "
    "WHERE key = 'forget/pending'",
    "INSERT INTO learned SELECT id FROM episodes WHERE trainable = 1 "
    "AND EXISTS (SELECT 1 FROM journal WHERE key = 'learned/' || tenant || '/' || skill)",
    "DROP TABLE journal",
)

_COUNTED = """
    INSERT INTO tallies VALUES (new.tenant, new.skill, new.control, new.offered AND new.trusted, coalesce(new.success, -1), 1)
    ON CONFLICT (tenant, skill, control, comparable, success) DO UPDATE SET episodes = episodes + 1;"""
_UNCOUNTED = """
    UPDATE tallies SET episodes = episodes - 1 WHERE tenant = old.tenant AND skill = old.skill AND control = old.control
    AND comparable = (old.offered AND old.trusted) AND success = coalesce(old.success, -1);
    DELETE FROM tallies WHERE tenant = old.tenant AND skill = old.skill AND control = old.control
    AND comparable = (old.offered AND old.trusted) AND success = coalesce(old.success, -1) AND episodes = 0;"""

TALLIES = (
    # What a cache of verified rows has to read again. One entry a row.
    """CREATE TRIGGER episode_verified AFTER UPDATE OF trainable ON episodes WHEN new.trainable AND NOT old.trainable BEGIN
        DELETE FROM changes WHERE sequence = new.sequence AND kind = 'verified';
        INSERT INTO changes (tenant, sequence, kind) VALUES (new.tenant, new.sequence, 'verified'); END""",
    # How many episodes there are of each kind that somebody asks for, kept by the transaction that changes one.
    """CREATE TABLE tallies (
        tenant TEXT NOT NULL, skill TEXT NOT NULL, control INTEGER NOT NULL, comparable INTEGER NOT NULL, success INTEGER NOT NULL,
        episodes INTEGER NOT NULL, PRIMARY KEY (tenant, skill, control, comparable, success)) WITHOUT ROWID""",
    "INSERT INTO tallies SELECT tenant, skill, control, offered AND trusted, coalesce(success, -1), count(*) FROM episodes "
    "GROUP BY 1, 2, 3, 4, 5",
    "DROP INDEX episodes_unjudged",
    # Its entries end in the row number, so that the newest of a rare skill are found without looking at the others.
    "CREATE INDEX episodes_in_skill ON episodes (tenant, skill)",
    f"CREATE TRIGGER tally_added AFTER INSERT ON episodes BEGIN {_COUNTED} END",
    f"CREATE TRIGGER tally_removed AFTER DELETE ON episodes BEGIN {_UNCOUNTED} END",
    f"""CREATE TRIGGER tally_changed AFTER UPDATE OF tenant, skill, control, offered, trusted, success ON episodes
        WHEN old.tenant != new.tenant OR old.skill != new.skill OR old.control != new.control OR old.offered != new.offered
        OR old.trusted != new.trusted OR old.success IS NOT new.success BEGIN {_UNCOUNTED} {_COUNTED} END""",
)

ERASURES = (
    "INSERT INTO erasures SELECT id, json_set(body, '$.id', id) FROM run_state WHERE kind = 'pending_erasure'",
    "DELETE FROM run_state WHERE kind = 'pending_erasure'",
    "CREATE INDEX episodes_demonstrated ON episodes (tenant) WHERE demonstration",
)

RUNS = (
    # Runs under way: the head once, and every step in a row of its own.
    """CREATE TABLE open_runs (
        id TEXT PRIMARY KEY, tenant TEXT NOT NULL, skill TEXT NOT NULL, session TEXT NOT NULL, created REAL NOT NULL, body TEXT NOT NULL,
        vector BLOB NOT NULL) WITHOUT ROWID""",
    "CREATE INDEX open_runs_by_session ON open_runs (tenant, session, created)",
    "CREATE TABLE run_steps (run TEXT NOT NULL REFERENCES open_runs ON DELETE CASCADE, position INTEGER NOT NULL, at REAL NOT NULL, "
    "body TEXT NOT NULL, usage TEXT, PRIMARY KEY (run, position)) WITHOUT ROWID",
    "ALTER TABLE episodes ADD COLUMN session TEXT NOT NULL DEFAULT ''",
    "UPDATE episodes SET session = json_extract(body, '$.task.session') "
    "WHERE json_valid(body) AND json_extract(body, '$.task.session') IS NOT NULL",
    "CREATE INDEX episodes_by_session ON episodes (tenant, session) WHERE session != ''",
)

COMPRESSED = (
    # Provenance of episodes that have left the budget: ids and digests alone, so that an erasure reaches what came after them.
    "CREATE TABLE compressed (episode TEXT PRIMARY KEY, tenant TEXT NOT NULL, sequence INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE INDEX compressed_by_tenant ON compressed (tenant)",
    # `shown`: the id of what stood in its prompt; `quoted`, `request`, `answer`: digests of its messages (earlier turns, own, generated);
    # `emptied`: its answer rested on something that was erased since.
    "CREATE TABLE compressed_links (episode TEXT NOT NULL REFERENCES compressed ON DELETE CASCADE, kind TEXT NOT NULL, "
    "target NOT NULL, PRIMARY KEY (kind, target, episode)) WITHOUT ROWID",
    "CREATE INDEX compressed_links_by_episode ON compressed_links (episode)",
    "INSERT OR IGNORE INTO compressed SELECT episode, tenant, 0 FROM cue_episodes",
)

SIGHT = (
    # Whether a run under way was shown something that was erased since: whoever acts may still hold it, so that nothing it says is kept.
    "ALTER TABLE open_runs ADD COLUMN emptied INTEGER NOT NULL DEFAULT 0",
)

SESSIONS = (
    # Prefixes of conversations as running hashes: no text of theirs, but for what memory showed beside a message.
    """CREATE TABLE session_nodes (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT, tenant TEXT NOT NULL, hash BLOB NOT NULL, session TEXT NOT NULL, run TEXT NOT NULL,
        position INTEGER NOT NULL, leaf INTEGER NOT NULL, block TEXT NOT NULL, UNIQUE (tenant, hash, session))""",
    "CREATE INDEX session_nodes_by_session ON session_nodes (tenant, session)",
    "CREATE INDEX session_nodes_by_run ON session_nodes (run)",
    "CREATE TABLE session_answers (tenant TEXT NOT NULL, id TEXT NOT NULL, session TEXT NOT NULL, hash BLOB NOT NULL, "
    "PRIMARY KEY (tenant, id)) WITHOUT ROWID",
    "CREATE INDEX session_answers_by_id ON session_answers (id)",
    "CREATE TABLE session_calls (tenant TEXT NOT NULL, opening INTEGER NOT NULL, session TEXT NOT NULL, hash BLOB NOT NULL, "
    "PRIMARY KEY (tenant, opening)) WITHOUT ROWID",
)

_CHANGED = """CREATE TRIGGER episode_changed AFTER UPDATE OF body ON episodes WHEN new.environment = 'chat' BEGIN
        INSERT OR IGNORE INTO unindexed VALUES (new.sequence); END"""

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
    _CHANGED,
)

NUMBERS = (
    # The likelihood of a server that tells none was written in a way that SQLite does not read.
    "UPDATE episodes SET body = valid_json(body) WHERE NOT json_valid(body)",
    "UPDATE episodes SET session = json_extract(body, '$.task.session') "
    "WHERE session = '' AND json_valid(body) AND json_extract(body, '$.task.session') IS NOT NULL",
)

SAYINGS = (
    # What somebody says again and again has one embedding and one list of terms: the rows that repeat it have an empty vector. 0: not
    # compared, as in rows of older formats.
    "ALTER TABLE turns ADD COLUMN saying INTEGER NOT NULL DEFAULT 0",
    "CREATE INDEX turns_by_saying ON turns (saying, created) WHERE saying != 0",
    # Where the row that stood for a saying goes, the next that repeats it is read again and stands for it. Rows of an episode that is
    # being deleted are still there then, and the episode is not.
    """CREATE TRIGGER saying_removed AFTER DELETE ON turns WHEN old.saying != 0
        AND NOT EXISTS (SELECT 1 FROM turns WHERE saying = old.saying AND saying != 0 AND vector != x'') BEGIN
        INSERT OR IGNORE INTO unindexed SELECT episode FROM turns WHERE saying = old.saying AND saying != 0
        AND EXISTS (SELECT 1 FROM episodes WHERE sequence = turns.episode) LIMIT 1; END""",
    # A few words that are indexed with the question before them (flag 8) are read again without it.
    """CREATE TRIGGER question_removed AFTER DELETE ON turns BEGIN
        INSERT OR IGNORE INTO unindexed SELECT episode FROM turns
        WHERE tenant = old.tenant AND session = old.session AND position = old.position + 1 AND flags & 8
        AND EXISTS (SELECT 1 FROM episodes WHERE sequence = turns.episode); END""",
)

DRAWN = (
    # The ids of chats were digests of what was said, from which a guess could be confirmed after an erasure. No turn changes by this.
    "DROP TRIGGER episode_changed",
    "UPDATE episodes SET body = without_text_digest(body) WHERE environment = 'chat'",
    "UPDATE open_runs SET body = without_text_digest(body)",
    _CHANGED,
)

ARMS = (
    # `control` is the arm: 0 for treated, 1 for control, 2 for placebo. What a run cost stands beside it; null where nobody knows.
    "ALTER TABLE episodes ADD COLUMN tokens INTEGER",
    "ALTER TABLE episodes ADD COLUMN seconds REAL",
    # Its entries end in the row number, so that the newest are found without looking at the others.
    "CREATE INDEX episodes_compared ON episodes (tenant) WHERE offered AND trusted AND success IS NOT NULL",
)

PROFILES = (
    # A place in an episode and no turn, so that indexing anew loses nothing.
    "CREATE TABLE pins (episode INTEGER NOT NULL REFERENCES episodes (sequence) ON DELETE CASCADE, step INTEGER NOT NULL, "
    "start INTEGER NOT NULL, PRIMARY KEY (episode, step, start)) WITHOUT ROWID",
    # What a profile is made of: turns, and no text of theirs.
    "CREATE TABLE profile_lines (turn INTEGER PRIMARY KEY REFERENCES turns ON DELETE CASCADE, tenant TEXT NOT NULL, "
    "rank INTEGER NOT NULL, topic INTEGER NOT NULL, sentences INTEGER NOT NULL)",
    "CREATE INDEX profile_lines_by_tenant ON profile_lines (tenant, rank)",
)

TERM_COUNTS = (
    # In how many turns a term stands: counting a frequent one anew for every question would take longer with every turn.
    "CREATE TABLE term_counts (term INTEGER PRIMARY KEY, turns INTEGER NOT NULL)",
    "INSERT INTO term_counts SELECT term, count(*) FROM turn_terms GROUP BY term",
    """CREATE TRIGGER term_added AFTER INSERT ON turn_terms BEGIN
        INSERT INTO term_counts VALUES (new.term, 1) ON CONFLICT (term) DO UPDATE SET turns = turns + 1; END""",
    """CREATE TRIGGER term_removed AFTER DELETE ON turn_terms BEGIN
        UPDATE term_counts SET turns = turns - 1 WHERE term = old.term;
        DELETE FROM term_counts WHERE term = old.term AND turns = 0; END""",
)

STEPS = (
    TABLES,
    CUES,
    NAMES,
    UPKEEP,
    LOG,
    STATE,
    ERASURES,
    RUNS,
    COMPRESSED,
    SIGHT,
    TALLIES,
    SESSIONS,
    TURNS,
    NUMBERS,
    SAYINGS,
    DRAWN,
    ARMS,
    PROFILES,
    TERM_COUNTS,
)
"""What makes each format of the file out of the one before."""

VERSION = len(STEPS)
"""Format of the file, kept in `PRAGMA user_version`."""


def add_functions(connection: sqlite3.Connection) -> None:
    """Give a connection the functions that the steps call."""
    for function in (message_digest, valid_json):
        connection.create_function(function.__name__, 1, function, deterministic=True)
    connection.create_function(without_text_digest.__name__, 1, without_text_digest)
