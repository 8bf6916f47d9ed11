# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are whole under their name, or not there."""
import contextlib
import io
import os

from ..errors import StzPostError
from . import inputs


@contextlib.contextmanager
def replacing(path):
    """Gives a temporary name to write; at the end that file goes to the disk and gets its name.

    After a failure what was there stays; one of the system is an StzPostError of one line. The suffix stays, as writers
    of figures and HDF5 look at it. A link is written where it leads; what is no file, as /dev/null, is left alone."""
    path = os.path.realpath(path) if os.path.islink(path) else path
    if os.path.exists(path) and not os.path.isfile(path):
        raise StzPostError(f"{path!r}"[1:-1] + ": is no file, cannot be replaced")
    _expect_no_input(path)
    folder, name = os.path.split(path)
    temporary = os.path.join(folder, f".{os.getpid()}.{name}")
    try:
        with contextlib.suppress(OSError):
            os.remove(temporary)
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))  # a link would lead to somebody's file
        yield temporary
        _expect_no_input(path)  # what is written may have been read meanwhile, as the runs of a sweep
        _sync(temporary, os.O_RDONLY)
        os.replace(temporary, path)
        _sync(folder or ".", os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        reason = error.strerror or error
        if folder and isinstance(error, FileNotFoundError) and not os.path.exists(folder):
            reason = "the folder " + f"{folder!r}"[1:-1] + " is not there; make it first"
        raise StzPostError(f"{path!r}"[1:-1] + f": {reason}") from error
    finally:
        with contextlib.suppress(OSError):
            os.remove(temporary)


def _expect_no_input(path):
    if inputs.is_one(path):
        raise StzPostError(f"{path!r}"[1:-1] + ": is an input itself, needs another output")


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


class _Sink(io.FileIO):
    """A file for h5py. libhdf5 can crash where a write fails, so that it is not told: the first error is kept, and from
    then on nothing is written."""

    def __init__(self, path):
        super().__init__(path, "w+")
        self.error = None

    def _try(self, call, *arguments):
        try:
            return call(*arguments) if self.error is None else None
        except OSError as error:
            self.error = error
            return None

    def _write(self, view):
        while view:
            view = view[super().write(view):]

    def write(self, data):
        self._try(self._write, memoryview(data).cast("B"))
        return len(data)

    def truncate(self, size=None):
        return self._try(super().truncate, size)


@contextlib.contextmanager
def large_hdf5(path):
    """As `hdf5`, for what may not fit into memory: gives the file, and a function that raises what has failed so far."""
    import h5py

    with replacing(path) as temporary:
        sink = _Sink(temporary)

        def check():
            if sink.error:
                raise sink.error

        try:
            with h5py.File(sink, "w") as file:
                yield file, check
        except Exception:
            check()  # what else has failed may follow from it
            raise
        finally:
            sink.close()
        check()
