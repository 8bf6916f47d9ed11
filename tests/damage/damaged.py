# SPDX-License-Identifier: GPL-3.0-or-later
"""Damaged copies of HDF5 files, the same for a number on every machine."""
import random

# What begins the structures of HDF5: trees, heaps, object headers of both generations.
SIGNATURES = [b"\x89HDF", b"TREE", b"SNOD", b"HEAP", b"GCOL", b"OHDR", b"OCHK", b"FRHP", b"FHDB", b"FHIB", b"BTHD",
              b"BTLF", b"BTIN", b"FSHD", b"FSSE", b"FADB", b"FAHD", b"EAHD", b"EAIB", b"EADB"]


def places(data):
    """Where structures begin. Old object headers have no signature: they stand on multiples of 8 behind each other, in
    the metadata, which our files keep in blocks at their begin and between the data."""
    found = []
    for signature in SIGNATURES:
        at = data.find(signature)
        while at >= 0:
            found.append(at)
            at = data.find(signature, at + 1)
    at = data.find(b"\x01\x00")  # version 1, a zero, then the number of messages
    while at >= 0 and len(found) < 5000:
        if at % 8 == 0 and data[at + 3:at + 4] == b"\x00" and data[at + 4:at + 8] == b"\x01\x00\x00\x00":
            found.append(at)
        at = data.find(b"\x01\x00", at + 1)
    return found or [0]


def damage(data, number):
    """A damaged copy of `data` and what was done to it."""
    draw = random.Random(number)
    copy = bytearray(data)
    begins = places(data)
    kind = draw.choice(["bit anywhere", "bit", "bit", "bits", "bits", "byte", "length", "zeros", "cut", "swap"])
    near = min(len(copy) - 16, draw.choice(begins) + draw.randrange(160))
    if kind == "bit anywhere":
        near = draw.randrange(len(copy))
    if kind.startswith("bit"):
        for _ in range(draw.randint(2, 8) if kind == "bits" else 1):
            copy[near] ^= 1 << draw.randrange(8)
            near = min(len(copy) - 16, draw.choice(begins) + draw.randrange(160))
    elif kind == "byte":
        copy[near] = draw.randrange(256)
    elif kind == "length":
        copy[near & ~7:(near & ~7) + 8] = draw.choice([b"\xff" * 8, b"\x00" * 7 + b"\x7f", b"\xff" * 4 + b"\x00" * 4])
    elif kind == "zeros":
        begin = draw.randrange(len(copy)) & ~511
        copy[begin:begin + 512] = bytes(len(copy[begin:begin + 512]))
    elif kind == "cut":
        del copy[draw.randrange(len(copy)):]
    else:  # two blocks change places
        one, other = (min(len(copy) - 64, draw.choice(begins)) for _ in range(2))
        copy[one:one + 64], copy[other:other + 64] = copy[other:other + 64], copy[one:one + 64]
    return bytes(copy), kind
