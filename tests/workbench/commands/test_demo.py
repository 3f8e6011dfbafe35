"""`qbs demo`: what it refuses, and what it says where there is nothing to show."""

from __future__ import annotations


def test_a_server_that_settings_name_is_not_reset(qbs, monkeypatch):
    monkeypatch.setenv("QBS_DATABASE_URL", "postgresql://app:secret@db.example/qbs")
    refused = qbs("demo", "reset", "--yes")
    assert refused.exit_code == 4
    assert "qbs db erase demo" in refused.stderr
    assert "secret" not in refused.stderr


def test_a_reset_asks_first_and_makes_no_database_to_erase_from(qbs, home):
    asked = qbs("demo", "reset")
    assert asked.exit_code == 1
    assert "0 rows of demo would go" in asked.stderr
    assert not (home / "postgres").exists()


def test_without_the_example_conversations_it_says_so(qbs):
    assert "there is no data set 'b2b_discovery'" in qbs("demo", "prepare").stderr


def test_a_report_that_cannot_be_written_is_refused_before_anything_is_made(qbs, home, tmp_path):
    refused = qbs("demo", "report", str(tmp_path / "nowhere" / "demo.html"))
    assert refused.exit_code == 3
    assert not (home / "runs").exists()
