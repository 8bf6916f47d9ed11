# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands of stz-post that give data to other programs, or take them from there."""
from .. import later

particles, volumes = map(later.Module, ("io.particles", "io.volumes"))
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

    text = "a composition field or phase map of other programs as HDF5 for microstructure.file"
    one = commands.add_parser("field", help=text, description=text)
    one.add_argument("file", metavar="FILE", help=".npy, .npz, .vti or HDF5; values from 0 to 1")
    one.add_argument("-o", dest="output", required=True, metavar="FIELD.h5", help="the file to write")
    one.add_argument("--array", metavar="NAME", help="array of the file, where it has several")
    text = "axes in the order of the indices, capital where one runs backwards: xyz, zyx, zYx (default: as the file " \
           "declares; .npy xyz, .vti zyx)"
    one.add_argument("--axes", metavar="AXES", help=text)
    text = "voxel of the file, counted from 0 after turning, that becomes the first (default 0,0,0)"
    one.add_argument("--origin", type=_three, metavar="X,Y,Z", help=text)
    one.add_argument("--cells", type=_three, metavar="X,Y,Z", help="voxels from there on (default: all)")
    one.add_argument("--scale", type=float, default=1.0, metavar="X", help="factor of the values: 0.01 for percent")
    one.set_defaults(run=_field)


def _events(options):
    files = particles.write(open_result(options.file), options.output, options.frames, options.so_far)
    print(files[-1] if len(files) == 1 else f"{files[-1]}: {len(files) - 1} files")


def _field(options):
    choice = volumes.Choice(options.array, options.axes, options.origin, options.cells, options.scale)
    values, notes = volumes.read(options.file, choice)
    volumes.write(options.output, values, options.file)
    cells = ", ".join(map(str, values.shape))
    print("\n".join(notes))
    print(f'{options.output}: lattice: {{ cells = [{cells}]; }}; microstructure: {{ type = "file"; '
          f'file = "{options.output}"; }};')


def _three(text):
    numbers = [int(word) for word in text.split(",")]
    if len(numbers) != 3:
        raise ValueError
    return tuple(numbers)


_three.__name__ = "three numbers, X,Y,Z"  # as argparse names it
