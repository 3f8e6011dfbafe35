"""Ways to reach another tenant's rows with the application's role, none of which does.

Each is what somebody sends who has got hold of a connection: never the victim's identity as the tenant of the moment
(who can set that is the victim), but everything else. A step either has to work (DONE), or to work and reach no row
(NOTHING), or to be refused with the code that it names.
"""

from __future__ import annotations

from typing import NamedTuple

DONE = "done"
NOTHING = "nothing"
ONE_OF_OURS = "one of ours"
FORBIDDEN = "42501"
NO_UUID = "22P02"
NO_SUCH_ROW = "23503"
NO_CURSOR = "34000"


class Step(NamedTuple):
    """One statement, and what has to come of it."""

    outcome: str
    sql: str


class Attack(NamedTuple):
    """A name, and the steps, on a connection that nobody has used before."""

    name: str
    steps: tuple[Step, ...]


TABLES = ("conversation_states", "stage_changes", "messages", "outcomes", "outcome_events")

OURS = Step(DONE, "select set_config('app.tenant_id', '{attacker}', false)")
THEIRS = Step(DONE, "select set_config('app.tenant_id', '{victim}', true)")
BEGIN = Step(DONE, "begin")
LOOKS = tuple(Step(NOTHING, f"select * from qbs.{table}") for table in TABLES)
LOOK = Step(NOTHING, "select * from qbs.messages")

TRIGGER = "for each row execute function suppress_redundant_updates_trigger()"
STATE = """(tenant_id, state_id, account_id, contact_id, deal_stage, persona_type, qualification_data, metadata,
    schema_version, interaction_count, confidence_score, escalated, next_actions, version)
    values ('{0}', '{1}', 'acme', '{1}', 'discovery', 'ic', '{{}}', '{{}}', 1, 0, 0, false, '[]', 1)"""
OUR_STATE = "insert into qbs.conversation_states " + STATE.format("{attacker}", "{state}")
THEIR_STATE = "insert into qbs.conversation_states " + STATE.format("{victim}", "{state}")
ANOTHER_STATE_OF_THEIRS = "insert into qbs.conversation_states " + STATE.format("{victim}", "{unused}")
INSERT_MERGED = "insert " + STATE.format("{victim}", "{state}")
MERGE = """merge into qbs.conversation_states s using (values ('{victim}'::uuid)) v (id) on s.tenant_id = v.id"""
CHANGE_FROM_QUERY = """insert into qbs.stage_changes
    select '{victim}', '{unused}', '{state}', 'discovery', 'stalled'"""
CHANGE = """insert into qbs.stage_changes (tenant_id, change_id, state_id, from_stage, to_stage)
    values ('{0}', '{{unused}}', '{1}', 'discovery', 'stalled')"""


def _attack(name: str, *steps: Step | tuple[str, str]) -> Attack:
    return Attack(name, tuple(Step(*step) for step in steps))


def _ours(name: str, *steps: Step | tuple[str, str]) -> Attack:
    """As a tenant that has no rows."""
    return _attack(name, OURS, *steps)


NOBODY = (
    _attack("no setting at all", *LOOKS),
    _attack("an empty setting", (DONE, "set app.tenant_id = ''"), *LOOKS),
    _attack("a setting of blanks", (DONE, "set app.tenant_id = ' '"), (NO_UUID, LOOK.sql)),
    _attack("a setting that is no UUID", (DONE, "set app.tenant_id = '%'"), (NO_UUID, LOOK.sql)),
    _attack("a setting that is SQL", (DONE, "set app.tenant_id = ''' or true --'"), (NO_UUID, LOOK.sql)),
    _attack("a list of tenants", (DONE, "set app.tenant_id = '{attacker},{victim}'"), (NO_UUID, LOOK.sql)),
    _attack("the nil UUID", (DONE, "set app.tenant_id = '00000000-0000-0000-0000-000000000000'"), *LOOKS),
    _attack("a setting by another name", (DONE, "set app.tenant = '{victim}'"), *LOOKS),
    _attack("after their commit", BEGIN, THEIRS, (DONE, LOOK.sql), (DONE, "commit"), *LOOKS),
    _attack("after their rollback", BEGIN, THEIRS, (DONE, LOOK.sql), (DONE, "rollback"), *LOOKS),
    _attack("after their error", BEGIN, THEIRS, ("22012", "select 1 / 0"), (DONE, "rollback"), *LOOKS),
    _attack(
        "after their savepoint was rolled back",
        BEGIN, (DONE, "savepoint one"), THEIRS, (DONE, "rollback to savepoint one"), *LOOKS,
    ),
    _attack(
        "after their savepoint was released, and the commit",
        BEGIN, (DONE, "savepoint one"), THEIRS, (DONE, "release savepoint one"), (DONE, "commit"), *LOOKS,
    ),
    _attack("after their commit and chain", BEGIN, THEIRS, (DONE, "commit and chain"), *LOOKS),
    _attack("after their setting outside a transaction", THEIRS, *LOOKS),
    _attack(
        "a plan that they prepared",
        BEGIN, THEIRS, (DONE, "prepare theirs as select * from qbs.messages"), (DONE, "execute theirs"),
        (DONE, "commit"), (NOTHING, "execute theirs"),
    ),
    _attack(
        "a generic plan that they prepared",
        (DONE, "set plan_cache_mode = force_generic_plan"), BEGIN, THEIRS,
        (DONE, "prepare theirs as select * from qbs.messages"), (DONE, "execute theirs"), (DONE, "commit"),
        OURS, (NOTHING, "execute theirs"),
    ),
    _attack("a cursor of theirs", BEGIN, THEIRS, (DONE, "declare held cursor for select * from qbs.messages"),
            (DONE, "commit"), (NO_CURSOR, "fetch all from held")),
)  # fmt: skip

