"""The screens of OPNsense's captive portal, and the page of its zone, which needs script as its own does."""

from __future__ import annotations

from gateways.set_up import Lines
from gateways.uam.box import BoxFacts

PAGE = """\
<!doctype html>
<meta charset="utf-8">
<title>Wifi</title>
<noscript>Ce wifi demande un navigateur avec JavaScript. This wifi needs a browser with JavaScript.</noscript>
<script>
"use strict";
const portal = "@LANDING@";
const said = new URLSearchParams(location.search);
const here = location.origin + "/index.html";
async function ask(path, form) {
  const body = new URLSearchParams(form);
  return (await fetch("/api/captiveportal/access/" + path, {method: "POST", body})).json();
}
async function go(error) {
  const state = await ask("status/", {});
  const more = {mac: state.macAddress, ip: state.ipAddress, login: here};
  if (error) more.error = error;
  location.replace(portal + "?" + new URLSearchParams(more));
}
async function sign_in() {
  const state = await ask("logon/", {user: said.get("user"), password: said.get("password")});
  const back = said.get("back") || "";
  if (state.clientState !== "AUTHORIZED") go(state.clientState || "UNKNOWN");
  else location.replace(back.startsWith(new URL(portal).origin + "/") ? back : portal);
}
if (said.has("user")) sign_in(); else go("");
</script>
"""


def lines(box: BoxFacts) -> tuple[Lines, ...]:
    server = f"""\
Type: RADIUS
Hostname or IP address: {box.radius}
Shared secret: {box.shared_secret}
Services offered: Authentication and Accounting
"""
    zone = f"""\
Allowed addresses: those of {box.host}
Authenticate using: the server above
Always send accounting requests: on
Extended pre-authentication data: on
Custom template: a template with the page below as index.html
"""
    return (
        Lines("System > Access > Servers", server),
        Lines("Services > Captive Portal > Administration > the zone", zone),
        Lines("index.html", PAGE.replace("@LANDING@", box.landing)),
    )
