# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of several files says most about each measured row."""
from . import targets


def evidence(files):
    """For each row of the table the file that says most about it."""

    def best(name, key):
        having = [one for one in files if name in one.found]
        return max(having, key=lambda one: key(one.found[name]), default=None)

    relaxed = best("relaxation", lambda r: (not r.fit.refused, r.segment.type == "actuator", r.window[1]))
    pulled = best("stress-strain", lambda t: float(t.strain.max()))
    probed = best("nbed", len)
    main = next(one for one in (relaxed, pulled, probed, files[0]) if one is not None)
    return targets.Evidence(
        result=main.result,
        relaxation=relaxed and relaxed.found["relaxation"],
        relaxation_result=relaxed and relaxed.result,
        tension=pulled and pulled.found["stress-strain"],
        levels=probed and probed.found["nbed"],
        levels_result=probed and probed.result,
    )
