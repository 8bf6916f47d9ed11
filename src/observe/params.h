// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef STZ_OBSERVE_PARAMS_H
#define STZ_OBSERVE_PARAMS_H

// The observers. Each is a file src/observe/observers/NAME.c and an entry here.
#define STZ_OBSERVERS(X)                                                                                               \
  X(history)                                                                                                           \
  X(events)                                                                                                            \
  X(avalanches)                                                                                                        \
  X(nbed)                                                                                                              \
  X(snapshots)                                                                                                         \
  X(statistics)

#define STZ_OBSERVER_VALUE(name) STZ_OBSERVER_##name,
enum { STZ_OBSERVERS(STZ_OBSERVER_VALUE) STZ_OBSERVER_COUNT };

typedef struct stz_history_params {
  int points_per_decade; // rows per decade of time since the clock's zero of a segment
  double strain_step;    // a row at least each time the driven strain has moved by this
} stz_history_params;

enum { STZ_NBED_PROBES = 1 << 24 }; // places of the probe side by side in a box, at most

typedef struct stz_nbed_params {
  double foil_nm;  // thickness of the foil along the beam
  double probe_nm; // diameter of the probe, and step of its grid
  int scans;       // scans of 10 x 10 patterns per level
  int beam;        // axis of the beam: 0, 1, 2
} stz_nbed_params;

typedef struct stz_avalanche_params {
  double window;   // of an event, as a fraction of the mean time between events within reach
  double reach_nm; // distance at which an event still triggers
} stz_avalanche_params;

#endif
