"""The note that goes with the data, in the language of those who asked."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sessions.legal_requests.finding import Doubt, Exactness, Identification, Why
from sessions.legal_requests.models import Requisition
from sessions.legal_requests.scopes import RequestScope, ScopeKind

TOWN = ZoneInfo("Europe/Paris")
WHY = {
    Why.BLOCK: "la passerelle réservait ce bloc de ports à un seul client",
    Why.ALONE: "les ports étaient partagés, mais une seule session était ouverte derrière cette adresse",
    Why.SHARED: "ce port est de ceux que se partagent les clients sans bloc de ports à eux",
    Why.ALL_PORTS: "les clients derrière cette adresse se partageaient tous les ports",
    Why.NO_PORT: "la demande ne donne pas de port : tous les clients de l'adresse répondent à la description",
    Why.TOLERANCE: "le port a changé de titulaire dans la marge d'horloge indiquée",
    Why.NOBODY: "personne n'avait cette adresse et ce port à cet instant",
    Why.UNKNOWN_ADDRESS: "cette adresse n'est, et à notre connaissance n'a été, celle d'aucune de nos passerelles",
    Why.WINDOW: "toutes les périodes d'accès comprises dans l'intervalle demandé",
}
DOUBTS = {
    Doubt.CLOCK: "une horloge fausse d'une minute changerait la réponse : vérifiez l'heure de votre relevé",
    Doubt.ZONE: "rien à cet instant, mais quelque chose à la même heure dans l'autre fuseau (UTC ou heure locale) : "
    "vérifiez le fuseau de votre relevé",
    Doubt.OFFSET: "le décalage horaire indiqué n'est ni UTC ni celui de la ville ce jour-là",
    Doubt.FUTURE: "l'instant demandé est dans l'avenir",
    Doubt.OLD: "l'instant demandé est plus ancien que la durée de conservation : des lignes ont pu être effacées",
    Doubt.TWICE: "cette heure a existé deux fois cette nuit-là (passage à l'heure d'hiver) : précisez le décalage",
}
KINDS = {
    ScopeKind.DEVICE: "adresse MAC",
    ScopeKind.ADDRESS: "adresse interne",
    ScopeKind.SITE: "site",
    ScopeKind.PERSON: "pseudonyme",
}


def exactness_in_words(finding: Identification) -> str:
    """How exact the answer is, and why: one sentence."""
    head = {
        Exactness.ONE: "UNE session, et une seule",
        Exactness.SEVERAL: f"{finding.sessions} sessions possibles, sans qu'on puisse dire laquelle",
        Exactness.NONE: "AUCUNE session",
        Exactness.LISTED: f"{finding.sessions} session(s)",
    }[finding.exactness]
    return f"{head} : {WHY[finding.why]}."


def scope_in_words(scope: RequestScope) -> str:
    """What was asked, on one line."""
    if scope.kind is ScopeKind.ORIGIN:
        assert scope.at is not None
        port = f"port source {scope.port}" if scope.port else "sans port"
        return (
            f"adresse publique {scope.public_address}, {port}, à l'instant {_both(scope.at)} "
            f"(tel qu'écrit : {scope.told} ; marge d'horloge : ± {scope.tolerance_seconds} s)"
        )
    assert scope.since is not None and scope.until is not None
    return f"{KINDS[scope.kind]} {scope.value}, du {_both(scope.since)} au {_both(scope.until)} (exclu)"


def read_me(entry: Requisition, finding: Identification, *, now: datetime) -> str:
    """LISEZMOI.txt."""
    doubts = "".join(f"  - ATTENTION : {DOUBTS[doubt]}.\n" for doubt in finding.doubts)
    basis = f"{entry.basis.name} – {entry.basis_text or entry.basis.text}"
    return f"""RÉPONSE À RÉQUISITION no {entry.id}
établie le {_both(now)}

Demandeur   : {entry.authority}
Signataire  : {entry.signer}
Référence   : {entry.reference}
Fondement   : {basis}
Demande     : {scope_in_words(RequestScope.of(entry.scope))}

RÉPONSE
  {exactness_in_words(finding)}
{doubts}
FICHIERS
  demande.json      la demande telle qu'inscrite au registre
  reponse.csv       les données (UTF-8, virgules) ; reponse.json : les mêmes
  manifest.json     l'empreinte SHA-256 de chaque fichier, l'exactitude de la réponse, la tête du journal d'audit
  manifest.sig      la signature Ed25519 du manifeste ; public-key.pem : la clé publique

  Les instants « _utc » sont en temps universel, « _local » à l'heure de Paris avec son décalage. « subject » est un
  pseudonyme propre à l'installation ; la ville n'exige aucune identité d'un visiteur. « at_the_instant » : faux
  lorsque la session n'apparaît que dans la marge d'horloge. Les heures sont celles du serveur de la ville.

VÉRIFICATION, sans la ville ni son logiciel
  sha256sum -c SHA256SUMS
  openssl pkeyutl -verify -pubin -inkey public-key.pem -rawin -in manifest.json -sigfile manifest.sig
  Comparez public-key.pem avec la clé que la ville vous a remise par un autre canal.

NOTE JURIDIQUE
  Ces données sont conservées un an à compter de chaque connexion (CPCE L34-1 II bis 3°, R10-13 IV ; décret
  2021-1362, art. 5). Ni contenu, ni adresse consultée, ni nom de domaine ne sont enregistrés (CPCE L34-1 VI). La
  réponse se limite à ce qui est demandé. Elle contient des données personnelles : conservez-la comme telle.
"""


def _both(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC ({at.astimezone(TOWN):%d/%m/%Y %H:%M:%S, UTC%z})"
