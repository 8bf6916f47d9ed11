// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/setting.h"

#include <math.h>
#include <stdio.h>

#include "config/schema.h"

bool stz_setting_integer(const config_setting_t *setting, long long *value) {
  const int type = config_setting_type(setting);
  if (type == CONFIG_TYPE_INT) *value = config_setting_get_int(setting);
  if (type == CONFIG_TYPE_INT64) *value = config_setting_get_int64(setting);
  return type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64;
}

void stz_setting_show(const config_setting_t *setting, char text[80]) {
  char word[60];
  long long integer;
  if (stz_setting_integer(setting, &integer)) {
    snprintf(text, 80, "%lld", integer);
    return;
  }
  switch (config_setting_type(setting)) {
  case CONFIG_TYPE_FLOAT:
    stz_format_double(config_setting_get_float(setting), true, text);
    break;
  case CONFIG_TYPE_BOOL:
    snprintf(text, 80, "%s", config_setting_get_bool(setting) ? "true" : "false");
    break;
  case CONFIG_TYPE_STRING:
    stz_one_line(config_setting_get_string(setting), word, sizeof word);
    snprintf(text, 80, "\"%s\"", word);
    break;
  case CONFIG_TYPE_GROUP:
    snprintf(text, 80, "a group");
    break;
  default:
    snprintf(text, 80, "a list of %d", config_setting_length(setting));
  }
}

bool stz_setting_number(const config_setting_t *setting, double *value) {
  long long integer;
  if (stz_setting_integer(setting, &integer)) {
    *value = (double)integer;
    return true;
  }
  if (config_setting_type(setting) != CONFIG_TYPE_FLOAT) return false;
  *value = config_setting_get_float(setting);
  return isfinite(*value);
}
