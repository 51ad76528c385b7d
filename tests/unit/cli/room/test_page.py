"""The report is one file: data, modules and styles inside, and no address to ask."""

import base64
import json
import re

from cli.room.history import History
from cli.room.page import MODULES, STATIC, report_page, served_page
from cli.room.picture import picture
from tests.unit.cli.room.readings import reading

HOSTILE = "</script><script>alert(1)</script>"


def report(told: str = "A tick.") -> str:
    history = History()
    history.add(picture(reading(), told))
    return report_page("The story", history.moments())


def script(page: str, kind: str) -> str:
    found = re.search(f'<script type="{kind}"[^>]*>(.*?)</script>', page, flags=re.DOTALL)
    assert found is not None
    return found[1]


def test_the_report_has_the_moments_as_they_are() -> None:
    [moment] = json.loads(script(report(), "application/json"))

    assert moment["told"] == "A tick."
    assert moment["rows"][0]["atp_units"] == 10


def test_no_text_of_a_story_ends_the_script_that_it_stands_in() -> None:
    page = report(HOSTILE)

    assert HOSTILE not in page
    assert json.loads(script(page, "application/json"))[0]["told"] == HOSTILE


def test_the_report_has_every_module_and_names_no_address() -> None:
    page = report()

    imports = json.loads(script(page, "importmap"))["imports"]
    for name in MODULES:
        code = base64.b64decode(imports[f"room/{name}"].partition("base64,")[2])
        assert code == (STATIC / name).read_bytes()
    assert not re.search(r"""(src|href)=["'](?!data:|#)""", page)
    assert "url(http" not in page


def test_every_import_of_a_module_is_one_the_page_knows() -> None:
    imported = {
        name
        for module in MODULES
        for name in re.findall(r'from "([^"]+)"', (STATIC / module).read_text(encoding="utf-8"))
    }

    assert imported <= {f"room/{name}" for name in MODULES}


def test_page_and_report_are_drawn_by_the_same_modules() -> None:
    page, _ = served_page("The story")

    assert json.loads(script(page, "importmap"))["imports"].keys() == (
        json.loads(script(report(), "importmap"))["imports"].keys()
    )
    assert script(page, "module") == script(report(), "module")
