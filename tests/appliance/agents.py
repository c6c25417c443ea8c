"""Two network UPSes that are not there: Debian's snmpd with UPS-MIB values, and an MGE XML card's web pages."""

from __future__ import annotations

import http.server
import shutil
import subprocess
import threading
from pathlib import Path

__all__ = ["snmp_agent", "xml_card"]

UPS_MIB = ".1.3.6.1.2.1.33.1"
SNMPD = f"""
agentaddress udp:127.0.0.1:1161
rocommunity public 127.0.0.1
sysobjectid .1.3.6.1.2.1.33
override {UPS_MIB}.1.1.0 octet_str "Maker"
override {UPS_MIB}.1.2.0 octet_str "Card 1"
override {UPS_MIB}.2.1.0 integer 2
override {UPS_MIB}.2.2.0 integer 0
override {UPS_MIB}.2.3.0 integer 20
override {UPS_MIB}.2.4.0 integer 77
override {UPS_MIB}.3.2.0 integer 1
override {UPS_MIB}.3.3.1.3.1 integer 230
override {UPS_MIB}.4.1.0 integer 3
override {UPS_MIB}.4.4.1.5.1 integer 12
"""

PRODUCT = """<?xml version="1.0"?>
<PRODUCT_INFO name="Network Management Card" type="Mosaic M" version="BA"><SUMMARY>
<XML_SUMMARY_PAGE url="/upsprop.xml" security="none" mode=""/></SUMMARY></PRODUCT_INFO>"""
SUMMARY = """<?xml version="1.0"?>
<SUMMARY><OBJECT name="UPS.PowerSummary.PresentStatus.ACPresent">1</OBJECT>
<OBJECT name="UPS.PowerSummary.PresentStatus.Discharging">0</OBJECT>
<OBJECT name="UPS.PowerSummary.PresentStatus.Charging">1</OBJECT>
<OBJECT name="UPS.PowerSummary.RemainingCapacity">66</OBJECT>
<OBJECT name="UPS.PowerSummary.iProduct">Evolution</OBJECT></SUMMARY>"""


def snmp_agent(base: Path) -> subprocess.Popen[bytes]:
    configuration = base / "snmpd.conf"
    configuration.write_text(SNMPD)
    program = shutil.which("snmpd", path="/usr/sbin:/sbin:/usr/bin") or "snmpd"
    return subprocess.Popen(
        [program, "-f", "-Ln", "-C", "-c", str(configuration), "-I", "-smux"],
        env={"SNMP_PERSISTENT_DIR": str(base), "PATH": "/usr/sbin:/usr/bin:/bin"},
    )


class _Pages(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        text = PRODUCT if "product" in self.path else SUMMARY
        data = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_POST = do_GET

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        print(format % args, flush=True)


def xml_card() -> http.server.ThreadingHTTPServer:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
