"""Evidence becomes variables and words: which row counts, when, and what is asked for."""

from __future__ import annotations

from dataclasses import replace

from tests.ups.build import descriptor, evidence, field
from usbhidups.hid.descriptor import ReportType
from usbhidups.identity import Identity
from usbhidups.ups.decode import Context, decode
from usbhidups.ups.evidence import Evidence
from usbhidups.ups.loading.library import Library
from usbhidups.ups.mapping import Binding, bind
from usbhidups.ups.options import Options
from usbhidups.ups.profile import Condition, FlagRow, Pacing, VariableRow

GENERIC = Library().load("generic")
FIRST = field("UPS.Output.PercentLoad", report_id=1, size=8)
SECOND = field("UPS.PowerSummary.PercentLoad", report_id=2, size=8)
BIT = field("UPS.Output.Boost", report_id=3, size=8)
CONTEXT = Context(identity=Identity(0x1234, 0x5678))


def row(name: str, path: str, **how: object) -> VariableRow:
    return VariableRow(name=name, path=path, **how)  # type: ignore[arg-type]


def bound(*rows: VariableRow, flags: tuple[FlagRow, ...] = ()) -> tuple[Binding, Evidence]:
    plain = replace(GENERIC, variables=rows, flags=flags, commands=(), pacing=Pacing())
    binding = bind(plain, descriptor(FIRST, SECOND, BIT))
    return binding, Evidence(binding.descriptor)


LOADS = (row("ups.load", "UPS.Output.PercentLoad"), row("ups.load", "UPS.PowerSummary.PercentLoad"))


def test_a_value_does_not_jump_between_two_sources() -> None:
    binding, said = bound(*LOADS)
    said.feed(ReportType.FEATURE, bytes.fromhex("0215"), 1.0)
    assert decode(binding, said, CONTEXT).variables == {}  # the better source was not asked yet
    said.refuse(ReportType.FEATURE, 1, 2.0)
    second = decode(binding, said, CONTEXT)
    assert second.variables["ups.load"].text == "21"
    assert second.variables["ups.load"].at == 1.0
    assert second.sources["ups.load"].bound.row.path == "UPS.PowerSummary.PercentLoad"
    said.feed(ReportType.FEATURE, bytes.fromhex("0114"), 3.0)
    assert decode(binding, said, CONTEXT).variables["ups.load"].text == "20"


def test_a_row_whose_value_says_nothing_gives_way() -> None:
    table = {1: "one"}
    binding, said = bound(
        row("a.b", "UPS.Output.PercentLoad", table=table),
        row("a.b", "UPS.PowerSummary.PercentLoad"),
    )
    said.feed(ReportType.FEATURE, bytes.fromhex("0105"), 0.0)
    said.feed(ReportType.FEATURE, bytes.fromhex("0206"), 0.0)
    assert decode(binding, said, CONTEXT).variables["a.b"].text == "6"


def test_a_value_of_the_drivers_own_is_there_without_a_read() -> None:
    binding, said = bound(row("ups.delay.start", "UPS.Output.Boost", default="30", writable=True))
    value = decode(binding, said, CONTEXT).variables["ups.delay.start"]
    assert (value.text, value.at, value.writable) == ("30", None, True)
    mine = replace(CONTEXT, settings={"ups.delay.start": "75"})
    assert decode(binding, said, mine).variables["ups.delay.start"].text == "75"


def test_strings_are_asked_for_and_then_shown() -> None:
    binding, said = bound(row("battery.type", "UPS.Output.Boost", convert="string"))
    said.feed(ReportType.FEATURE, bytes.fromhex("0304"), 0.0)
    first = decode(binding, said, CONTEXT)
    assert first.variables == {}
    assert set(first.wanted) == {4}
    second = decode(binding, said, replace(CONTEXT, strings={4: "PbAcid"}))
    assert (second.variables["battery.type"].text, second.wanted) == ("PbAcid", frozenset())


def test_conditions() -> None:
    path = "UPS.Output.PercentLoad"
    binding, said = bound(
        row("is.one", path, when=Condition(path="UPS.Output.Boost", values=(1,))),
        row("is.not.one", path, when=Condition(path="UPS.Output.Boost", values=(1,), negated=True)),
        row("a.family", path, when=Condition(families=("5p", "9e"))),
        row("an.option", path, when=Condition(option="pollonly")),
    )
    said.feed(ReportType.FEATURE, bytes.fromhex("0105"), 0.0)
    assert set(decode(binding, said, CONTEXT).variables) == {"is.not.one"}  # unread is not 1
    said.feed(ReportType.FEATURE, bytes.fromhex("0301"), 0.0)
    special = replace(CONTEXT, family="9e", options=Options(pollonly=True))
    assert set(decode(binding, said, special).variables) == {"is.one", "a.family", "an.option"}


def test_flags_say_words_and_alarms_say_texts() -> None:
    flags = (
        FlagRow("UPS.Output.Boost", {0: "!boost", 1: "boost"}, mask=0x02),
        FlagRow("UPS.Output.Boost", {1: "Too loud!"}, mask=0x04, alarm=True),
        FlagRow("UPS.Output.Boost", {5: "trim"}),
    )
    binding, said = bound(flags=flags)
    assert decode(binding, said, CONTEXT).opinions == ()
    said.feed(ReportType.FEATURE, bytes.fromhex("0306"), 7.0)
    decoded = decode(binding, said, CONTEXT)
    assert [(opinion.words, opinion.at) for opinion in decoded.opinions] == [(("boost",), 7.0)]
    assert decoded.alarms == ("Too loud!",)


def test_a_factor_that_was_decided_stays() -> None:
    path = "UPS.Output.PercentLoad"
    binding, said = bound(
        row("battery.voltage.nominal", "UPS.PowerSummary.PercentLoad"),
        row("battery.voltage", path, convert="battery-two-thirds", format="%.1f"),
    )
    said.feed(ReportType.FEATURE, bytes.fromhex("0218"), 0.0)
    said.feed(ReportType.FEATURE, bytes.fromhex("0127"), 0.0)
    first = decode(binding, said, CONTEXT)
    assert first.variables["battery.voltage"].text == "26.0"
    assert first.repairs == ("battery.voltage: 39 taken as 26.0",)
    said.feed(ReportType.FEATURE, bytes.fromhex("011e"), 1.0)
    second = decode(binding, said, replace(CONTEXT, memory=first.memory))
    assert second.variables["battery.voltage"].text == "20.0"


def test_an_override_counts_for_what_is_worked_out() -> None:
    path = "UPS.Output.PercentLoad"
    binding, said = bound(
        row("ups.load", path),
        row("ups.realpower", path, convert="computed-realpower"),
    )
    said.feed(ReportType.FEATURE, bytes.fromhex("0132"), 0.0)
    options = Options(overrides={"ups.power.nominal": "1000"})
    decoded = decode(binding, said, replace(CONTEXT, options=options))
    assert decoded.variables["ups.realpower"].text == "400"


def test_a_value_that_needs_itself_is_not_there() -> None:
    binding, said = bound(row("ups.load", "UPS.Output.PercentLoad", convert="computed-realpower"))
    said.feed(ReportType.FEATURE, bytes.fromhex("0132"), 0.0)
    assert decode(binding, said, CONTEXT).variables == {}


def test_evidence_of_the_plain_kind() -> None:
    said = evidence(descriptor(FIRST), "01 64", at=3.0)
    got = said.reading(FIRST)
    assert got is not None
    assert (got.logical, got.at) == (100, 3.0)
