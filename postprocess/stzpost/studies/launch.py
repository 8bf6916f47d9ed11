# SPDX-License-Identifier: GPL-3.0-or-later
"""The sweeps of a study, carried out by `stzkmc sweep`.

Each sweep is written as DIR/NAME.cfg and its results lie in DIR/NAME, so that a user can read it, run it alone or submit
it to a cluster. Here some processes of one rank each go through all the sweeps in turn. Which run is whose, what is done
and what goes on from a checkpoint is the business of `stzkmc sweep`: by its manifest and its locks any number of
processes, of this call or of others, may work on one folder."""
import contextlib
import os
import subprocess
import sys
import time
from dataclasses import dataclass

from ..errors import StzPostError
from ..io import writing
from ..units import time_text
from .news import News, left_text
from .signals import Signals
from .sweeps import finished

LOOK_S = 0.1  # between two looks at the processes
NEWS_S = 0.5  # between two looks at the manifests
TELL_S = 30.0  # without a word while runs go on
HELD_S = 2.0  # between two tries to take the runs that another call has


@dataclass(frozen=True)
class Estimate:
    """What `stzkmc sweep --dry-run` says of a sweep."""

    runs: int
    left: int
    core_s: float  # of the runs that are left


def prepare(sweeps, program, inputs, directory):
    """Writes the sweep files and asks `stzkmc sweep --dry-run` about each: {name: Estimate}. If one is refused, as its
    folder has results of other settings, all files stay as they were."""
    was_there = os.path.isdir(directory)
    found = {}
    try:
        os.makedirs(directory, exist_ok=True)
        with contextlib.ExitStack() as files:
            for sweep in sweeps:
                temporary = files.enter_context(writing.replacing(os.path.join(directory, sweep.name + ".cfg")))
                base = os.path.relpath(os.path.realpath(os.path.join(inputs, sweep.input)), os.path.realpath(directory))
                with open(temporary, "w", encoding="utf-8") as file:
                    file.write(sweep.text(base))
                found[sweep.name] = _estimate(program, temporary, os.path.join(directory, sweep.name))
    finally:
        if not was_there:
            with contextlib.suppress(OSError):
                os.rmdir(directory)  # if nothing has come into it
    return found


def _estimate(program, path, folder):
    command = [program, "sweep", path, "-o", folder, "--dry-run"]
    asked = subprocess.run(command, capture_output=True, text=True, start_new_session=True)
    if asked.returncode != 0:
        said = _last_line(asked.stderr) or f"{program} sweep: exit {asked.returncode}"
        if "of another input: " in said:
            said += f"; remove {folder}, or give another -o"
        raise StzPostError(said)
    told = dict(line.split(": ", 1) for line in asked.stdout.splitlines())
    return Estimate(int(told["runs"]), int(told["runs_left"]), 3600.0 * float(told["core_hours"]))


def _last_line(text):
    return (text.strip().splitlines() or [""])[-1].removeprefix("stzkmc: ")


def progress(text):
    """Writes a line of progress to stderr."""
    print(text, file=sys.stderr, flush=True)


def carry_out(sweeps, program, inputs, directory, jobs, say=progress, spare=0.0):
    """Runs what is not done, `jobs` runs at a time; returns the runs of all sweeps, in order. `say` gets a line a run.
    Raises Stopped after a signal, and StzPostError when any run failed, naming the first and its log; if all others are
    done and no more than the share `spare` failed, that is only said, and they are left out."""
    try:
        with Signals() as signals:
            work = _Work(sweeps, program, directory, prepare(sweeps, program, inputs, directory), signals, say)
            work.carry_out(jobs, spare)
    except OSError as error:
        raise StzPostError(f"{error.filename or directory}: {error.strerror}") from error
    return [run for sweep in sweeps for run in finished(sweep, directory)]


