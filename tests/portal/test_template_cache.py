"""Compiled templates are kept in a folder of the server's own, and no page depends on it."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from jinja2 import Environment

from portal.app import create_app
from portal.caches.templates import TemplateCache
from portal.services import Services

pytestmark = pytest.mark.usefixtures("town")
Start = Callable[[], Flask]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "cache"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def start(services: Services, folder: Path) -> Start:
    settings = replace(services.settings, cache_folder=folder)
    return lambda: create_app(replace(services, settings=settings))


def page_of(app: Flask) -> str:
    answer = app.test_client().get("/hotspots", base_url=app.extensions["arobase"].settings.portal_url)
    assert answer.status_code == 200
    return answer.text


def kept(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def test_a_second_start_reads_what_the_first_compiled(start: Start, folder: Path) -> None:
    page = page_of(start())
    before = kept(folder)
    assert before
    assert {path.stat().st_mode & 0o077 for path in folder.iterdir()} == {0}
    assert page_of(start()) == page
    assert kept(folder) == before


def test_what_other_rules_have_compiled_is_compiled_anew(folder: Path) -> None:
    def compiled(**rules: bool) -> str:
        environment = Environment(**rules)  # type: ignore[arg-type]
        cache = TemplateCache(folder, environment)
        return cache.get_source_checksum("{% if a %}\n{% endif %}")

    assert compiled() == compiled()
    assert compiled() != compiled(trim_blocks=True)


@pytest.mark.parametrize("content", [b"", b"j2", b"nothing of Jinja's", None])
def test_a_spoiled_file_is_compiled_anew(start: Start, folder: Path, content: bytes | None) -> None:
    page = page_of(start())
    for path in folder.iterdir():
        whole = path.read_bytes()
        # Cut short in the middle of what pickle reads.
        path.write_bytes(whole[:25] if content is None else content)
    assert page_of(start()) == page


def test_a_folder_that_is_gone_takes_down_no_page(
    start: Start, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    app = start()
    shutil.rmtree(folder)
    with caplog.at_level(logging.WARNING):
        page_of(app)
    told = [record.message for record in caplog.records if "compiled templates" in record.message]
    assert len(told) == 1 and str(folder) in told[0]


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o750, 0o701])
def test_a_folder_that_others_reach_is_not_used(
    start: Start, folder: Path, mode: int, caplog: pytest.LogCaptureFixture
) -> None:
    folder.chmod(mode)
    with caplog.at_level(logging.WARNING):
        page_of(start())
    assert kept(folder) == {}
    assert "mode 0700" in caplog.text


def test_a_link_to_a_folder_or_none_is_not_used(start: Start, folder: Path, tmp_path: Path) -> None:
    folder.rename(tmp_path / "other")
    page_of(start())
    folder.symlink_to(tmp_path / "other")
    page_of(start())
    assert kept(tmp_path / "other") == {}