READING = (
    _ours("plainly", *LOOKS),
    _ours("by naming the victim", (NOTHING, "select * from qbs.messages where tenant_id = '{victim}'")),
    _ours("by a condition that holds for all", (NOTHING, "select * from qbs.messages where false or true")),
    _ours("by key", (NOTHING, "select * from qbs.messages where state_id = '{state}'")),
    _ours("by ctid", (NOTHING, "select * from qbs.messages where ctid = any ('{ctids}'::tid[])")),
    _ours("by a range of ctids", (NOTHING, "select * from qbs.messages where ctid >= '(0,0)'")),
    _ours("by the row's own columns", (NOTHING, "select ctid, xmin, tableoid from qbs.messages")),
    _ours("as a whole row", (NOTHING, "select to_jsonb(m), m::text from qbs.messages m")),
    _ours("counted", (NOTHING, "select count(*) from qbs.messages")),
    _ours("by whether there is one", (NOTHING, "select exists (select from qbs.messages)")),
    _ours("the greatest of them", (NOTHING, "select max(text), string_agg(text, '') from qbs.messages")),
    _ours("joined", (NOTHING, "select * from qbs.messages m join qbs.conversation_states s using (state_id)")),
    _ours("joined from a list of victims", (
        NOTHING, "select * from (values ('{victim}'::uuid)) v (id) join qbs.messages on tenant_id = v.id")),
    _ours("in a CTE", (NOTHING, "with all_of_them as materialized (select * from qbs.messages) table all_of_them")),
    _ours("in a union", (NOTHING, "select text from qbs.messages union all select state_id::text from qbs.outcomes")),
    _ours("as a sample", (NOTHING, "select * from qbs.messages tablesample system (100)")),
    _ours("only the parent", (NOTHING, "select * from only qbs.messages")),
    _ours("for update", (NOTHING, "select * from qbs.conversation_states for update")),
    _ours("for share of what is not locked", (NOTHING, "select * from qbs.messages for share skip locked")),
    _ours("without an index", (DONE, "set enable_indexscan = off"), (DONE, "set enable_bitmapscan = off"), *LOOKS),
    _ours("in parallel", (DONE, "set debug_parallel_query = on"), (DONE, "set parallel_setup_cost = 0"), *LOOKS),
    _ours("by an error that depends on them", (
        NOTHING, "select 1 / (case when text like '%' then 0 else 1 end) from qbs.messages")),
    _ours("by an error in a condition", (
        NOTHING, "select 1 from qbs.messages where 1 / (length(text) - length(text)) = 0")),
    _ours("by a cast that fails", (NOTHING, "select 1 from qbs.messages where text::int = 0")),
    _ours("in a block of code", (
        NOTHING, "do $$ begin if exists (select from qbs.messages) then raise exception 'reached'; end if; end $$")),
    _ours("in a block of dynamic code", (
        NOTHING, "do $$ begin execute 'select 1 / (count(*) = 0)::int from qbs.messages'; end $$")),
    _ours("by a cursor", BEGIN, (DONE, "declare every cursor with hold for select * from qbs.messages"),
          (NOTHING, "fetch all from every"), (DONE, "commit"), (NOTHING, "fetch all from every")),
    _ours("by COPY", (NOTHING, "copy qbs.messages to stdout")),
    _ours("by COPY of a query", (NOTHING, "copy (select * from qbs.messages) to stdout")),
    _ours("by what the planner knows", (FORBIDDEN, "select * from pg_statistic"),
          (NOTHING, "select * from pg_stats where schemaname = 'qbs' and attname = any (array['tenant_id', 'text'])"),
          (NOTHING, "select * from pg_stats_ext where schemaname = 'qbs'")),
    _ours("by what others are asking", (
        NOTHING, "select * from pg_stat_activity where pid <> pg_backend_pid() and query like '%{victim}%'")),
    _ours("by what others have prepared", (NOTHING, "select * from pg_prepared_xacts"),
          (NOTHING, "select * from pg_cursors"), (NOTHING, "select * from pg_prepared_statements")),
)  # fmt: skip

