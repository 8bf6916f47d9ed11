# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads results as stzpost does, many in one process: `reader.py FOLDER_OF_STZPOST` takes a path a line and answers
"CODE MESSAGE"; 1 for an exception that is none of stzpost's."""
import sys

sys.path.insert(0, sys.argv[1])
import stzpost  # noqa: E402
from stzpost.io.dataset import open_run  # noqa: E402
from stzpost.errors import StzPostError  # noqa: E402

for line in sys.stdin:
    path = line.rstrip("\n")
    try:
        result = stzpost.open_result(path)
        for name in result.field_names:
            result.field(name)
        open_run(path).load()
        print(0, flush=True)
    except StzPostError as error:
        print(2, str(error) if "\n" not in str(error) else "Traceback of several lines", flush=True)
    except Exception as error:  # the very thing looked for
        where = error.__traceback__
        while where.tb_next and "stzpost" in where.tb_next.tb_frame.f_code.co_filename:
            where = where.tb_next
        at = f"{where.tb_frame.f_code.co_filename.rpartition('/')[2]}:{where.tb_lineno}"
        print(1, f"Traceback {at} {type(error).__name__}: {error}".replace("\n", " "), flush=True)
