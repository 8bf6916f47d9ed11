# SPDX-License-Identifier: GPL-3.0-or-later
"""Opening of HDF5 files that may be damaged. A flipped bit can crash libhdf5, and Python with it, or keep it busy for
ever. So a file that stzkmc has closed is held against its checksum first (docs/output.md), and any other is read once by
a process of its own, with limits of processor time and memory. Whatever then fails is a StzPostError of one line."""
import contextlib
import ctypes
import errno
import io
import os
import resource
import signal
import traceback
from typing import Iterator, List, Optional, Sequence, Tuple, Union

import h5py
import numpy as np

from ..errors import StzPostError, Unreadable
from . import inputs

Path = Union[str, "os.PathLike[str]"]
SEAL_BEGIN, SEAL_BYTES = b"stzkmc-checksum ", 33
LANES, OFFSET, FACTOR = 4096, 0xCBF29CE484222325, 0x100000001B3
PIECE_BYTES = 1 << 24  # of a dataset that is read at a time
MEMORY_BYTES = 1 << 29  # of the process that looks, beyond what it begins with
DEFLATED = 50  # how much smaller than one of its datasets compression may make a file
MOST_KNOWN = 1 << 16  # files whose state is remembered
MOST_TOGETHER = 512  # files that are held against their checksums together, 32 KiB each

_known: dict = {}  # what is wrong with a file, None if nothing is: by its path, time, size and number


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
    """What reading of a file fails with becomes a StzPostError that names it."""
    try:
        yield
    except StzPostError:
        raise
    except MemoryError as error:
        raise Unreadable(f"{path}: damaged: claims to hold more than fits into memory") from error
    except OSError as error:
        if error.errno in (None, errno.EINVAL):  # of libhdf5, which was led to a place that no file has
            raise _damaged(path, error) from error
        raise Unreadable(f"{path}: {os.strerror(error.errno)}") from error
    except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
        raise _damaged(path, error) from error


def _damaged(path, error):
    return Unreadable(f"{path}: damaged, or not complete: {one_line(error)}")


@contextlib.contextmanager
def open_file(path: Path) -> Iterator[h5py.File]:
    """The HDF5 file, for reading. Raises StzPostError if that cannot be, and for whatever fails while it is open."""
    path = os.fspath(path)
    if os.path.isdir(path):
        raise Unreadable(f"{path}: is a folder, needs a file")
    if not os.path.isfile(path):
        raise Unreadable(f"{path}: no such file")
    inputs.note(path)
    with reading(path):
        fault = _look(path)
    if fault:
        raise Unreadable(f"{path}: {fault}")
    with reading(path), _Source(path) as source:
        try:
            with _opened(path, source) as file:
                yield file
        finally:
            if source.error:
                raise source.error


class _Source(io.FileIO):
    """A file for h5py, to which an object is not there where a part of the file cannot be read: the first error is kept."""

    def __init__(self, path: str) -> None:
        super().__init__(path, "r")
        self.error: Optional[OSError] = None

    def readinto(self, buffer) -> int:
        """Reads all of it; what would be beyond the end is zero, as libhdf5 has it."""
        try:
            done = super().readinto(buffer)
            while done < len(buffer):
                part = memoryview(buffer)[done:]
                got = super().readinto(part)
                if not got:
                    part[:] = bytes(len(part))
                done += got or len(part)
        except OSError as error:
            self.error = self.error or error
            raise
        return done


def one_line(error) -> str:
    """An exception's text, in one line."""
    return " ".join(str(error).split()).strip("'\"") or type(error).__name__


def _opened(path, source):
    try:
        return h5py.File(source, "r")  # without locks: a running engine may hold one
    except (OSError, RuntimeError, ValueError) as error:
        traceback.clear_frames(error.__traceback__)  # with what they hold, libhdf5 crashes when Python has ended
        raise Unreadable(f"{path}: not a readable HDF5 file ({one_line(error)})") from error


def _look(path):
    """What is wrong with a file, None if nothing is. Once for each state of a file."""
    state = _state(path)
    if state not in _known:
        fits = seal_fits(path, state[2])
        _keep(state, _look_apart(path, state[2]) if fits is None else _fault(fits))
    return _known[state]


def _state(path):
    status = os.stat(path)
    return path, status.st_mtime_ns, status.st_size, status.st_ino


def _fault(fits):
    return None if fits else "damaged: its content does not fit its checksum"


def _keep(state, fault):
    if len(_known) >= MOST_KNOWN:
        _known.clear()
    _known[state] = fault


def look_ahead(paths: Sequence[Path]) -> None:
    """Holds many files against their checksums, all at once in a fifth of the time; `open_file` then knows of them. Files
    that are not there or have no checksum are left to it."""
    for begin in range(0, len(paths), MOST_TOGETHER):
        _look_together(paths[begin : begin + MOST_TOGETHER])


def _look_together(paths):
    found = {}
    for path in map(os.fspath, paths):
        try:
            state = _state(path)
            opened = _open_seal(path, state[2]) if state not in _known else None
        except OSError:
            continue
        if opened is not None:
            found[state] = opened
    sums = _sums([lanes for _, lanes in found.values()], [state[2] - SEAL_BYTES for state in found])
    for (state, (seal, _)), total in zip(found.items(), sums):
        _keep(state, _fault(seal == _seal(total)))


