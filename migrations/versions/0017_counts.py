"""Counts in rounds and sessions, with tallies, tasks and rules; what was counted before keeps its result as round 1.

Revision ID: 0017
Revises: 0016
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kernel.db import UtcDateTime

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

# A count of before had one result for each article and no sessions: it becomes one session with the count's own id.
SESSIONS = """
INSERT INTO count_session (id, count_id, round, counter, status, alone, begun_at, ended_at, ended_by)
SELECT c.id, c.id, 1, MAX(l.counted_by), CASE WHEN c.status = 'counting' THEN 'counting' ELSE 'handed_in' END, {false},
       MIN(l.counted_at), CASE WHEN c.status = 'counting' THEN NULL ELSE MAX(l.counted_at) END,
       CASE WHEN c.status = 'counting' THEN NULL ELSE MAX(l.counted_by) END
FROM count c JOIN count_line l ON l.count_id = c.id
WHERE l.counted IS NOT NULL GROUP BY c.id, c.status
"""
RESULTS = """
INSERT INTO count_result (session_id, sku, shelf, units, expected, began_version, version, counted_at)
SELECT l.count_id, l.sku, '', l.counted, COALESCE(l.expected, l.counted), COALESCE(b.version, 0),
       COALESCE(b.version, 0), l.counted_at
FROM count_line l JOIN count c ON c.id = l.count_id
LEFT JOIN stock_balance b ON b.sku = l.sku AND b.node = c.node
WHERE l.counted IS NOT NULL
"""
TALLIES = """
INSERT INTO count_tally (count_id, sku, round, counted, expected, moved_out, moved_in, began_version, version,
                         counted_at)
SELECT r.session_id, r.sku, 1, r.units, r.expected, 0, 0, r.began_version, r.version, r.counted_at
FROM count_result r JOIN count c ON c.id = r.session_id WHERE c.status IN ('review', 'posted')
"""
ACCEPTED = """
UPDATE count_line SET accepted_round = 1
WHERE count_id IN (SELECT id FROM count WHERE status IN ('review', 'posted'))
"""
LAST = """
INSERT INTO last_count (sku, node, count_id, version, counted_at)
SELECT t.sku, c.node, MAX(c.id), MAX(t.version), MAX(t.counted_at)
FROM count_tally t JOIN count c ON c.id = t.count_id WHERE c.status = 'posted' GROUP BY t.sku, c.node
"""
# Going back, the sum of what the sessions found is the one result again, of the last round.
OF_TALLY = "t.count_id = count_line.count_id AND t.sku = count_line.sku AND t.round = count_line.round"
OF_RESULTS = (
    "FROM count_session s JOIN count_result r ON r.session_id = s.id WHERE s.count_id = count_line.count_id"
    " AND r.sku = count_line.sku AND s.round = count_line.round AND s.status <> 'discarded'"
)
BACK = """
UPDATE count_line SET
  expected = COALESCE((SELECT t.expected FROM count_tally t WHERE {tally}), (SELECT MAX(r.expected) {results})),
  counted = COALESCE((SELECT t.counted FROM count_tally t WHERE {tally}), (SELECT SUM(r.units) {results})),
  counted_by = (SELECT MAX(s.counter) {results}),
  counted_at = COALESCE((SELECT t.counted_at FROM count_tally t WHERE {tally}), (SELECT MAX(r.counted_at) {results}))
