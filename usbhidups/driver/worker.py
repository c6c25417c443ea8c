"""The thread that turns a DeviceLoop. A thread stuck in the kernel can be left behind and replaced.

Python cannot end a thread that sits in an uninterruptible system call (failure B18); it can stop
listening to it. ``abandon`` does that: whatever the thread still says is dropped.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from usbhidups.driver.device_loop import Connect, DeviceLoop
from usbhidups.driver.messages import Job, Notice
from usbhidups.nut.upsconf import DriverOptions

__all__ = ["Worker"]

_log = logging.getLogger(__name__)


class Worker:
    """One device_loop in one thread. All methods may be called from the main thread."""

    def __init__(
        self,
        *,
        name: str,
        connect: Connect,
        post: Callable[[Notice], None],
        clock: Callable[[], float],
        options: DriverOptions,
    ) -> None:
        self._name = name
        self._post = post
        self._clock = clock
        self._wake = threading.Event()
        self._ending = threading.Event()
        self._abandoned = False
        self._turned_at = time.monotonic()
        self._device_loop = DeviceLoop(
            name=name,
            connect=connect,
            post=self._say,
            clock=self._tick,
            wait=self._wait,
            sleep=time.sleep,
            options=options,
        )
        self._thread = threading.Thread(target=self._run, name=f"usb-{name}", daemon=True)

    def start(self) -> None:
        """Begin; the first notice says where the device stands."""
        self._thread.start()

    def submit(self, job: Job) -> None:
        """Hand over a job; its Answer comes back as a notice."""
        self._device_loop.submit(job)
        self._wake.set()

    def plugged(self) -> None:
        """A device appeared on the bus."""
        self._device_loop.plugged()
        self._wake.set()

    def unplugged(self) -> None:
        """A device left the bus: notice it now, not at the next transfer."""
        self._device_loop.wake()
        self._wake.set()

    @property
    def silent_for(self) -> float:
        """Seconds since the thread last looked at the clock: how long one transfer has taken so far.

        The time that the machine was asleep does not count: nobody hangs who could not run (failure C16).
        """
        return time.monotonic() - self._turned_at

    @property
    def good_until(self) -> float:
        """When what was posted last is stale unless more is heard."""
        return self._device_loop.good_until

    def end(self) -> None:
        """Ask the thread to end."""
        self._ending.set()
        self._wake.set()
        self._device_loop.wake()

    def stop(self, timeout: float) -> bool:
        """End the thread; False when it did not end within ``timeout`` seconds (it is left behind)."""
        self.end()
        if self._thread.is_alive():
            self._thread.join(timeout)
        if self._thread.is_alive():
            self.abandon()
            return False
        return True

    def abandon(self) -> None:
        """Stop listening to this thread for good."""
        self._abandoned = True
        self._ending.set()

    def _run(self) -> None:
        try:
            while not self._ending.is_set():
                self._turn()
        finally:
            self._device_loop.close()

    def _turn(self) -> None:
        try:
            self._device_loop.turn()
        except Exception as error:  # noqa: BLE001  # whatever it is, the UPS has to be watched
            _log.exception("%s: an error in the driver; starting anew with the device", self._name)
            self._device_loop.internal_error(
                f"an error in the driver: {type(error).__name__}: {error}"
            )

    def _say(self, notice: Notice) -> None:
        if not self._abandoned:
            self._post(notice)

    def _tick(self) -> float:
        self._turned_at = time.monotonic()
        return self._clock()

    def _wait(self, seconds: float) -> None:
        self._wake.wait(seconds)
        self._wake.clear()
