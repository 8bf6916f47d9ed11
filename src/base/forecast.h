// SPDX-License-Identifier: GPL-3.0-or-later
//
// The time left of a long task, by its recent advance.
#ifndef STZ_BASE_FORECAST_H
#define STZ_BASE_FORECAST_H

enum { STZ_FORECAST_MARKS = 64, STZ_FORECAST_TEXT = 32 };

// Plain data; initialise it with zeros: nothing is known.
typedef struct stz_forecast {
  double wall_s[STZ_FORECAST_MARKS], share[STZ_FORECAST_MARKS]; // the last marks, in a ring
  int marks;                                                    // set so far
} stz_forecast;

// Notes in `forecast` (in and out) that the fraction `share` of the task, 0 to 1, is done `wall_s` seconds after its
// begin. Returns the time left, s, by the advance in the last quarter of the time, at least in its last 10 s; NAN if it
// is unknown, since the task did not advance or has hardly begun.
double stz_forecast_left(stz_forecast *forecast, double wall_s, double share);

// Writes `left_s` (NAN: unknown) as text: "time left unknown", "40 s left", "12 min left", "3 h 20 min left", "5 d
// left".
void stz_forecast_text(double left_s, char text[STZ_FORECAST_TEXT]);

#endif