"""


def upgrade() -> None:
    _widen()
    _sessions()
    _results()
    _tasks()
    false = "false" if op.get_bind().dialect.name == "postgresql" else "0"
    for statement in (SESSIONS.format(false=false), RESULTS, TALLIES, ACCEPTED, LAST):
        op.execute(statement)
    with op.batch_alter_table("count_line") as lines:
        lines.drop_constraint(op.f("ck_count_line_counted"), type_="check")
        for name in ("expected", "counted", "counted_by", "counted_at"):
            lines.drop_column(name)


def downgrade() -> None:
    with op.batch_alter_table("count_line") as lines:
        lines.add_column(sa.Column("expected", sa.Integer(), nullable=True))
        lines.add_column(sa.Column("counted", sa.Integer(), nullable=True))
        lines.add_column(sa.Column("counted_by", sa.String(), nullable=True))
        lines.add_column(sa.Column("counted_at", UtcDateTime(), nullable=True))
        lines.create_check_constraint(op.f("ck_count_line_counted"), "counted IS NULL OR counted >= 0")
    op.execute(BACK.format(tally=OF_TALLY, results=OF_RESULTS))
    for table in ("last_count", "count_rule", "count_task", "count_history", "count_tally", "count_scan"):
        op.drop_table(table)
    for table in ("count_result", "count_session"):
        op.drop_table(table)
    with op.batch_alter_table("count_line") as lines:
        for name in ("shelf", "asked", "round", "accepted_round", "accepted_by"):
            lines.drop_column(name)
    with op.batch_alter_table("count") as counts:
        for name in ("scope", "shelf_from", "shelf_to", "round"):
            counts.drop_column(name)


def _widen() -> None:
    with op.batch_alter_table("count") as counts:
        counts.add_column(sa.Column("scope", sa.String(length=64), nullable=False, server_default="articles"))
        counts.add_column(sa.Column("shelf_from", sa.String(length=64), nullable=True))
        counts.add_column(sa.Column("shelf_to", sa.String(length=64), nullable=True))
        counts.add_column(sa.Column("round", sa.Integer(), nullable=False, server_default="1"))
    with op.batch_alter_table("count") as counts:
        counts.alter_column("scope", server_default=None)
        counts.alter_column("round", server_default=None)
    with op.batch_alter_table("count_line") as lines:
        lines.add_column(sa.Column("shelf", sa.String(length=64), nullable=True))
        lines.add_column(sa.Column("asked", sa.Boolean(), nullable=False, server_default=sa.true()))
        lines.add_column(sa.Column("round", sa.Integer(), nullable=False, server_default="1"))
        lines.add_column(sa.Column("accepted_round", sa.Integer(), nullable=True))
        lines.add_column(sa.Column("accepted_by", sa.String(length=64), nullable=True))
    with op.batch_alter_table("count_line") as lines:
        lines.alter_column("asked", server_default=None)
        lines.alter_column("round", server_default=None)


def _sessions() -> None:
    op.create_table(
        "count_session",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("count_id", sa.String(length=40), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("counter", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=64), nullable=False),
        sa.Column("alone", sa.Boolean(), nullable=False),
        sa.Column("begun_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("ended_by", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["count_id"], ["count.id"], name=op.f("fk_count_session_count_id_count")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_count_session")),
    )
    op.create_index("ix_count_session_count", "count_session", ["count_id"], unique=False)
    op.create_index(
        "uq_count_session_under_way", "count_session", ["count_id", "counter"], unique=True,
        postgresql_where=sa.text("status = 'counting'"), sqlite_where=sa.text("status = 'counting'"),
    )  # fmt: skip
    op.create_table(
        "count_history",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("count_id", sa.String(length=40), nullable=False),
        sa.Column("from_status", sa.String(length=64), nullable=False),
        sa.Column("to_status", sa.String(length=64), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["count_id"], ["count.id"], name=op.f("fk_count_history_count_id_count")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_count_history")),
    )
    op.create_index("ix_count_history_count", "count_history", ["count_id"], unique=False)


def _results() -> None:
    op.create_table(
        "count_result",
        sa.Column("session_id", sa.String(length=40), nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("shelf", sa.String(length=64), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("expected", sa.Integer(), nullable=False),
        sa.Column("began_version", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("counted_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("units >= 0", name=op.f("ck_count_result_units")),
        sa.ForeignKeyConstraint(
            ["session_id"], ["count_session.id"], name=op.f("fk_count_result_session_id_count_session")
        ),
        sa.ForeignKeyConstraint(["sku"], ["article.sku"], name=op.f("fk_count_result_sku_article")),
        sa.PrimaryKeyConstraint("session_id", "sku", "shelf", name=op.f("pk_count_result")),
    )
    op.create_table(
        "count_scan",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("session_id", sa.String(length=40), nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("shelf", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"], ["count_session.id"], name=op.f("fk_count_scan_session_id_count_session")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_count_scan")),
    )
    op.create_table(
        "count_tally",
        sa.Column("count_id", sa.String(length=40), nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("round", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("counted", sa.Integer(), nullable=False),
        sa.Column("expected", sa.Integer(), nullable=False),
        sa.Column("moved_out", sa.Integer(), nullable=False),
        sa.Column("moved_in", sa.Integer(), nullable=False),
        sa.Column("began_version", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("counted_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("counted >= 0 AND moved_out >= 0 AND moved_in >= 0", name=op.f("ck_count_tally_units")),
        sa.ForeignKeyConstraint(["count_id"], ["count.id"], name=op.f("fk_count_tally_count_id_count")),
        sa.ForeignKeyConstraint(["sku"], ["article.sku"], name=op.f("fk_count_tally_sku_article")),
        sa.PrimaryKeyConstraint("count_id", "sku", "round", name=op.f("pk_count_tally")),
    )


def _tasks() -> None:
    op.create_table(
        "count_task",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("node", sa.String(length=64), nullable=False),
        sa.Column("cause", sa.String(length=64), nullable=False),
        sa.Column("reference", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=64), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("proposed_at", UtcDateTime(), nullable=False),
        sa.Column("count_id", sa.String(), nullable=True),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.Column("closed_by", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["count_id"], ["count.id"], name=op.f("fk_count_task_count_id_count")),
        sa.ForeignKeyConstraint(["node"], ["node.id"], name=op.f("fk_count_task_node_node")),
        sa.ForeignKeyConstraint(["sku"], ["article.sku"], name=op.f("fk_count_task_sku_article")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_count_task")),
    )
    op.create_index("ix_count_task_node", "count_task", ["node", "status"], unique=False)
    op.create_index("ix_count_task_count", "count_task", ["count_id"], unique=False)
    op.create_index(
        "uq_count_task_open", "count_task", ["sku", "node"], unique=True,
        postgresql_where=sa.text("closed_at IS NULL"), sqlite_where=sa.text("closed_at IS NULL"),
    )  # fmt: skip
    op.create_table(
        "count_rule",
        sa.Column("node", sa.String(length=64), nullable=False),
        sa.Column("recount_units", sa.Integer(), nullable=False),
        sa.Column("recount_value_minor", sa.Integer(), nullable=False),
        sa.Column("four_eyes", sa.Boolean(), nullable=False),
        sa.Column("zero_checks", sa.Boolean(), nullable=False),
        sa.Column("max_age_days", sa.Integer(), nullable=False),
        sa.Column("tasks_a_day", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "recount_units >= 0 AND recount_value_minor >= 0 AND max_age_days > 0 AND tasks_a_day >= 0",
            name=op.f("ck_count_rule_limits"),
        ),
        sa.PrimaryKeyConstraint("node", name=op.f("pk_count_rule")),
    )
    op.create_table(
        "last_count",
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("node", sa.String(length=64), nullable=False),
        sa.Column("count_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("counted_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["count_id"], ["count.id"], name=op.f("fk_last_count_count_id_count")),
        sa.ForeignKeyConstraint(["node"], ["node.id"], name=op.f("fk_last_count_node_node")),
        sa.ForeignKeyConstraint(["sku"], ["article.sku"], name=op.f("fk_last_count_sku_article")),
        sa.PrimaryKeyConstraint("sku", "node", name=op.f("pk_last_count")),
    )
