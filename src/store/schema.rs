//! The tables, as a list of migrations that is only ever added to. `user_version` counts how
//! many a file has seen.

use crate::store::error::{Error, ErrorKind};
use rusqlite::{Connection, TransactionBehavior};

/// Never change an entry that was released: add one.
const MIGRATIONS: [&str; 8] = [
    "
CREATE TABLE incidents (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    service       TEXT NOT NULL,
    fingerprint   TEXT NOT NULL,
    kind          TEXT NOT NULL,
    title         TEXT NOT NULL,
    reason        TEXT NOT NULL,
    watch         TEXT,
    stream        TEXT NOT NULL,
    trace         TEXT,                         -- JSON
    lines         TEXT NOT NULL,                -- JSON
    context       TEXT NOT NULL,                -- JSON
    first_seen    INTEGER NOT NULL,             -- event time, nanoseconds
    last_seen     INTEGER NOT NULL,
    count         INTEGER NOT NULL,
    commit_id     TEXT,
    status        TEXT NOT NULL,
    location      TEXT,                         -- JSON
    proposal      TEXT,                         -- JSON
    previous      INTEGER,
    created       INTEGER NOT NULL,             -- wall clock
    not_before    INTEGER NOT NULL DEFAULT 0,   -- wall clock: work waits until then
    tries         INTEGER NOT NULL DEFAULT 0,
    claimed       INTEGER NOT NULL DEFAULT 0,   -- wall clock: when work was last begun
    lease         INTEGER,                      -- fencing token, grows
    lease_holder  TEXT,
    lease_until   INTEGER NOT NULL DEFAULT 0    -- wall clock
) STRICT;
CREATE INDEX incidents_by_fault ON incidents (service, fingerprint, id);
CREATE INDEX incidents_by_status ON incidents (status, id);
CREATE INDEX incidents_by_hour ON incidents (service, first_seen);
CREATE INDEX incidents_by_making ON incidents (service, created);
CREATE INDEX incidents_by_claim ON incidents (service, claimed);
CREATE TABLE occurrences (
    incident      INTEGER NOT NULL REFERENCES incidents (id) ON DELETE CASCADE,
    time          INTEGER NOT NULL,
    commit_id     TEXT,
    stream        TEXT NOT NULL
) STRICT;
CREATE INDEX occurrences_by_incident ON occurrences (incident);
CREATE TABLE events (
    incident      INTEGER NOT NULL REFERENCES incidents (id) ON DELETE CASCADE,
    time          INTEGER NOT NULL,             -- wall clock
    what          TEXT NOT NULL,
    detail        TEXT NOT NULL
) STRICT;
CREATE INDEX events_by_incident ON events (incident);
CREATE TABLE settings (
    service       TEXT PRIMARY KEY,
    fixer_off     INTEGER NOT NULL,
    json          TEXT NOT NULL
) STRICT;
CREATE TABLE counters (
    instance      TEXT PRIMARY KEY,
    updated       INTEGER NOT NULL,
    json          TEXT NOT NULL
) STRICT;
CREATE TABLE capped (
    service       TEXT PRIMARY KEY,
    count         INTEGER NOT NULL,
    last          INTEGER NOT NULL
) STRICT;
CREATE TABLE outbox (
    seq           INTEGER PRIMARY KEY AUTOINCREMENT,
    json          TEXT NOT NULL
) STRICT;
CREATE TABLE tokens (
    last          INTEGER NOT NULL
) STRICT;
INSERT INTO tokens VALUES (0);
",
    "
CREATE TABLE learnt (
    service       TEXT PRIMARY KEY,
    templates     TEXT NOT NULL,                -- JSON Lines
    book          TEXT NOT NULL,                -- JSON
    updated       INTEGER NOT NULL              -- wall clock
) STRICT;
CREATE TABLE deploys (
    service       TEXT NOT NULL,
    old           TEXT NOT NULL,
    new           TEXT NOT NULL,
    updated       INTEGER NOT NULL,             -- wall clock
    json          TEXT NOT NULL,
    PRIMARY KEY (service, old, new)
) STRICT;
",
    "
CREATE TABLE watches (
    id            TEXT PRIMARY KEY,
    service       TEXT,                         -- NULL: everywhere
    label         TEXT NOT NULL,
    owner         TEXT NOT NULL,
    json          TEXT NOT NULL,
    installed     INTEGER NOT NULL,             -- wall clock
    expires       INTEGER,                      -- wall clock
    matched       INTEGER NOT NULL,
    fired         INTEGER NOT NULL,
    last_fired    INTEGER,                      -- event time
    found_right   INTEGER NOT NULL              -- incidents; those still there may be fewer
) STRICT;
",
    "
CREATE TABLE unread (
    holder        TEXT NOT NULL,
    service       TEXT NOT NULL,
    batch         TEXT NOT NULL,                -- JSON
    made          INTEGER NOT NULL,             -- wall clock
    PRIMARY KEY (holder, service)
) STRICT;
CREATE TABLE readings (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    service       TEXT NOT NULL,
    made          INTEGER NOT NULL,             -- wall clock
    owner         TEXT NOT NULL,
    model         TEXT NOT NULL,
    prompt_hash   TEXT NOT NULL,
    prompt_chars  INTEGER NOT NULL,
    prompt_tokens INTEGER NOT NULL,
    answer_tokens INTEGER NOT NULL,
    millis        INTEGER NOT NULL,
    answer        TEXT NOT NULL,
    fault         TEXT
) STRICT;
CREATE INDEX readings_by_owner ON readings (owner, id);
CREATE TABLE verdicts (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    reading       INTEGER NOT NULL REFERENCES readings (id) ON DELETE CASCADE,
    service       TEXT NOT NULL,
    template      TEXT NOT NULL,
    facets        TEXT NOT NULL,                -- JSON
    text          TEXT NOT NULL,
    action        TEXT NOT NULL,
    label         TEXT,
    summary       TEXT,
    until         INTEGER,                      -- wall clock: an ignore holds until then
    rose          INTEGER NOT NULL DEFAULT 0,   -- it was ignored and then rose
    commit_id     TEXT,
    made          INTEGER NOT NULL              -- wall clock
) STRICT;
CREATE INDEX verdicts_by_reading ON verdicts (reading);
CREATE INDEX verdicts_by_template ON verdicts (service, template);
CREATE INDEX verdicts_by_label ON verdicts (service, label);
",
    "
ALTER TABLE incidents ADD COLUMN owner TEXT NOT NULL DEFAULT '';
ALTER TABLE incidents ADD COLUMN parent INTEGER;    -- the storm that it is part of
CREATE INDEX incidents_by_owner ON incidents (owner, created);
CREATE INDEX incidents_by_parent ON incidents (parent);
CREATE TABLE storms (
    owner         TEXT PRIMARY KEY,
    parent        INTEGER NOT NULL,
    last          INTEGER NOT NULL              -- wall clock: of its last new fault
) STRICT;
",
    "
CREATE TABLE spend (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    incident      INTEGER NOT NULL,             -- may be gone
    service       TEXT NOT NULL,
    owner         TEXT NOT NULL,
    day           INTEGER NOT NULL,             -- of UTC, since the epoch
    made          INTEGER NOT NULL,             -- wall clock
    model         TEXT NOT NULL,
    usd           INTEGER NOT NULL,             -- millionths; the most while it is not settled
    settled       INTEGER NOT NULL,
    input         INTEGER NOT NULL,             -- tokens
    output        INTEGER NOT NULL,
    cache_write   INTEGER NOT NULL,
    cache_read    INTEGER NOT NULL
) STRICT;
CREATE INDEX spend_by_day ON spend (owner, day, service);
CREATE INDEX spend_by_incident ON spend (incident);
CREATE TABLE conversations (
    incident      INTEGER NOT NULL REFERENCES incidents (id) ON DELETE CASCADE,
    seq           INTEGER NOT NULL,
    entry         TEXT NOT NULL,                -- JSON
    PRIMARY KEY (incident, seq)
) STRICT;
",
    "
CREATE TABLE pulls (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    service       TEXT NOT NULL,
    fingerprint   TEXT NOT NULL,
    round         INTEGER NOT NULL,
    incident      INTEGER NOT NULL,             -- the newest of this fault; may be gone
    fixer         TEXT NOT NULL,
    order_json    TEXT NOT NULL,                -- JSON
    state         TEXT NOT NULL,
    why           TEXT NOT NULL,                -- why it stands where it stands
    number        INTEGER,
    url           TEXT,
    tip           TEXT,
    ci            TEXT NOT NULL DEFAULT 'unknown',
    seen          TEXT,                         -- the host's word for what was seen last
    made          INTEGER NOT NULL,             -- wall clock
    opened        INTEGER,                      -- wall clock
    merged        INTEGER,                      -- wall clock
    merged_commit TEXT,
    deployed      INTEGER,                      -- event time: first seen from a commit with the fix
    deployed_commit TEXT,
    outcome       TEXT,                         -- held, came_back, rejected
    returned      INTEGER NOT NULL DEFAULT 0,   -- times it came back from a commit with the fix
    told          INTEGER NOT NULL DEFAULT 0,   -- wall clock: of the last comment on counts
    told_count    INTEGER NOT NULL DEFAULT 0,   -- the count that it named
    due           INTEGER NOT NULL,             -- wall clock: looked after then
    tries         INTEGER NOT NULL DEFAULT 0,   -- failed ones since the last that worked
    lease         INTEGER,                      -- fencing token, grows
    lease_holder  TEXT,
    lease_until   INTEGER NOT NULL DEFAULT 0,   -- wall clock
    UNIQUE (service, fingerprint, round)
) STRICT;
CREATE INDEX pulls_by_due ON pulls (due);
CREATE INDEX pulls_by_incident ON pulls (incident);
CREATE TABLE fixed_in (
    pull          INTEGER NOT NULL REFERENCES pulls (id) ON DELETE CASCADE,
    commit_id     TEXT NOT NULL,                -- as occurrences write it
    fixed         INTEGER NOT NULL,             -- 0: looked at, does not hold the fix
    PRIMARY KEY (pull, commit_id)
) STRICT;
CREATE TABLE running (
    service       TEXT NOT NULL,
    commit_id     TEXT NOT NULL,
    first         INTEGER NOT NULL,             -- event time
    last          INTEGER NOT NULL,
    PRIMARY KEY (service, commit_id)
) STRICT;
CREATE TABLE mutes (
    service       TEXT NOT NULL,
    fingerprint   TEXT NOT NULL,                -- '': all of the service
    until         INTEGER,                      -- wall clock; NULL: until it is taken back
    who           TEXT NOT NULL,
    why           TEXT NOT NULL,
    made          INTEGER NOT NULL,             -- wall clock
    PRIMARY KEY (service, fingerprint)
) STRICT;
CREATE TABLE notices (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    target        TEXT NOT NULL,                -- name of the [[notify]] table
    incident      INTEGER NOT NULL,             -- may be gone
    event         TEXT NOT NULL,                -- incident, proposed, came_back
    made          INTEGER NOT NULL,             -- wall clock
    sent          INTEGER,                      -- wall clock; NULL: it waits
    UNIQUE (target, incident, event)
) STRICT;
CREATE INDEX notices_waiting ON notices (target, sent, id);
CREATE INDEX notices_by_incident ON notices (incident, event);
CREATE TABLE notified (
    target        TEXT PRIMARY KEY,
    registry      TEXT NOT NULL,                -- the path that names it
    json          TEXT NOT NULL,                -- settings; the address stands in none of them
    last          INTEGER NOT NULL DEFAULT 0,   -- wall clock: of the last message
    not_before    INTEGER NOT NULL DEFAULT 0,   -- wall clock
    tries         INTEGER NOT NULL DEFAULT 0,   -- failed ones since the last that worked
    dropped       INTEGER NOT NULL DEFAULT 0,   -- notices that had no room
    lease         INTEGER,                      -- fencing token, grows
    lease_holder  TEXT,
    lease_until   INTEGER NOT NULL DEFAULT 0    -- wall clock
) STRICT;
",
    "
CREATE TABLE facts (
    service       TEXT NOT NULL,
    instance      TEXT NOT NULL,                -- '': the whole service
    at            INTEGER NOT NULL,             -- as the platform says
    kind          TEXT NOT NULL,
    release       TEXT,
    text          TEXT NOT NULL,
    asked         INTEGER NOT NULL,             -- 1: over the platform's own interface
    made          INTEGER NOT NULL,             -- wall clock
    PRIMARY KEY (service, instance, at, kind)
) STRICT;
CREATE INDEX facts_by_time ON facts (service, at);
CREATE TABLE watched (
    service       TEXT PRIMARY KEY,
    state         TEXT,                         -- JSON: what the platform showed last
    asked         INTEGER,                      -- wall clock: when it answered
    fault         TEXT,
    tries         INTEGER NOT NULL DEFAULT 0,
    due           INTEGER NOT NULL DEFAULT 0,   -- wall clock: asked then
    lease         INTEGER,                      -- fencing token, grows
    lease_holder  TEXT,
    lease_until   INTEGER NOT NULL DEFAULT 0    -- wall clock
) STRICT;
CREATE TABLE releases (
    service       TEXT NOT NULL,
    release       TEXT NOT NULL,
    first         INTEGER NOT NULL,             -- wall clock: when it came to run
    last          INTEGER NOT NULL,             -- wall clock: when it was last seen to run
    streak        INTEGER NOT NULL,             -- nanoseconds that it had run well by then
    crashes       INTEGER NOT NULL,
    PRIMARY KEY (service, release)
) STRICT;
CREATE TABLE actions (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    service       TEXT NOT NULL,
    verb          TEXT NOT NULL,
    caller        TEXT NOT NULL,                -- kind
    fingerprint   TEXT,
    incident      INTEGER,                      -- may be gone
    hash          TEXT NOT NULL,                -- of what is approved
    stage         TEXT NOT NULL,
    aftermath     TEXT,
    made          INTEGER NOT NULL,             -- wall clock, as all times here
    expires       INTEGER NOT NULL,
    released      INTEGER,                      -- by a person, or by auto
    ended         INTEGER,
    recurred      INTEGER,                      -- seen again after it had helped
    due           INTEGER NOT NULL,             -- its next step
    tries         INTEGER NOT NULL DEFAULT 0,   -- failed ones since the last that worked
    json          TEXT NOT NULL,                -- the whole of it
    lease         INTEGER,                      -- fencing token, grows
    lease_holder  TEXT,
    lease_until   INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX actions_by_due ON actions (due);
CREATE INDEX actions_by_service ON actions (service, id);
CREATE INDEX actions_by_hash ON actions (hash, stage);
CREATE TABLE act_counts (
    verb          TEXT NOT NULL,
    caller        TEXT NOT NULL,
    outcome       TEXT NOT NULL,
    count         INTEGER NOT NULL,
    PRIMARY KEY (verb, caller, outcome)
) STRICT;
CREATE TABLE audit (
    entry         INTEGER PRIMARY KEY AUTOINCREMENT,
    made          INTEGER NOT NULL,             -- wall clock
    kind          TEXT NOT NULL,                -- of the caller
    event         TEXT NOT NULL,
    prev          TEXT NOT NULL,                -- hash of the entry before
    hash          TEXT NOT NULL,                -- SHA-256 of prev, a line feed and json
    json          TEXT NOT NULL                 -- redacted
) STRICT;
CREATE INDEX audit_by_event ON audit (kind, event, made);
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit
    BEGIN SELECT raise(ABORT, 'the audit is only added to'); END;
CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit
    BEGIN SELECT raise(ABORT, 'the audit is only added to'); END;
-- What is replaced is deleted without the trigger above.
CREATE TRIGGER audit_is_added_to BEFORE INSERT ON audit
    WHEN EXISTS (SELECT 1 FROM audit WHERE entry = NEW.entry)
    BEGIN SELECT raise(ABORT, 'the audit is only added to'); END;
CREATE TABLE audit_left_out (
    kind          TEXT PRIMARY KEY,
    count         INTEGER NOT NULL
) STRICT;
",
];

/// Brings a file to the newest version.
pub fn migrate(db: &mut Connection) -> Result<(), Error> {
    // Immediate: of two processes that start together one migrates, the other sees it done.
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: i64 = tx.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let seen = usize::try_from(version).unwrap_or(0);
    if seen > MIGRATIONS.len() {
        let what = format!(
            "the store has version {seen}, this autofix knows {}; update autofix, or name another State_Dir",
            MIGRATIONS.len()
        );
        return Err(Error::new(ErrorKind::Newer, what));
    }
    for migration in &MIGRATIONS[seen..] {
        tx.execute_batch(migration)?;
    }
    tx.pragma_update(None, "user_version", MIGRATIONS.len() as i64)?;
    tx.commit()?;
    Ok(())
}
