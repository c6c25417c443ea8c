"""Binding rows to fields: exact paths, counterparts, what must not be read, what is not declared."""

from __future__ import annotations

from dataclasses import replace

from tests.ups.build import descriptor, field
from usbhidups.hid.descriptor import ReportType
from usbhidups.ups.loading.library import Library
from usbhidups.ups.mapping import bind
from usbhidups.ups.profile import CommandRow, Condition, FlagRow, Pacing, Profile, VariableRow

GENERIC = Library().load("generic")

CHARGE = field("UPS.PowerSummary.RemainingCapacity", report_id=1, size=8)
TWIN = CHARGE._replace(report_type=ReportType.INPUT)
BOOST = field("UPS.Output.Boost", report_id=2, size=1, limits=(0, 1))
TEST = field("UPS.Battery.Test", report_id=3, size=8)


def profile(**parts: object) -> Profile:
    plain = replace(GENERIC, variables=(), flags=(), commands=(), pacing=Pacing())
    return replace(plain, **parts)  # type: ignore[arg-type]


def row(name: str, path: str, **how: object) -> VariableRow:
    return VariableRow(name=name, path=path, **how)  # type: ignore[arg-type]


def test_feature_goes_before_input_and_input_is_its_twin() -> None:
    made = profile(variables=(row("battery.charge", "UPS.PowerSummary.RemainingCapacity"),))
    (bound,) = bind(made, descriptor(TWIN, CHARGE)).variables
    assert (bound.field, bound.counterpart) == (CHARGE, TWIN)
    (bound,) = bind(made, descriptor(TWIN)).variables
    assert (bound.field, bound.counterpart) == (TWIN, None)


def test_interrupt_only_devices_are_read_by_input_alone() -> None:
    made = profile(
        variables=(row("battery.charge", "UPS.PowerSummary.RemainingCapacity"),),
        commands=(CommandRow("x", "UPS.PowerSummary.RemainingCapacity", 0),),
        pacing=Pacing(use_feature=False),
    )
    binding = bind(made, descriptor(TWIN._replace(flags=3)))
    assert binding.variables[0].field.report_type is ReportType.INPUT
    assert binding.commands[0].field.report_type is ReportType.FEATURE
    assert not binding.commands[0].field.flags & 1  # "constant" of an Input item says nothing


def test_paths_match_whole() -> None:
    made = profile(variables=(row("a.b", "UPS.PowerSummary"), row("a.c", "UPS.Output.Boost")))
    assert [bound.row.name for bound in bind(made, descriptor(CHARGE, BOOST)).variables] == ["a.c"]


def test_the_first_item_of_a_path_owns_it() -> None:
    second = CHARGE._replace(offset=8)
    made = profile(variables=(row("battery.charge", "UPS.PowerSummary.RemainingCapacity"),))
    (bound,) = bind(made, descriptor(CHARGE, second)).variables
    assert bound.field == CHARGE


def test_reports_that_hang_a_device_are_not_bound() -> None:
    made = profile(
        variables=(row("battery.charge", "UPS.PowerSummary.RemainingCapacity"),),
        pacing=Pacing(never_read=(1,)),
    )
    assert bind(made, descriptor(CHARGE)).variables == ()


def test_a_command_has_one_row_and_a_variable_all() -> None:
    made = profile(
        variables=(row("a.b", "UPS.Output.Boost"), row("a.b", "UPS.Battery.Test")),
        commands=(
            CommandRow("test", "UPS.Output.Test", 1),
            CommandRow("test", "UPS.Battery.Test", 1),
            CommandRow("test", "UPS.Output.Boost", 1),
        ),
    )
    binding = bind(made, descriptor(BOOST, TEST))
    assert [bound.row.path for bound in binding.alternatives("a.b")] == [
        "UPS.Output.Boost",
        "UPS.Battery.Test",
    ]
    assert [bound.row.path for bound in binding.commands] == ["UPS.Battery.Test"]
    assert binding.command("test") is binding.commands[0]
    assert binding.command("other") is None
    assert binding.field("UPS.Battery.Test") == TEST
    assert binding.field("UPS.Output.Test") is None


def test_conditions_that_can_never_hold_leave_a_row_out() -> None:
    on_missing = Condition(path="UPS.Output.Test", values=(1,))
    made = profile(
        variables=(
            row("a.b", "UPS.Output.Boost", when=on_missing),
            row("a.c", "UPS.Output.Boost", when=replace(on_missing, negated=True)),
            row("a.d", "UPS.Output.Boost", when=Condition(lacks="UPS.Battery.Test")),
            row("a.e", "UPS.Output.Boost", when=Condition(lacks="UPS.Output.Test")),
        ),
        flags=(FlagRow("UPS.Output.Boost", {1: "boost"}, when=on_missing),),
    )
    binding = bind(made, descriptor(BOOST, TEST))
    assert [bound.row.name for bound in binding.variables] == ["a.c", "a.e"]
    assert binding.flags == ()


def test_a_report_that_no_descriptor_declares() -> None:
    """Powercom's battery voltage is text in report 0xa4."""
    made = profile(variables=(row("battery.voltage", "UPS.Output.Boost", report=0xA4),))
    binding = bind(made, descriptor(BOOST))
    (bound,) = binding.variables
    assert (bound.field.report_id, bound.field.report_type) == (0xA4, ReportType.FEATURE)
    assert binding.descriptor.report_bytes[ReportType.FEATURE, 0xA4] == 7
    declared = descriptor(BOOST, field("UPS.iName", report_id=0xA4, size=40))
    assert bind(made, declared).descriptor.report_bytes[ReportType.FEATURE, 0xA4] == 5
