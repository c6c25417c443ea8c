"""A stand-in for the USB driver: publishes what a JSON file says, and notes how it was called.

Started by NUT's upsdrvctl or by the keeper as ``usbhid-ups -a NAME [-F] [-u USER] [-k]``. It shares no code
with the project. Everything is below the directory of this file's caller: ``<dir>/NAME.json`` holds the
variables; ``<dir>/calls`` gets a line for each start; ``<dir>/killcode`` is the exit status of ``-k``.
"""

import json
import os
import pathlib
import select
import signal
import socket
import sys
import time


def note(directory: pathlib.Path, text: str) -> None:
    with open(directory / "calls", "a", encoding="ascii") as file:
        file.write(f"{time.monotonic():.3f} {text}\n")


def kill(directory: pathlib.Path, name: str) -> int:
    note(directory, f"kill {name}")
    code = (
        (directory / "killcode").read_text().strip() if (directory / "killcode").exists() else "0"
    )
    if code == "hang":
        signal.pause()
    return int(code)


def lines_of(variables: dict[str, str]) -> list[str]:
    return [f'SETINFO {key} "{value}"' for key, value in sorted(variables.items())]


def serve(directory: pathlib.Path, name: str, socket_path: pathlib.Path) -> None:
    data_file = directory / f"{name}.json"
    socket_path.unlink(missing_ok=True)
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(socket_path))
    socket_path.chmod(0o666)
    server.listen(16)
    note(directory, f"start {name}")
    clients: dict[socket.socket, bytes] = {}
    variables: dict[str, str] = {}
    seen = ""
    while True:
        text = data_file.read_text()
        if text != seen:
            seen, before, variables = text, variables, json.loads(text)
            news = [f"DELINFO {k}" for k in before if k not in variables]
            news += lines_of({k: v for k, v in variables.items() if before.get(k) != v})
            for client in list(clients):
                send(clients, client, news)
        if (directory / f"{name}.hang").exists():
            time.sleep(0.05)
            continue
        ready, _, _ = select.select([server, *clients], [], [], 0.05)
        for source in ready:
            if source is server:
                clients[server.accept()[0]] = b""
                continue
            try:
                data = source.recv(4096)
            except OSError:
                data = b""
            if not data:
                del clients[source]
                source.close()
                continue
            *complete, clients[source] = (clients[source] + data).split(b"\n")
            for line in complete:
                if line == b"DUMPALL":
                    dump = [*lines_of(variables), "ADDCMD load.off", "DATAOK", "DUMPDONE"]
                    send(clients, source, dump)
                elif line == b"PING":
                    send(clients, source, ["PONG"])


def send(clients: dict[socket.socket, bytes], client: socket.socket, lines: list[str]) -> None:
    try:
        client.sendall("".join(line + "\n" for line in lines).encode("ascii"))
    except OSError:
        clients.pop(client, None)
        client.close()


def main(directory: pathlib.Path, arguments: list[str]) -> int:
    name = arguments[arguments.index("-a") + 1]
    if "-k" in arguments:
        return kill(directory, name)
    if not (directory / f"{name}.json").exists():
        note(directory, f"absent {name}")
        return 1
    state = pathlib.Path(os.environ["NUT_STATEPATH"])
    serve(directory, name, state / f"{pathlib.Path(sys.argv[0]).name}-{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]), sys.argv[2:]))
