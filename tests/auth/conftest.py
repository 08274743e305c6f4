from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy.orm import Session

from auth.patrons.ldap.client import LdapDirectory
from auth.vouchers import plans
from config import LdapSettings
from sites.models import Gateway
from tests.services.slapd import Slapd, running_slapd
from tests.services.tcp_proxy import TcpProxy, tcp_proxy
from tests.town import build_town

MakeDirectory = Callable[..., LdapDirectory]


@pytest.fixture(scope="session")
def slapd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    with running_slapd(tmp_path_factory.mktemp("slapd")) as server:
        server.add_patron("29000001", "1234", employeeType="adult")
        server.add_patron("jean-paul", "open sesame")
        server.add_patron("29000404", "the right one", cardEnds="20260630", employeeType="child")
        server.add_patron("29000405", "another right one", cardBlocked="TRUE")
        yield server


@pytest.fixture
def make_directory(slapd: Slapd) -> Iterator[MakeDirectory]:
    """Make directories on the shared slapd with some settings changed; closed when the test is over."""
    made: list[LdapDirectory] = []

    def make(settings: LdapSettings | None = None, **changes: Any) -> LdapDirectory:
        made.append(LdapDirectory(settings or slapd.settings(**changes)))
        return made[-1]

    yield make
    for directory in made:
        directory.close()


@pytest.fixture
def proxy(slapd: Slapd) -> Iterator[TcpProxy]:
    with tcp_proxy(slapd.port) as running:
        yield running


@pytest.fixture
def directory(make_directory: MakeDirectory) -> LdapDirectory:
    return make_directory()


@pytest.fixture
def bayle(db: Session) -> Gateway:
    """The gateway of a library, in a town that issues passes."""
    plans.add_first_plans(db)
    return build_town(db).pierre_bayle
