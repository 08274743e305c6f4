"""Whom a process answers to. What an audience's pages need is imported where it is served, and nowhere else.

The start of the guests' servers does not wait for the staff's pages, nor that of the gateways' for either.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

from flask import Flask

from config import Serves
from portal.http.security_headers import Styles
from portal.services import PreviewRenderer, Services

MakeApp = Callable[[Services], Flask]


def serve(app: Flask, serves: Serves, styles: Styles) -> None:
    """Give `app` the pages of all whom it `serves`."""
    if serves in (Serves.GUESTS, Serves.ALL):
        _serve_guests(app)
    if serves in (Serves.GATEWAYS, Serves.ALL):
        _serve_gateways(app)
    if serves in (Serves.STAFF, Serves.ALL):
        _serve_staff(app, styles)


def _serve_guests(app: Flask) -> None:
    from portal.guest import guests, routes  # noqa: F401
    from portal.guest.assets import assets
    from portal.reports.advertiser_pages import advertisers

    for blueprint in (guests, assets, advertisers):
        app.register_blueprint(blueprint)


def _serve_gateways(app: Flask) -> None:
    from portal.gateway_api import blueprints

    for blueprint in blueprints():
        app.register_blueprint(blueprint)


def _serve_staff(app: Flask, styles: Styles) -> None:
    from portal.api import api
    from portal.api import routes as _operations  # noqa: F401
    from portal.staff import layout, login, routes, staff  # noqa: F401

    layout.dress(app, styles.staff)
    login.prepare(app)
    for blueprint in (staff, api):
        app.register_blueprint(blueprint)


def preview_maker(services: Services, make_app: MakeApp) -> Callable[[], PreviewRenderer]:
    """Makes what shows staff the guests' pages, from an application of its own, when it is first asked for."""

    @functools.cache
    def preview() -> PreviewRenderer:
        from portal.interstitial_preview import InterstitialPreview

        return InterstitialPreview(services, make_app)

    return preview
