"""Pages run without a browser, and what they show."""

from __future__ import annotations

import html
import re

from streamlit.testing.v1 import AppTest

WAIT = 60  # seconds that a page may take on a machine with much to do


def open_page(name: str, **query: str | list[str]) -> AppTest:
    """The page of `workbench.views.<name>` at an address with this query, once it has run."""
    app = AppTest.from_string(f"from workbench.views import {name}; {name}.page()", default_timeout=WAIT)
    for key, value in query.items():
        app.query_params[key] = value
    return app.run()


def text(app: AppTest) -> str:
    """What the page says, with signs as a reader sees them. It must not have failed."""
    assert not app.exception
    parts = [*app.markdown, *app.caption, *app.info, *app.success, *app.warning, *app.error, *app.subheader, *app.code]
    figures = [f"{metric.label} {metric.value}" for metric in app.metric]
    shown = "\n".join([*(part.value for part in parts), *figures])
    return html.unescape(re.sub(r":color\[(&#\d+;)\]", r"\1", shown))
