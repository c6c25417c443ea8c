"""What each kind of value may look like: one small check per kind, each giving the reason for a refusal.

Everything that reaches a NUT file, a mail header or a shell that NUT starts passes here first, and what
is allowed is listed, never what is forbidden. A check returns "" if the value is good, else what is wrong
with it, so that the caller can put the variable's name before it.
"""

from __future__ import annotations

import ipaddress
import re

__all__ = [
    "ACCOUNT_RESERVED",
    "account_problem",
    "address_problem",
    "email_problem",
    "host_port_problem",
    "host_problem",
    "monitor_problem",
    "password_problem",
    "sender_problem",
    "ups_name_problem",
    "url_problem",
    "user_problem",
    "word_problem",
]

ACCOUNT_RESERVED = frozenset({"master"})
"""Account names that the generator keeps for itself; upsd would merge two accounts of one name."""

PASSWORD_MAXIMUM = 64
DATA_MAXIMUM = 200

_UPS_NAME = re.compile(
    r"[A-Za-z0-9._][A-Za-z0-9._-]{0,63}"
)  # no leading '-': it would be an option
_ACCOUNT = re.compile(r"[A-Za-z0-9._-]{1,64}")
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
_LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_DNS_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?")
_PORT = re.compile(r"[0-9]{1,5}")
_URL = re.compile(r"https?://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?(/[!-~]*)?")
_UNQUOTABLE = "#\"'\\`$;<>|"
_MAIL_LOCAL = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._%+=~-]{0,63}")
_SENDER = re.compile(r"(?P<name>[^<>\"\\]*)<(?P<address>[^<>]*)>")


def ups_name_problem(value: str) -> str:
    if _UPS_NAME.fullmatch(value):
        return ""
    return "a UPS name is 1 to 64 letters, digits, '.', '_' or '-'"


def account_problem(value: str) -> str:
    if value.lower() in ACCOUNT_RESERVED:
        return f"the account name {value} is reserved"
    if _ACCOUNT.fullmatch(value):
        return ""
    return "an account name is 1 to 64 letters, digits, '.', '_' or '-'"


def user_problem(value: str) -> str:
    return "" if _USER.fullmatch(value) else "this is no name of a system user"


def password_problem(value: str) -> str:
    """Only what survives upsd.users, upsmon.conf and the wire unchanged (spec 3.5)."""
    if not value:
        return "a password may not be empty"
    if len(value) > PASSWORD_MAXIMUM:
        return f"a password has at most {PASSWORD_MAXIMUM} characters"
    for character in value:
        if character == " ":
            return "a password may not contain a space"
        if character in '#="\\':
            return 'a password may not contain # = " or \\'
        if not "!" <= character <= "~":
            kind = (
                "control characters"
                if character < " " or character == "\x7f"
                else "non-ASCII letters"
            )
            return f"a password may not contain {kind}"
    return ""


def word_problem(value: str) -> str:
    """A single word that needs no quoting anywhere (an SNMP community)."""
    if 1 <= len(value) <= PASSWORD_MAXIMUM and all(
        "!" <= character <= "~" and character not in '#="\\' for character in value
    ):
        return ""
    return 'must be one word of 1 to 64 printable ASCII characters without # = " or \\'


def host_problem(value: str) -> str:
    """A DNS name, an IPv4 address or an IPv6 address in brackets."""
    if value.startswith("[") and value.endswith("]"):
        try:
            ipaddress.IPv6Address(value[1:-1])
        except ValueError:
            return "no IPv6 address between the brackets"
        return "" if "%" not in value else "an address with a zone is not supported"
    if len(value) > 253 or not _DNS_NAME.fullmatch(value):
        return "a host is a DNS name, an IPv4 address or an IPv6 address in brackets"
    if re.fullmatch(r"[0-9.]+", value):
        try:
            ipaddress.IPv4Address(value)
        except ValueError:
            return "this is no IPv4 address"
    return ""


def port_problem(value: str) -> str:
    if _PORT.fullmatch(value) and 1 <= int(value) <= 65535:
        return ""
    return "a port is a number from 1 to 65535"


def host_port_problem(value: str) -> str:
    """A host with an optional ``:port``."""
    host, colon, port = value.rpartition(":")
    if not colon or port.endswith("]"):
        return host_problem(value)
    return host_problem(host) or port_problem(port)


def monitor_problem(value: str) -> str:
    """``name@host[:port]``, the target of upsmon. Its text reaches a shell in NUT up to 2.8.5."""
    name, at, place = value.partition("@")
    if not at:
        return "must be written name@host or name@host:port"
    return ups_name_problem(name) or host_port_problem(place)


def url_problem(value: str) -> str:
    """An http or https address without anything that needs quoting, and without a login: upsd shows
    ``port`` to everyone."""
    if len(value) > DATA_MAXIMUM:
        return f"at most {DATA_MAXIMUM} characters"
    match = _URL.fullmatch(value)
    if match is None or any(character in _UNQUOTABLE for character in value):
        return "must be an http:// or https:// address without blanks, quotes, # or \\"
    return host_problem(match[1]) or (port_problem(match[2][1:]) if match[2] else "")


def address_problem(value: str) -> str:
    """An address to listen on: IPv4 or IPv6, without brackets."""
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return f"{value!r} is no IPv4 or IPv6 address"
    return "" if "%" not in value else "an address with a zone is not supported"


def email_problem(value: str) -> str:
    local, at, domain = value.rpartition("@")
    if (
        at
        and _MAIL_LOCAL.fullmatch(local)
        and not host_problem(domain)
        and not domain.startswith("-")
    ):
        return ""
    return f"{value!r} is no mail address"


def sender_problem(value: str) -> str:
    """A mail address, bare or as ``Name <address>``."""
    match = _SENDER.fullmatch(value.strip())
    name, address = (match["name"], match["address"]) if match else ("", value.strip())
    if not (name + " ").isprintable() or len(name) > DATA_MAXIMUM:
        return "the sender's name holds control characters or is too long"
    return email_problem(address)