def open_text(path: Path):
    """A text file, for `with`. Of a pipe one would wait for the writer, and /dev/zero has no end: these are refused."""
    if os.path.exists(path) and not os.path.isfile(path):
        raise StzPostError(f"{path}: is no file")
    inputs.note(path)
    return open(path, encoding="utf-8", errors="replace")


def seal_fits(path: Path, size: int):
    """Whether the content fits the checksum in the last line; None if there is no such line."""
    found = _open_seal(path, size)
    return None if found is None else found[0] == _seal(_sums([found[1]], [size - SEAL_BYTES])[0])


def _seal(total):
    return SEAL_BEGIN + b"%016x\n" % total


def _open_seal(path: Path, size: int) -> Optional[Tuple[bytes, np.ndarray]]:
    """The checksum in the last line, and the lanes that the content makes; None if there is no such line."""
    with open(path, "rb") as file:
        if size <= SEAL_BYTES:
            return None
        file.seek(size - SEAL_BYTES)
        seal = file.read(SEAL_BYTES)
        if not seal.startswith(SEAL_BEGIN):
            return None
        file.seek(0)
        return seal, _lanes(file, size - SEAL_BYTES)


def _lanes(file, size):
    """Of the next `size` bytes of a file."""
    lanes = np.uint64(OFFSET) + np.arange(LANES, dtype=np.uint64)
    left = size
    while left > 0:
        piece = file.read(min(left, LANES * 8))
        if not piece:
            raise OSError("it became shorter while it was read")
        left -= len(piece)
        lanes ^= np.frombuffer(piece.ljust(LANES * 8, b"\0"), "<u8")
        lanes *= np.uint64(FACTOR)
        lanes ^= lanes >> np.uint64(29)
    return lanes


def _sums(lanes: List[np.ndarray], sizes: List[int]) -> List[int]:
    """The checksums of contents by their lanes and sizes. One lane follows the other: of many contents side by side."""
    if len(lanes) < 16:
        return [_sum(*one) for one in zip(lanes, sizes)]
    totals = np.uint64(OFFSET) ^ np.array(sizes, dtype=np.uint64)
    for lane in np.array(lanes).T.copy():
        totals ^= lane
        totals *= np.uint64(FACTOR)
        totals ^= totals >> np.uint64(29)
    return totals.tolist()


def _sum(lanes, size):
    total, mask = OFFSET ^ size, (1 << 64) - 1
    for lane in lanes.tolist():
        total = (total ^ lane) * FACTOR & mask
        total ^= total >> 29
    return total


def _look_apart(path, size):
    """Reads everything in a process of its own. An object that cannot be read is no fault here: who needs it will find
    out, and a file that is being written has some."""
    if not hasattr(os, "fork"):
        return None
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = _read_all(path, size)
        finally:
            os._exit(code)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        late = os.WTERMSIG(status) == signal.SIGXCPU
        return "damaged: reading it " + ("takes too long" if late else "crashes libhdf5")
    return "damaged: it claims to hold more than the file can" if os.WEXITSTATUS(status) == 2 else None


def _read_all(path, size):
    """0, or 2 for datasets that are larger than the file can hold."""
    for stream in (1, 2):  # libc says there what libhdf5 has done to the memory
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
    with open("/proc/self/statm", encoding="ascii") as file:
        begin = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (begin + MEMORY_BYTES,) * 2)
    seconds = 5 + size // (20 << 20)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
    code, before = 0, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        with h5py.File(path, "r", locking=False) as file:
            code = _read_node(file, size, 0)
        grown = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
        if grown > MEMORY_BYTES // 2 + size:  # a text that claims to be that long
            code = 2
    except Exception:  # told better by who reads it
        pass
    close = getattr(ctypes.CDLL(h5py.h5f.__file__), "H5close", None)
    if close is not None:
        close()  # frees all that libhdf5 has: broken memory may show there alone
    return code


def _each(names, read):
    """The largest code of the things that can be read."""
    code = 0
    try:
        for name in names:
            try:
                code = max(code, read(name))
            except MemoryError:
                code = 2
            except Exception as error:
                code = 2 if "allocation failed" in str(error) else code
    except Exception:
        pass
    return code


def _read_node(node, size, depth):
    code = _each(node.attrs, lambda name: _read_attribute(node.attrs, name, size))
    if isinstance(node, h5py.Dataset):
        return max(code, _each([None], lambda _: _read_dataset(node, size)))
    if isinstance(node, h5py.Group) and depth < 16:
        code = max(code, _each(node, lambda name: _read_node(node[name], size, depth + 1)))
    return code


def _read_attribute(attributes, name, size):
    if attributes.get_id(name).get_storage_size() > size:
        return 2
    attributes[name]
    return 0


def _read_dataset(dataset, size):
    packed = dataset.compression is not None
    if dataset.nbytes > max(size, 1 << 20) * (DEFLATED if packed else 1):
        return 2
    if dataset.ndim == 0:
        dataset[()]
        return 0
    rows = max(1, PIECE_BYTES * len(dataset) // max(1, dataset.nbytes))
    for begin in range(0, len(dataset), rows):
        dataset[begin : begin + rows]
    return 0
