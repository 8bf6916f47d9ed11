# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands of stz-post that give data to other programs, or take them from there."""
from .. import later

particles = later.Module("io.particles")
open_result = later.function("io.result", "open_result")


def add(commands):
    """Adds the commands to the parser's."""
    text = "events as particles in time, for OVITO (.xyz) and ParaView (.vtp)"
    one = commands.add_parser("events", help=text, description=text)
    one.add_argument("file", metavar="FILE", help="a result with output.events = true")
    one.add_argument("-o", dest="output", required=True, metavar="EVENTS", help=".xyz, .extxyz or .vtp; lengths in nm")
    text = "frames in time, each with equally many events (default %(default)s); 1: all events at once"
    one.add_argument("--frames", type=int, default=50, metavar="N", help=text)
    one.add_argument("--so-far", action="store_true", help="a frame holds all events so far, not only its own")
    one.set_defaults(run=_events)


def _events(options):
    files = particles.write(open_result(options.file), options.output, options.frames, options.so_far)
    print(files[-1] if len(files) == 1 else f"{files[-1]}: {len(files) - 1} files")