class _Work:
    """What one call does, and how far all calls have come."""

    def __init__(self, sweeps, program, directory, estimates, signals, say):
        self.sweeps, self.program, self.directory, self.signals, self.say = sweeps, program, directory, signals, say
        self.news = {one.name: News(os.path.join(directory, one.name)) for one in sweeps}
        self.runs = sum(one.runs for one in estimates.values())
        self.core_s = sum(one.core_s for one in estimates.values())
        self.broken = ""  # why a process failed, though none of its runs did
        self.begin = time.monotonic()
        self.ended_s = 0.0  # expected duration of the runs that have ended since
        self.looked = self.told = self.begin
        for one in self.news.values():
            list(one.read())
            one.begun.clear()  # those of other calls: they may have been killed

    @property
    def done(self):
        return sum(one.done for one in self.news.values())

    def carry_out(self, jobs, spare):
        if self.done == self.runs:
            self.say(f"all {self.runs} runs are done")
            return
        jobs = max(1, min(jobs, self.runs - self.done))
        self.say(f"{self.done}/{self.runs} runs done, {jobs} at a time")
        self._go_through(jobs)
        if self._goes_on():
            left = self.runs - self.done
            self.say(f"{left} run{'s' * (left > 1)} left to another call, waiting")
        while self._goes_on():
            self._wait(HELD_S)
            self._go_through(1)
        if self.signals.stop:
            raise self.signals.stopped(f"{self.done} of {self.runs} runs are done, the same command goes on")
        failed = sum(len(one.failed()) for one in self.news.values())
        if failed > spare * self.runs or self.done + failed < self.runs:
            raise StzPostError(self._failure() or self.broken)
        if failed:
            self.say(f"left out: {self._failure()}")

    def _goes_on(self):
        return self.done < self.runs and not (self.signals.stop or self.broken or self._failure())

    def _go_through(self, jobs):
        """`jobs` processes side by side, each of which takes the sweeps in turn."""
        turns = [self._turn() for _ in range(jobs)]
        while turns:
            turns = [one for one in turns if next(one, None)]
            self._wait(LOOK_S)
        self._look()

    def _turn(self):
        """Takes the sweeps in turn; yields while one is under way."""
        for sweep in self.sweeps:
            if self.signals.stop:
                return
            if self.news[sweep.name].all_done:
                continue
            process = self._start(sweep)
            while process.poll() is None:
                yield True
            self.signals.processes.remove(process)
            if process.returncode not in (0, 75) and not self.broken:
                with open(self._log(sweep), encoding="utf-8", errors="replace") as file:
                    said = _last_line(file.read())
                self.broken = f"{sweep.name}: exit {process.returncode}: {said}; its log: {self._log(sweep)}"

    def _start(self, sweep):
        stem = os.path.join(self.directory, sweep.name)
        command = [self.program, "sweep", stem + ".cfg", "-o", stem, "--resume"]
        with open(self._log(sweep), "ab") as log:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self.signals.add(process)
        return process

    def _log(self, sweep):
        return os.path.join(self.directory, sweep.name + ".log")

    def _wait(self, seconds):
        """Tells meanwhile which runs have come to an end."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and (self.signals.processes or not self.signals.stop):
            if time.monotonic() > self.looked + NEWS_S:
                self._look()
            time.sleep(min(left, LOOK_S))

    def _look(self):
        self.looked = time.monotonic()
        for name, news in self.news.items():
            for number, run in news.read() if not news.all_done else ():
                self.ended_s += run["estimate_s"]
                how = f"done after {run['wall_s']:.3g} s" if run["state"] == "done" else f"failed: {run['message']}"
                self._tell(f"{name}: run {number} {how}")
        begun = [at for news in self.news.values() for at in news.begun.values()]
        if begun and time.monotonic() > self.told + TELL_S:
            self._tell(f"{len(begun)} running, for up to {time_text(time.monotonic() - min(begun))}")

    def _tell(self, what):
        self.told = time.monotonic()
        share = self.ended_s / self.core_s if self.core_s > 0 else 1.0
        left = left_text(self.told - self.begin, share) if self.done < self.runs else "none left"
        self.say(f"{self.done}/{self.runs}, {left}; {what}")

    def _failure(self):
        """A sentence about the runs that failed, or nothing."""
        failed = [(sweep, number, run) for sweep in self.sweeps for number, run in self.news[sweep.name].failed()]
        if not failed:
            return ""
        sweep, number, run = failed[0]
        which = ", ".join([f"seed {run['seed']}", *(f"{name} {value}" for name, value in run["parameters"].items())])
        return (
            f"{len(failed)} of {self.runs} runs failed, the first: {sweep.name}, run {number} ({which}): "
            f"{run['message']}; its log: {self._log(sweep)}"
        )
