// SPDX-License-Identifier: GPL-3.0-or-later
//
// The time that a long work still takes, by how it has got on of late.
#ifndef STZ_BASE_FORECAST_H
#define STZ_BASE_FORECAST_H

enum { STZ_FORECAST_MARKS = 64, STZ_FORECAST_TEXT = 32 };

// Plain data; zeros: nothing is known.
typedef struct stz_forecast {
  double wall_s[STZ_FORECAST_MARKS], share[STZ_FORECAST_MARKS]; // the last marks, in a ring
  int marks;                                                    // set so far
} stz_forecast;

// Notes that `share` of the work, 0 to 1, is done after `wall_s` since its begin. Returns the time left, s, by the
// advance in the last quarter of the time, but at least 10 s of it; NAN: unknown, as it did not advance or has hardly
// begun.
double stz_forecast_left(stz_forecast *forecast, double wall_s, double share);

// "time left unknown", "40 s left", "12 min left", "3 h 20 min left", "5 d left".
void stz_forecast_text(double left_s, char text[STZ_FORECAST_TEXT]);

#endif