WRITING = (
    _ours("update", (NOTHING, "update qbs.conversation_states set account_id = 'ours'")),
    _ours("update by ctid", (NOTHING, "update qbs.conversation_states set version = 9 where ctid >= '(0,0)'")),
    _ours("update that returns", (NOTHING, "update qbs.conversation_states set version = 9 returning *")),
    _ours("update of a fact", (FORBIDDEN, "update qbs.outcomes set predicted_confidence = 1")),
    _ours("update of what was said", (FORBIDDEN, "update qbs.messages set text = 'ours'")),
    _ours("taking rows over", (NOTHING, "update qbs.conversation_states set tenant_id = '{attacker}'")),
    _ours("moving ours to them", BEGIN, (ONE_OF_OURS, OUR_STATE),
          (FORBIDDEN, "update qbs.conversation_states set tenant_id = '{victim}'"), (DONE, "rollback")),
    *(_ours(f"delete from {table}", (FORBIDDEN, f"delete from qbs.{table}")) for table in TABLES),
    _ours("truncate", (FORBIDDEN, "truncate " + ", ".join(f"qbs.{table}" for table in TABLES))),
    _ours("insert for them", (FORBIDDEN, ANOTHER_STATE_OF_THEIRS)),
    _ours("insert where a row of theirs is", (FORBIDDEN, THEIR_STATE)),
    _attack("insert for them as nobody", (FORBIDDEN, ANOTHER_STATE_OF_THEIRS)),
    _ours("on conflict do update", (
        FORBIDDEN, THEIR_STATE + " on conflict (tenant_id, state_id) do update set account_id = 'ours'")),
    _ours("on conflict do nothing", (FORBIDDEN, THEIR_STATE + " on conflict do nothing")),
    _ours("insert from a query", (FORBIDDEN, CHANGE_FROM_QUERY)),
    _ours("merge that updates", (NOTHING, f"{MERGE} when matched then update set account_id = 'ours'")),
    _ours("merge that inserts", (FORBIDDEN, f"{MERGE} when not matched then {INSERT_MERGED}")),
    _ours("merge that deletes", (FORBIDDEN, f"{MERGE} when matched then delete")),
    _ours("update in a CTE", (
        NOTHING, "with changed as (update qbs.conversation_states set version = 9 returning *) table changed")),
    _ours("update from a join", (
        NOTHING, "update qbs.conversation_states s set version = 9 from qbs.messages m where m.state_id = s.state_id")),
    _ours("a unique key tells nothing", BEGIN, (ONE_OF_OURS, OUR_STATE), (DONE, "rollback")),
    _ours("a foreign key of theirs is as good as none",
          (NO_SUCH_ROW, CHANGE.format("{attacker}", "{state}")),
          (NO_SUCH_ROW, CHANGE.format("{attacker}", "{unused}"))),
    _ours("a foreign key of theirs in their name", (FORBIDDEN, CHANGE.format("{victim}", "{state}")),
          (FORBIDDEN, CHANGE.format("{victim}", "{unused}"))),
)  # fmt: skip

BECOMING = (
    _ours("the owner", (FORBIDDEN, "set role qbs_owner"), *LOOKS),
    _ours("the superuser", (FORBIDDEN, "set role {superuser}"), *LOOKS),
    _ours("the owner for good", (FORBIDDEN, "set session authorization qbs_owner"), *LOOKS),
    _ours("a member of the owner", (FORBIDDEN, "grant qbs_owner to qbs_app"), *LOOKS),
    _ours("one who passes by", (FORBIDDEN, "alter role qbs_app bypassrls"), *LOOKS),
    _ours("a superuser", (FORBIDDEN, "alter role qbs_app superuser"), *LOOKS),
    _ours("somebody new", (FORBIDDEN, "create role somebody superuser login"), *LOOKS),
    _ours("the owner with another password", (FORBIDDEN, "alter role qbs_owner password 'ours'")),
    _ours("one who is always the victim", (FORBIDDEN, "alter role qbs_app set app.tenant_id = '{victim}'")),
    _ours("where everybody is the victim", (FORBIDDEN, "alter database qbs set app.tenant_id = '{victim}'")),
    _ours("with row security off", (DONE, "set row_security = off"), (FORBIDDEN, LOOK.sql)),
    _ours("with triggers off", (FORBIDDEN, "set session_replication_role = replica"), *LOOKS),
    _ours("without row security", (FORBIDDEN, "alter table qbs.messages disable row level security"), *LOOKS),
    _ours("without force", (FORBIDDEN, "alter table qbs.messages no force row level security"), *LOOKS),
    _ours("without the policy", (FORBIDDEN, "drop policy tenant_isolation on qbs.messages"), *LOOKS),
    _ours("with another policy", (FORBIDDEN, "create policy wide on qbs.messages using (true)"), *LOOKS),
    _ours("with a wider policy", (FORBIDDEN, "alter policy tenant_isolation on qbs.messages using (true)"), *LOOKS),
    _ours("as owner of the table", (FORBIDDEN, "alter table qbs.messages owner to qbs_app"), *LOOKS),
    _ours("by the catalogue", (FORBIDDEN, "update pg_class set relrowsecurity = false"), *LOOKS),
)  # fmt: skip

