from __future__ import annotations

import json
import shutil

import pytest

from engine.llm.fake import FakeModelConfig
from tests.workbench.commands.conftest import write_lines
from workbench import health
from workbench.health import Status
from workbench.services import Services
from workbench.settings import Settings, load_settings, setting_fields


def found(report: dict, name: str) -> list[dict]:
    return [check for check in report["checks"] if check["name"] == name]


def test_a_sound_installation_works_without_any_model(qbs):
    result = qbs("doctor", "--json")
    report = json.loads(result.stdout)
    assert (result.exit_code, report["ok"]) == (0, True)
    assert [row["variable"] for row in report["settings"]] == list(setting_fields())
    assert [check["status"] for check in found(report, "model")] == ["ok", "note"]
    assert {check["name"] for check in report["checks"]} >= {
        "settings",
        "Python",
        "packages",
        "home",
        "data sets",
        "index",
    }


def test_every_setting_is_shown_with_value_origin_and_meaning_and_no_secret(qbs, monkeypatch, tmp_path):
    (tmp_path / ".env").write_text("QBS_API_KEY=sk-canary\nOPENAI_API_KEY=sk-canary-too\n")
    monkeypatch.setattr(health, "model_checks", lambda _: iter(()))
    for result in (qbs("doctor"), qbs("doctor", "--json")):
        assert "sk-canary" not in result.stdout + result.stderr
        assert "(set, hidden)" in result.stdout
    lines = qbs("doctor").stdout.splitlines()
    place = next(n for n, line in enumerate(lines) if line.startswith("  QBS_CONCURRENCY"))
    assert lines[place].split() == ["QBS_CONCURRENCY", "8", "(default)"]
    assert lines[place + 1].strip() == "conversations replayed at the same time"


@pytest.mark.parametrize("fake", [FakeModelConfig()], indirect=True)
def test_each_configured_model_is_really_asked_and_advice_follows_the_reason(qbs, monkeypatch, fake):
    monkeypatch.setenv("QBS_API_BASE", fake.base_url)
    monkeypatch.setenv("QBS_API_KEY", "none")
    monkeypatch.setenv("QBS_REASONING_MODEL", "openai/fake-model")
    monkeypatch.setenv("QBS_FAST_MODEL", "openai/fake-401")
    result = qbs("doctor", "--json")
    good, bad = found(json.loads(result.stdout), "model")
    assert result.exit_code == 1
    assert (good["status"], good["finding"]) == ("ok", "openai/fake-model answers structured calls")
    assert (bad["status"], "not_authorised" in bad["finding"]) == ("problem", True)
    assert "QBS_API_KEY" in bad["advice"]
    assert fake.stats.requests == 2


@pytest.mark.parametrize("fake", [FakeModelConfig()], indirect=True)
@pytest.mark.parametrize(("path", "status"), [("", Status.OK), ("/nowhere", Status.NOTE), (None, Status.PROBLEM)])
def test_whether_anybody_answers_at_the_address_is_looked_at(fake, path, status):
    address = "http://127.0.0.1:9/v1" if path is None else fake.base_url + path
    (check,) = health.address_checks(Settings(api_base=address))
    assert (check.status, address in check.finding) == (status, True)
    assert bool(check.advice) is (status is not Status.OK)


def test_wrong_values_and_typing_errors_are_named_and_the_rest_is_still_looked_at(qbs, monkeypatch):
    monkeypatch.setattr(health, "model_checks", lambda _: iter(()))
    monkeypatch.setenv("QBS_CONCURRENCY", "many")
    monkeypatch.setenv("QBS_CONCURENCY", "4")
    report = json.loads(qbs("doctor", "--json").stdout)
    wrong, unknown = found(report, "settings")
    assert (wrong["status"], "QBS_CONCURRENCY" in wrong["finding"]) == ("problem", True)
    assert (unknown["status"], unknown["advice"]) == ("note", "did you mean QBS_CONCURRENCY?")
    assert found(report, "data sets")


def check_of(looks, status: Status) -> str:
    return next(f"{check.finding} {check.advice}" for check in looks if check.status is status)


def test_a_home_that_cannot_be_one_is_a_problem(tmp_path):
    (tmp_path / "file").touch()
    settings = Settings(home=tmp_path / "file" / "below")
    assert "QBS_HOME" in check_of(health.home_checks(settings), Status.PROBLEM)


def test_a_full_disk_is_a_problem(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 9, 1))
    assert "make room" in check_of(health.home_checks(Settings(home=tmp_path)), Status.PROBLEM)


@pytest.mark.parametrize(
    ("required", "status"),
    [
        (["pydantic>=2"], Status.OK),
        (["pydantic>=99"], Status.PROBLEM),
        (["there-is-no-such-package>=1"], Status.PROBLEM),
        (["there-is-no-such-package>=1; extra == 'dev'"], Status.OK),
    ],
)
def test_packages_must_be_there_in_a_version_that_the_project_allows(monkeypatch, required, status):
    monkeypatch.setattr("importlib.metadata.requires", lambda _: required)
    assert [check.status for check in health.package_checks()] == [status]


def test_a_data_set_that_is_not_what_its_manifest_says_is_a_problem(home, shipped):
    services = Services(load_settings(), shipped)
    write_lines(shipped / "talks" / "MANIFEST.json", "{}")
    assert "qbs conversations check talks" in check_of(health.dataset_checks(services), Status.PROBLEM)


def test_recordings_that_answer_nothing_are_counted(home, shipped):
    services = Services(load_settings(), shipped)
    assert list(health.recording_checks(services)) == []
    write_lines(shipped / "talks" / "recordings" / "MANIFEST.json", '{"models": {"reasoning": "a", "fast": "b"}}')
    assert "talks: 0 of 12 calls recorded (0 %)" in check_of(health.recording_checks(services), Status.NOTE)


def test_a_run_that_cannot_be_read_is_a_problem(qbs, home, shipped):
    services = Services(load_settings(), shipped)
    assert "no runs yet" in check_of(health.index_checks(services), Status.OK)
    qbs("replay", "talks")
    assert "1 run, 4 turns" in check_of(health.index_checks(services), Status.OK)
    (home / "runs" / "broken").mkdir()
    (home / "runs" / "broken" / "manifest.json").write_text("{")
    assert "broken" in check_of(health.index_checks(services), Status.PROBLEM)


def test_one_look_that_fails_does_not_hide_the_others(home, shipped, monkeypatch):
    monkeypatch.setattr(health, "package_checks", lambda: iter([1 / 0]))
    monkeypatch.setattr(health, "model_checks", lambda _: iter(()))
    report = list(health.all_checks(Services(load_settings(), shipped)))
    failed = next(check for check in report if check.name == "packages")
    assert (failed.status, "ZeroDivisionError" in failed.finding) == (Status.PROBLEM, True)
    assert any(check.name == "data sets" for check in report)


def test_there_is_advice_for_every_reason_that_a_model_may_give():
    from engine.model.analysis import FallbackReason

    for reason in FallbackReason:
        advice = health.advice_for(reason, "openai/x", Settings(api_base="http://127.0.0.1:1/v1"))
        assert advice
        assert "{" not in advice
