"""The files with which a device joins the encrypted network: pure, one function for each system's form.

Each holds the private key of one device. The name that a device says in the open is the same for all: `outer_name`.
"""

from __future__ import annotations

import base64
import plistlib
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from xml.sax.saxutils import escape

from auth.devices import certificates
from auth.devices.certificates import KeyPair


@dataclass(frozen=True, slots=True)
class Profile:
    """`host` is the name in the certificate of the server that the device is to believe, and the realm.

    `pair` is empty for the files that hold no key.
    """

    title: str
    host: str
    ssids: tuple[str, ...]
    pair: KeyPair
    authority: str
    password: str = field(repr=False)
    until: datetime


def outer_name(host: str) -> str:
    """The identity on the air (RFC 7542 section 2.4): the certificate says which device it is, and no name."""
    return f"anonymous@{host}"


def apple(profile: Profile) -> bytes:
    """A configuration profile (Apple, "Configuration Profile Reference") for iOS, iPadOS and macOS.

    It removes itself when the certificate ends.
    """
    name = f"{profile.host}.wifi"
    anchor, identity = (_uuid(profile, part) for part in ("authority", "identity"))
    payloads: list[dict[str, object]] = [
        {
            **_payload("com.apple.security.root", f"{name}.authority", anchor),
            "PayloadContent": certificates.der(profile.authority),
        },
        {
            **_payload("com.apple.security.pkcs12", f"{name}.identity", identity),
            "PayloadContent": certificates.bundle(profile.pair, profile.title, profile.password),
            "Password": profile.password,
        },
    ]
    for ssid in profile.ssids:
        payloads.append(
            {
                **_payload("com.apple.wifi.managed", f"{name}.network", _uuid(profile, f"network {ssid}")),
                "SSID_STR": ssid,
                "AutoJoin": True,
                "HIDDEN_NETWORK": False,
                # WPA3 too, where the access point has it.
                "EncryptionType": "WPA2",
                "PayloadCertificateUUID": identity,
                "EAPClientConfiguration": {
                    "AcceptEAPTypes": [13],
                    "UserName": outer_name(profile.host),
                    "PayloadCertificateAnchorUUID": [anchor],
                    "TLSTrustedServerNames": [profile.host],
                    "TLSMinimumVersion": "1.2",
                    "TLSMaximumVersion": "1.3",
                },
            }
        )
    whole = {
        **_payload("Configuration", name, _uuid(profile, "profile")),
        "PayloadDisplayName": profile.title,
        "PayloadContent": payloads,
        "PayloadRemovalDisallowed": False,
        "RemovalDate": profile.until.replace(tzinfo=None),
    }
    return plistlib.dumps(whole)


def passpoint(profile: Profile) -> bytes:
    """A Passpoint profile for Android: a MIME message, in base64, of a subscription (Hotspot 2.0 section 9.1), the
    authority's certificate, and key and certificate under an empty password."""
    parts = (
        ("application/x-passpoint-profile", _subscription(profile).encode()),
        ("application/x-x509-ca-cert", certificates.der(profile.authority)),
        ("application/x-pkcs12", certificates.bundle(profile.pair, profile.title, "")),
    )
    boundary = "arobase-passpoint"
    lines = [f"Content-Type: multipart/mixed; boundary={boundary}", "Content-Transfer-Encoding: base64", ""]
    for kind, content in parts:
        lines += [f"--{boundary}", f"Content-Type: {kind}", "Content-Transfer-Encoding: base64", ""]
        lines += [base64.b64encode(content).decode(), ""]
    lines += [f"--{boundary}--", ""]
    return base64.b64encode("\r\n".join(lines).encode())


def windows(profile: Profile) -> bytes:
    """A WLAN profile for Windows (`netsh wlan add profile`), which takes the key from the user's own certificates."""
    ssid = profile.ssids[0]
    thumb = certificates.fingerprint(profile.authority, algorithm="sha1").replace(":", " ").lower()
    return _WINDOWS.format(
        ssid=escape(ssid), octets=ssid.encode().hex().upper(), host=escape(profile.host), thumb=thumb
    ).encode()


def key_file(profile: Profile) -> bytes:
    """Key and certificate of the device, under the password: for systems that ask for them one by one."""
    return certificates.bundle(profile.pair, profile.title, profile.password)