MAKING = (
    _ours("a temporary table", (FORBIDDEN, "create temporary table messages (like qbs.messages)")),
    _ours("a temporary view", (FORBIDDEN, "create temporary view seen as select * from qbs.messages")),
    _ours("a function in pg_temp", (FORBIDDEN, "create function pg_temp.seen() returns bool language sql return true")),
    _ours("a function", (FORBIDDEN, "create function qbs.seen(text) returns bool cost 0.0001 language sql return true"),
          (FORBIDDEN, "create function public.seen(text) returns bool language sql return true")),
    _ours("an operator", (FORBIDDEN, "create operator qbs.=== (function = texteq, leftarg = text, rightarg = text)")),
    _ours("a view", (FORBIDDEN, "create view qbs.seen as select * from qbs.messages"),
          (FORBIDDEN, "create view public.seen as select * from qbs.messages")),
    _ours("a table", (FORBIDDEN, "create table qbs.kept as select * from qbs.messages"),
          (FORBIDDEN, "create table public.kept as select * from qbs.messages")),
    _ours("a child table", (FORBIDDEN, "create table qbs.child () inherits (qbs.messages)")),
    _ours("a schema", (FORBIDDEN, "create schema ours")),
    _ours("a rule", (FORBIDDEN, "create rule told as on insert to qbs.messages do also select 1")),
    _ours("a trigger", (FORBIDDEN, f"create trigger told before update on qbs.messages {TRIGGER}")),
    _ours("an index", (FORBIDDEN, "create unique index on qbs.messages (text)")),
    _ours("statistics", (FORBIDDEN, "create statistics qbs.known on turn, text from qbs.messages")),
    _ours("a publication", (FORBIDDEN, "create publication everything for table qbs.messages")),
    _ours("a replication slot", (FORBIDDEN, "select pg_create_physical_replication_slot('everything')")),
    _ours("an extension", (FORBIDDEN, "create extension vector schema qbs")),
    _ours("a library", (FORBIDDEN, "load '$libdir/pageinspect'")),
)  # fmt: skip

FILES = (
    _ours("COPY to a file", (FORBIDDEN, "copy qbs.messages to '/tmp/everything'")),
    _ours("COPY from a file", (FORBIDDEN, "copy qbs.messages from '/etc/passwd'")),
    _ours("COPY to a program", (FORBIDDEN, "copy qbs.messages to program 'cat'")),
    _ours("reading the table's file", (FORBIDDEN, "select pg_read_binary_file(pg_relation_filepath('qbs.messages'))")),
    _ours("reading who may come in", (FORBIDDEN, "select pg_read_file('pg_hba.conf')"),
          (FORBIDDEN, "select * from pg_hba_file_rules")),
    _ours("reading the passwords", (FORBIDDEN, "select pg_read_file('../passwords.json')"),
          (FORBIDDEN, "select * from pg_authid")),
    _ours("listing the files", (FORBIDDEN, "select pg_ls_dir('.')"), (FORBIDDEN, "select * from pg_ls_waldir()")),
    _ours("importing a file", (FORBIDDEN, "select lo_import('/etc/passwd')")),
    _ours("changing the server's settings", (FORBIDDEN, "alter system set log_statement = 'all'"),
          (FORBIDDEN, "select pg_reload_conf()")),
    _ours("a base backup", (FORBIDDEN, "select pg_backup_start('everything')")),
)  # fmt: skip

ATTACKS = tuple(
    Attack(f"{kind}: {attack.name}", attack.steps)
    for kind, attacks in {
        "nobody": NOBODY,
        "reading": READING,
        "writing": WRITING,
        "becoming": BECOMING,
        "making": MAKING,
        "files": FILES,
    }.items()
    for attack in attacks
)
