"""When CI may meet a real Odoo: only where nothing has to be fetched for it."""

from pathlib import Path

import pytest

from tests.odoo import at_hand, packages, postgres, server


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INVENTORY_SYNC_CACHE", str(tmp_path))


def test_with_an_empty_cache_it_names_what_is_missing_first_and_how_to_get_it() -> None:
    assert "Odoo's package" in at_hand.missing()
    assert "make test-odoo" in at_hand.missing()


def test_each_part_is_asked_for() -> None:
    packages.unpacked_server().mkdir(parents=True)
    assert "Python" in at_hand.missing()
    packages.environment().mkdir(parents=True)
    (packages.environment() / ".installed").touch()
    assert "database" in at_hand.missing()
    server.template_folder().mkdir(parents=True)
    assert at_hand.missing() == no_server()


def no_server() -> str:
    """Why PostgreSQL cannot be started here, or nothing."""
    try:
        postgres.programs()
    except packages.NotAtHandError as error:
        return str(error)
    return ""


def test_other_requirements_want_another_environment(tmp_path: Path) -> None:
    other = tmp_path / "odoo.txt"
    other.write_text("something else")

    assert packages.environment(other) != packages.environment()