def authority_file(profile: Profile) -> bytes:
    """The authority's certificate in DER."""
    return certificates.der(profile.authority)


def _payload(kind: str, identifier: str, own: str) -> dict[str, object]:
    return {"PayloadType": kind, "PayloadVersion": 1, "PayloadIdentifier": identifier, "PayloadUUID": own}


def _uuid(profile: Profile, part: str) -> str:
    """The same for the same certificate, so that a profile loaded again takes the place of itself."""
    own = uuid.uuid5(uuid.NAMESPACE_DNS, f"{certificates.fingerprint(profile.pair.certificate)} {part}")
    return str(own).upper()


def _subscription(profile: Profile) -> str:
    mark = certificates.fingerprint(profile.pair.certificate).replace(":", "").lower()
    return _PASSPOINT.format(
        title=escape(profile.title),
        host=escape(profile.host),
        mark=mark,
        until=f"{profile.until:%Y-%m-%dT%H:%M:%SZ}",
    )


_PASSPOINT = """\
<MgmtTree xmlns="syncml:dmddf1.2">
<VerDTD>1.2</VerDTD>
<Node>
<NodeName>PerProviderSubscription</NodeName>
<RTProperties><Type><DDFName>urn:wfa:mo:hotspot2dot0-perprovidersubscription:1.0</DDFName></Type></RTProperties>
<Node>
<NodeName>i001</NodeName>
<Node>
<NodeName>HomeSP</NodeName>
<Node><NodeName>FriendlyName</NodeName><Value>{title}</Value></Node>
<Node><NodeName>FQDN</NodeName><Value>{host}</Value></Node>
</Node>
<Node>
<NodeName>Credential</NodeName>
<Node><NodeName>ExpirationDate</NodeName><Value>{until}</Value></Node>
<Node><NodeName>Realm</NodeName><Value>{host}</Value></Node>
<Node>
<NodeName>DigitalCertificate</NodeName>
<Node><NodeName>CertificateType</NodeName><Value>x509v3</Value></Node>
<Node><NodeName>CertSHA256Fingerprint</NodeName><Value>{mark}</Value></Node>
</Node>
</Node>
</Node>
</Node>
</MgmtTree>
"""

_WINDOWS = """\
<?xml version="1.0"?>
<WLANProfile xmlns="http://www.microsoft.com/networking/WLAN/profile/v1">
<name>{ssid}</name>
<SSIDConfig><SSID><hex>{octets}</hex><name>{ssid}</name></SSID></SSIDConfig>
<connectionType>ESS</connectionType>
<connectionMode>auto</connectionMode>
<MSM><security>
<authEncryption><authentication>WPA2</authentication><encryption>AES</encryption><useOneX>true</useOneX></authEncryption>
<OneX xmlns="http://www.microsoft.com/networking/OneX/v1">
<authMode>user</authMode>
<EAPConfig>
<EapHostConfig xmlns="http://www.microsoft.com/provisioning/EapHostConfig">
<EapMethod>
<Type xmlns="http://www.microsoft.com/provisioning/EapCommon">13</Type>
<VendorId xmlns="http://www.microsoft.com/provisioning/EapCommon">0</VendorId>
<VendorType xmlns="http://www.microsoft.com/provisioning/EapCommon">0</VendorType>
<AuthorId xmlns="http://www.microsoft.com/provisioning/EapCommon">0</AuthorId>
</EapMethod>
<Config xmlns="http://www.microsoft.com/provisioning/EapHostConfig">
<Eap xmlns="http://www.microsoft.com/provisioning/BaseEapConnectionPropertiesV1">
<Type>13</Type>
<EapType xmlns="http://www.microsoft.com/provisioning/EapTlsConnectionPropertiesV1">
<CredentialsSource>
<CertificateStore><SimpleCertSelection>true</SimpleCertSelection></CertificateStore>
</CredentialsSource>
<ServerValidation>
<DisableUserPromptForServerValidation>true</DisableUserPromptForServerValidation>
<ServerNames>{host}</ServerNames>
<TrustedRootCA>{thumb} </TrustedRootCA>
</ServerValidation>
<DifferentUsername>false</DifferentUsername>
</EapType>
</Eap>
</Config>
</EapHostConfig>
</EAPConfig>
</OneX>
</security></MSM>
</WLANProfile>
"""
