# SPDX-License-Identifier: GPL-3.0-or-later
"""Signals that end a study: handed on to the processes that carry it out, which write checkpoints and end."""
import signal
import threading
import time

from ..errors import Stopped

CAUGHT = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU)
AGAIN_S = 0.5  # one Ctrl-C may come twice


class Signals:
    """For `with`. `stop` is the first signal that came, else 0; a second SIGINT kills the processes, whose runs then go
    on from their last checkpoints. In a thread that is not the main one Python hears no signals."""

    def __init__(self):
        self.stop, self.processes = 0, []
        self._first = 0.0
        self._before = {}

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():
            ignored = signal.getsignal(signal.SIGHUP) == signal.SIG_IGN  # by nohup
            caught = [number for number in CAUGHT if not (ignored and number == signal.SIGHUP)]
            self._before = {number: signal.signal(number, self._handle) for number in caught}
        return self

    def __exit__(self, *_):
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def add(self, process):
        """A process that is to hear of the signals, and of the one that came while it was begun."""
        self.processes.append(process)
        if self.stop:
            process.terminate()

    def stopped(self, text):
        """What a call that was stopped raises."""
        return Stopped(f"stopped by {signal.Signals(self.stop).name}: {text}")

    def _handle(self, number, _frame):
        again = self.stop and number == signal.SIGINT and time.monotonic() > self._first + AGAIN_S
        if not self.stop:
            self.stop, self._first = number, time.monotonic()
        for process in self.processes:
            process.kill() if again else process.terminate()
