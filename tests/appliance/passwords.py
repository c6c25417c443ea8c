"""Passwords end to end: file, upsd, upsmon, wire."""

from __future__ import annotations

from typing import Any

from tests.appliance.stage import Stage, Wire
from usbhidups.appliance.generate import master_password

ALLOWED = [chr(code) for code in range(0x21, 0x7F) if chr(code) not in '#="\\']


def probes(stage: Stage) -> dict[str, Any]:
    """Accounts for every allowed character in each place, each followed by one MONITOR line of one upsmon."""
    accounts = {}
    for number, character in enumerate(ALLOWED):
        places = (f"{character}secret", f"sec{character}ret", f"secret{character}")
        for place, password in zip("fml", places, strict=True):
            accounts[f"u{number}{place}"] = password
    (stage.base / "etc/users").write_text("".join(f"{u} {p}\n" for u, p in accounts.items()))
    (stage.base / "etc/users").chmod(0o600)
    stage.boot(UPS_DRIVER="usbhid-ups", UPS_EXTRA_USERS=str(stage.base / "etc/users"))
    stage.ready()
    conf = stage.layout.conf_dir / "upsmon.conf"
    template = conf.read_text()
    monitor = next(line for line in template.splitlines() if line.startswith("MONITOR"))
    lines = []
    for number, (user, password) in enumerate(accounts.items()):
        host = f"127.0.{number // 250}.{number % 250 + 1}"  # upsmon wants every line to name another system
        lines.append(f'MONITOR ups@{host} 1 {user} "{password}" secondary')
    stage.services.stop()
    conf.write_text(template.replace(monitor, "\n".join(lines)))
    server = stage.layout.conf_dir / "upsd.conf"
    server.write_text(server.read_text().replace("127.0.0.1", "0.0.0.0"))  # noqa: S104
    complaints = stage.start()
    stage.until(lambda: stage.logins() == len(accounts), "every login of upsmon")
    shortened = set()
    for user, password in list(accounts.items())[2::3]:
        with Wire() as wire:
            shortened.add(wire.log_in(user, password[:-1]))
    stage.services.stop()
    fresh = [master_password() for _ in range(1000)]
    users = stage.layout.conf_dir / "upsd.users"
    users.write_text(
        "".join(f'[m{i}]\npassword = "{p}"\nupsmon primary\n' for i, p in enumerate(fresh))
    )
    stage.start()
    stage.until(lambda: stage.variable("ups.status") == "OL", "data again")
    answers = set()
    for i, password in enumerate(fresh):
        with Wire() as wire:
            answers.add(wire.log_in(f"m{i}", password))
    return {
        "complaints": complaints,
        "accounts": len(accounts),
        "shortened": sorted(shortened),
        "fresh": sorted(answers),
        "different": len(set(fresh)),
        "shape": all(len(p) >= 22 and p.replace("-", "").replace("_", "").isalnum() for p in fresh),
    }
