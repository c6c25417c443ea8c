"""How long a lost device is left alone: more after each relapse, little after a loss that was not our doing."""

from __future__ import annotations

from tests.faults.rig import options_of
from usbhidups.driver.retry import Loss, Retry


def pause_after(retry: Retry, loss: Loss, *, now: float, urgent: bool = False) -> float:
    """Lose it at ``now`` and say after how many seconds it is looked for."""
    retry.lost(loss, rest=0.0, urgent=urgent, now=now)
    return retry.wait(now)


def test_what_left_and_was_well_is_looked_for_at_once() -> None:
    retry = Retry(options_of(), now=0.0)
    for minute in range(20):
        assert pause_after(retry, Loss.GONE, now=60.0 * minute) < 0.11
        retry.opened(60.0 * minute + 1.0)
        assert retry.well(60.0 * minute + 1.1)


def test_what_has_to_be_closed_again_soon_is_not_well() -> None:
    """Well until something fails, two seconds later: the pauses grow, to 15 s on mains and 5 s on battery."""
    for urgent, most in ((False, 15.0), (True, 5.0)):
        retry = Retry(options_of(), now=0.0)
        now, pauses = 0.0, []
        for _ in range(12):
            pauses.append(pause_after(retry, Loss.CLOSED, now=now, urgent=urgent))
            now += pauses[-1]
            retry.opened(now)
            now += 2.0
            assert not retry.well(now)
        assert pauses == sorted(pauses)
        assert pauses[-1] == most
        assert retry.well(now + 10.0)
        assert pause_after(retry, Loss.CLOSED, now=now + 10.0) < 0.11


def test_a_device_that_appears_after_our_own_reset_is_not_opened_sooner() -> None:
    retry = Retry(options_of(), now=0.0)
    for loss, at_once in ((Loss.CLOSED, True), (Loss.RESET, False)):
        for _ in range(8):
            retry.lost(loss, rest=0.0, urgent=False, now=0.0)
        retry.plugged(0.5)
        assert retry.due(0.5) is at_once


def test_any_number_of_losses_is_borne() -> None:
    retry = Retry(options_of(), now=0.0)
    for second in range(5000):
        assert pause_after(retry, Loss.GONE, now=float(second)) <= 15.0
    assert retry.losses == 5000
