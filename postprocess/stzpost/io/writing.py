# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are whole under their name, or not there."""
import contextlib
import os

from ..errors import StzPostError


@contextlib.contextmanager
def replacing(path):
    """Gives a temporary name to write; at the end that file goes to the disk and gets its name.

    After a failure what was there stays; one of the system is an StzPostError of one line. The suffix stays, as writers
    of figures and HDF5 look at it."""
    folder, name = os.path.split(path)
    temporary = os.path.join(folder, f".{os.getpid()}.{name}")
    try:
        yield temporary
        _sync(temporary, os.O_RDONLY)
        os.replace(temporary, path)
        _sync(folder or ".", os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise StzPostError(f"{path!r}"[1:-1] + f": {error.strerror or error}") from error
    finally:
        with contextlib.suppress(OSError):
            os.remove(temporary)


def _sync(path, flags):
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def text(path, newline=None, errors=None):
    """A text file to write, for `with`, as `replacing` does."""
    with replacing(path) as temporary:
        with open(temporary, "w", encoding="utf-8", newline=newline, errors=errors) as file:
            yield file


def data(path, content):
    """Writes bytes."""
    with replacing(path) as temporary:
        with open(temporary, "wb") as file:
            file.write(content)


@contextlib.contextmanager
def hdf5(path):
    """An HDF5 file to write. It is made in memory: libhdf5 can crash where a disk is full."""
    import h5py  # it takes long to import, and few commands need it

    with h5py.File("memory", "w", driver="core", backing_store=False) as file:
        yield file
        file.flush()
        image = file.id.get_file_image()
    data(path, image)
