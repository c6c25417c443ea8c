"""Rows of the catalogue that tests of other folders show: at the layer where the failure would be made.

Each entry names a test that exists (``test_table`` looks it up), and what it shows.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass

__all__ = ["ELSEWHERE", "Shown", "exists"]


@dataclass(frozen=True, slots=True)
class Shown:
    """``test`` is module and function under ``tests``: ``ups/test_fixes::test_x``."""

    row: str
    scenario: str
    test: str


def exists(test: str) -> bool:
    """Whether the test that is named so is there."""
    module, _, name = test.partition("::")
    found = getattr(importlib.import_module(f"tests.{module.replace('/', '.')}"), name, None)
    return name.startswith("test_") and callable(found)


ELSEWHERE = (
    Shown(
        "A06",
        "nominal power and voltages beyond their declared limits: widened or kept as sent, never cut",
        "ups/test_fixes::test_cyberpower_nominal_power_is_not_cut",
    ),
    Shown(
        "A07",
        "27 ff ff ff fe as a maximum: the width of the field counts",
        "ups/test_fixes::test_limits_with_their_bytes_reversed",
    ),
    Shown(
        "A08",
        "a maximum below its minimum is read unsigned, and noted",
        "hid/test_descriptor::test_a_maximum_below_the_minimum_is_read_unsigned",
    ),
    Shown(
        "A09",
        "every recorded descriptor, odd ones too, gives the fields that another parser finds",
        "hid/test_second_opinion::test_hid_tools_finds_the_same_bits",
    ),
    Shown(
        "A13",
        "a maker's name or a number where a date should be is no date",
        "ups/test_convert::test_a_date_that_is_a_text",
    ),
    Shown(
        "A14",
        "strings, usages and ids choose the profile together: an Epyc ION with CyberPower's ids is none",
        "ups/test_choose::test_ids_and_strings_choose",
    ),
    Shown(
        "A14",
        "22.6 V at the output while the mains have 227 V: a tenth, put right",
        "ups/test_convert::test_an_output_that_is_a_tenth_of_the_mains",
    ),
    Shown(
        "A15",
        "a keyboard on the same bus: neither opened nor asked anything",
        "usb/test_local::test_the_only_ups",
    ),
    Shown(
        "A16",
        "no kernel driver bound, on a real kernel: reached by libusb, told with hidraw",
        "vm/test_kernel_driver::test_auto_does_without_the_kernels_driver",
    ),
    Shown(
        "A16",
        "its interface has no driver: found by its ids",
        "usb/test_discover::test_no_driver_bound",
    ),
    Shown(
        "B19",
        "started in the background: opened once, after the fork, and followed from there",
        "driver/test_process::test_b19_a_driver_in_the_background_follows_the_device",
    ),
    Shown(
        "C10",
        "of two that match none is opened, and both are named",
        "usb/test_local::test_two_that_match_are_refused_by_name",
    ),
    Shown(
        "C11",
        "the second driver on a device is told who holds it",
        "usb/test_local::test_two_drivers_do_not_share_a_device",
    ),
    Shown(
        "C12",
        "detaching finds no driver (ENOENT, ENODATA): as good as detached",
        "usb/test_libusb::test_a_driver_that_left_meanwhile_is_success",
    ),
    Shown(
        "C12",
        "claiming a busy interface is tried again, then its holder is named",
        "usb/test_libusb::test_claiming_is_tried_three_times",
    ),
    Shown(
        "C15",
        "four lengths and the kernel's copy are climbed: no single path to the descriptor",
        "usb/test_report_descriptor::test_which_copy_is_kept",
    ),
    Shown(
        "C15",
        "what millions of fuzzed descriptors left in the corpus goes through",
        "fuzz/test_corpus::test_kept_inputs_raise_nothing",
    ),
    Shown("E01", "all bits set is no value", "ups/test_convert::test_sentinels_are_no_values"),
    Shown(
        "E02",
        "-1 is a countdown that does not run, and no other value",
        "ups/test_convert::test_minus_one_is_a_countdown_that_does_not_run_and_no_other_value",
    ),
    Shown(
        "E03",
        "voltages of a millionth of a volt are volts",
        "ups/test_convert::test_voltages_with_a_wrong_exponent",
    ),
    Shown(
        "E03",
        "499 Hz are 49.9 Hz",
        "ups/test_convert::test_frequencies_too_high_by_powers_of_ten",
    ),
    Shown(
        "E03",
        "a battery voltage too high by half is put right once it cannot be right",
        "ups/test_convert::test_a_battery_voltage_too_high_by_half_is_repaired_for_good",
    ),
    Shown(
        "E04",
        "what cannot be kelvin is celsius",
        "ups/test_convert::test_kelvin_or_celsius_by_range",
    ),
    Shown("E05", "numbers as text, in a payload", "ups/test_convert::test_payloads"),
    Shown(
        "E06",
        "a nominal value of 0 was never filled in",
        "ups/test_convert::test_sentinels_are_no_values",
    ),
    Shown(
        "E08",
        "a setting that is not taken is a failure, with what the device shows",
        "test_execute::test_a_setting_that_the_device_does_not_take_is_a_failure",
    ),
    Shown(
        "F01",
        "no driver left, / read-only, no /run, no TMPDIR: the power is cut",
        "killpower/test_processes::test_read_only_root_and_no_run",
    ),
    Shown(
        "F02",
        "the running driver is asked to do it",
        "killpower/test_processes::test_running_driver_does_it_and_leaves",
    ),
    Shown(
        "F02",
        "the driver hangs and its directory is gone: it is put out of the way",
        "killpower/test_processes::test_driver_that_hangs_and_whose_state_directory_is_gone",
    ),
    Shown(
        "F03",
        "delays are rounded up to what the device can count, never to nothing",
        "ups/test_commands::test_delays_are_rounded_up_to_minutes_and_never_to_nothing",
    ),
    Shown(
        "F03",
        "every family that can be cut: the load goes when it shall, and returns with the mains",
        "killpower/test_nights::test_the_whole_night",
    ),
    Shown(
        "F05",
        "mains back before the late step, or before the cut: the load is cycled all the same",
        "killpower/test_nights::test_mains_back_too_early_still_cycle_the_load",
    ),
    Shown(
        "F05",
        "a firmware that obeys on battery only: seen, and the host is told to reboot",
        "killpower/test_nights::test_firmware_that_obeys_only_on_battery",
    ),
    Shown(
        "F06",
        "accepted and ignored: never called verified; on mains the host is told to reboot",
        "killpower/test_nights::test_accepted_and_ignored",
    ),
    Shown(
        "F06",
        "a timer that keeps the number and does not count is no success",
        "killpower/test_nights::test_number_that_stands_still_proves_nothing",
    ),
    Shown(
        "F09",
        "Powercom's minutes and seconds, in their order of bytes",
        "ups/test_convert::test_timers_of_minutes_and_seconds",
    ),
    Shown(
        "F09",
        "delays beyond two hours, or below nothing, are refused",
        "ups/test_commands::test_refusals",
    ),
    Shown(
        "F12",
        "while mains are there kill-power never sends load.off, after which such a firmware stays in bypass",
        "test_execute::test_while_mains_are_there_only_what_brings_the_load_back_is_tried",
    ),
    Shown(
        "G01",
        "the driver is killed, with good and with stale data: upsd is back with the next one",
        "nut/test_end_to_end::test_upsd_recovers_when_the_driver_is_killed_and_started_again",
    ),
    Shown(
        "G02",
        "mode 0660 and the group are given before anybody can connect",
        "driver/test_server::test_the_group_is_given",
    ),
    Shown(
        "G02",
        "a group that may not be given: said, and nothing left behind",
        "driver/test_server::test_a_group_that_may_not_be_given_leaves_nothing_behind",
    ),
    Shown(
        "G03",
        "whatever fuzzing made a device say: whole lines, bounded, printable",
        "fuzz/test_corpus::test_kept_inputs_raise_nothing",
    ),
    Shown(
        "G05",
        "a PID file that names a stranger, nobody or nothing is nobody's; the stranger is left alone",
        "driver/test_instance::test_a_pid_file_that_names_no_driver",
    ),
    Shown(
        "G05",
        "a driver that hangs and has no socket left is found by its PID file and replaced",
        "driver/test_instance::test_a_driver_that_hangs_is_found_by_its_pid_file",
    ),
    Shown(
        "G06",
        "memory, threads and descriptors after 1,000 reconnections, and after 100,000",
        "driver/test_reconnect::test_reconnections_in_virtual_time_leave_nothing_behind",
    ),
    Shown(
        "G07",
        "clients vanish in every state, in the middle of a dump too",
        "driver/test_server::test_clients_vanish_in_every_state",
    ),
    Shown(
        "G07",
        "a thousand clients connect and die in the middle of a dump: memory, threads and descriptors stay",
        "driver/test_reconnect::test_a_thousand_clients_come_and_die",
    ),
    Shown(
        "G07",
        "a client that never reads is dropped at a bound",
        "driver/test_server::test_a_client_that_never_reads_is_dropped_at_the_bound",
    ),
    Shown(
        "G08",
        "no UPS found: of each device it is said why it is none",
        "usb/test_local::test_none_tells_of_each_device_why",
    ),
    Shown(
        "G08",
        "what stands in the way of reading, one situation at a time, with what mends it",
        "probe/test_problem::test_the_document_says_what_probe_says",
    ),
    Shown(
        "G11",
        "the driver first, then upsd",
        "nut/test_end_to_end::test_the_driver_may_start_before_upsd",
    ),
    Shown(
        "G11",
        "upsd first, then the driver",
        "nut/test_end_to_end::test_upsc_prints_every_expected_variable_and_the_mains_edge",
    ),
)
