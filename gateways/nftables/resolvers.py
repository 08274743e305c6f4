"""The rules for clients whose lease names a resolver: their DNS goes there, and to no other. Pure text.

``resolvers4`` and ``resolvers6`` say which resolver a number has, ``answers4`` and ``answers6`` the same as pairs,
``resolved`` which numbers have one. DNS over UDP and TCP (RFC 1035, RFC 7766) is sent on to it whatever server was
asked; DNS over TLS and over QUIC (port 853: RFC 7858, RFC 9250) is refused, so that a device goes back to plain DNS. A
family without a resolver of the client has no DNS. DNS over HTTPS (RFC 8484) looks like any other website and is left
to the resolver, which does not tell the names of such services.
"""

from __future__ import annotations

ASKED = "meta l4proto { tcp, udp } th dport 53"


def to_resolver_rules() -> list[str]:
    """Where a question really goes. Of a family that has no resolver it goes on, and is refused where it arrives."""
    return [
        "meta nfproto ipv4 dnat ip to meta mark map @resolvers4",
        "meta nfproto ipv6 dnat ip6 to meta mark map @resolvers6",
        "accept",
    ]


def keep_resolver_rules() -> list[str]:
    """What is forwarded of these clients' DNS: questions to their own resolver.

    A flow that was sent elsewhere before stays translated to there for as long as it is used: it goes no further.
    """
    return [
        "meta l4proto != { tcp, udp } return",
        "th dport != { 53, 853 } return",
        "th dport 53 meta nfproto ipv4 meta mark . ip daddr @answers4 return",
        "th dport 53 meta nfproto ipv6 meta mark . ip6 daddr @answers6 return",
        *_refusal(),
    ]


def own_resolver_rules(port: int) -> list[str]:
    """Of the gateway itself these clients ask nothing, in flows from before their lease neither."""
    return [f"meta mark @resolved meta l4proto {{ tcp, udp }} th dport {{ 53, {port} }} goto refuse_dns"]


def refuse_dns_rules() -> list[str]:
    return _refusal()


def _refusal() -> list[str]:
    """At once, so that a device asks in another way instead of waiting."""
    return ["meta l4proto tcp reject with tcp reset", "reject with icmpx admin-prohibited"]
