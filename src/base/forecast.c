// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/forecast.h"

#include <math.h>
#include <stdio.h>

static const double LEAST_S = 2.0;     // less time tells nothing
static const double SHORTEST_S = 10.0; // that is looked back on, if there is as much
static const double RECENT = 0.25;     // share of the time that is looked back on
static const double MOST_S = 1e8;      // beyond three years it is as good as unknown

// Marks are so far apart that the ring holds all that is looked back on.
static void mark(stz_forecast *f, double wall_s, double share) {
  const int last = (f->marks - 1) % STZ_FORECAST_MARKS;
  const double apart = fmax(SHORTEST_S, RECENT * wall_s) / (STZ_FORECAST_MARKS - 2);
  if (f->marks > 0 && wall_s < f->wall_s[last] + apart) return;
  f->wall_s[f->marks % STZ_FORECAST_MARKS] = wall_s;
  f->share[f->marks % STZ_FORECAST_MARKS] = share;
  f->marks++;
}

double stz_forecast_left(stz_forecast *f, double wall_s, double share) {
  const double back = wall_s - fmax(SHORTEST_S, RECENT * wall_s);
  const int first = f->marks > STZ_FORECAST_MARKS ? f->marks - STZ_FORECAST_MARKS : 0;
  double left = NAN;
  for (int i = first; i < f->marks && isnan(left); i++) {
    const int at = i % STZ_FORECAST_MARKS;
    if (f->wall_s[at] < back) continue;
    const double passed = wall_s - f->wall_s[at], done = share - f->share[at];
    if (passed < LEAST_S || done <= 0.0) break;
    left = (1.0 - share) * passed / done;
  }
  mark(f, wall_s, share);
  return left <= MOST_S ? fmax(0.0, left) : NAN;
}

void stz_forecast_text(double left_s, char text[STZ_FORECAST_TEXT]) {
  const double minutes = floor(left_s / 60.0 + 0.5);
  if (isnan(left_s)) {
    snprintf(text, STZ_FORECAST_TEXT, "time left unknown");
  } else if (left_s < 59.5) {
    snprintf(text, STZ_FORECAST_TEXT, "%.0f s left", left_s);
  } else if (minutes < 100.0) {
    snprintf(text, STZ_FORECAST_TEXT, "%.0f min left", minutes);
  } else if (minutes < 2880.0) {
    snprintf(text, STZ_FORECAST_TEXT, "%.0f h %.0f min left", floor(minutes / 60.0), fmod(minutes, 60.0));
  } else {
    snprintf(text, STZ_FORECAST_TEXT, "%.0f d left", minutes / 1440.0);
  }
}
