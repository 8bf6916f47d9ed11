// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/syntax.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "config/schema.h"

const char *stz_skip_opaque(const char *at) {
  if (*at == '#' || (at[0] == '/' && at[1] == '/')) return at + strcspn(at, "\n");
  if (at[0] == '/' && at[1] == '*') {
    const char *end = strstr(at + 2, "*/");
    return end ? end + 2 : at + strlen(at);
  }
  if (*at != '"') return at;
  for (at++; *at && *at != '"'; at++) {
    if (*at == '\\' && at[1]) at++;
  }
  return *at ? at + 1 : at;
}

const char *stz_skip_name(const char *at) {
  if (!isalpha((unsigned char)*at) && *at != '*') return at;
  while (isalnum((unsigned char)*at) || *at == '-' || *at == '_' || *at == '*') at++;
  return at;
}

const char *stz_skip_number(const char *at, bool *integer) {
  const char *digits = at + (*at == '+' || *at == '-');
  *integer = true;
  if (digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X')) {
    digits += 2;
    digits += strspn(digits, "0123456789abcdefABCDEF");
  } else {
    const char *end = digits + strspn(digits, "0123456789");
    if (end == digits && *end != '.') return at;
    if (*end == '.' || *end == 'e' || *end == 'E') {
      *integer = false;
      end += strspn(end, ".0123456789");
      if (*end == 'e' || *end == 'E') end += 1 + (end[1] == '+' || end[1] == '-');
      return end + strspn(end, "0123456789");
    }
    digits = end;
  }
  return digits + strspn(digits, "L");
}

// A word of the text: its kind is 'n' a name, '0' a number, '"' a text in quotes, 'b' true or false, 0 the end, or the
// character that it is.
typedef struct word {
  char kind;
  const char *at;
  int length, line;
} word;

enum { DEPTH = 128 };

// A group, list or array that is open: '{', '(' or '['.
typedef struct level {
  char open;
  int line;
} level;

typedef enum wanted { KEY, EQUALS, VALUE, BEHIND } wanted;

typedef struct parser {
  const char *next;
  int line;
  int depth;
  word before[2], now; // the word and the two before it
  char *told;
  size_t size;
  level levels[DEPTH];
  wanted wants;
  int unended; // line of the first value without `;`
} parser;

static bool is_word(const word *w, const char *text) {
  return (size_t)w->length == strlen(text) && strncasecmp(w->at, text, strlen(text)) == 0;
}

static void advance(parser *p) {
  p->before[0] = p->before[1];
  p->before[1] = p->now;
  for (;;) {
    const bool comment = *p->next == '#' || (*p->next == '/' && strchr("/*", p->next[1]) && p->next[1]);
    const char *end = comment ? stz_skip_opaque(p->next) : p->next + (isspace((unsigned char)*p->next) != 0);
    if (end == p->next) break;
    for (; p->next < end; p->next++) p->line += *p->next == '\n';
  }
  bool integer;
  const char *at = p->next, *end = stz_skip_opaque(at);
  char kind = end > at ? '"' : 0;
  if (end == at) kind = (end = stz_skip_name(at)) > at ? 'n' : 0;
  if (end == at) kind = (end = stz_skip_number(at, &integer)) > at ? '0' : 0;
  if (end == at) kind = *end;
  if (end == at && *at) end++;
  p->now = (word){.kind = kind, .at = at, .length = (int)(end - at), .line = p->line};
  if (kind == 'n' && (is_word(&p->now, "true") || is_word(&p->now, "false"))) p->now.kind = 'b';
  for (; p->next < end; p->next++) p->line += *p->next == '\n';
}

// Ends the search with what was found where something else was due.
static bool wrong(parser *p, const char *needs, const char *hint) {
  char found[48], shown[48];
  snprintf(found, sizeof found, "%.*s", p->now.length < 40 ? p->now.length : 40, p->now.at);
  stz_one_line(found, shown, sizeof shown);
  const bool end = p->now.kind == 0;
  snprintf(p->told, p->size, "found %s%s%s, needs %s%s", end ? "the end of the file" : "`", end ? "" : shown,
           end ? "" : "`", needs, hint);
  const size_t length = strlen(p->told);
  if (p->unended > 0 && p->wants != VALUE) {
    snprintf(p->told + length, p->size - length, "; line %d does not end with `;`", p->unended);
  }
  return false;
}

static char closing(char open) { return (char)(open == '{' ? '}' : open == '(' ? ')' : ']'); }

// What closes the innermost that is open, for a message.
static bool wrong_unclosed(parser *p, const char *before) {
  const level *in = &p->levels[p->depth - 1];
  char needs[80];
  snprintf(needs, sizeof needs, "%s`%c`, which closes the `%c` of line %d", before, closing(in->open), in->open,
           in->line);
  return wrong(p, needs, "");
}

static bool open_level(parser *p) {
  if (p->depth == DEPTH) return false;
  p->levels[p->depth++] = (level){p->now.kind, p->now.line};
  p->wants = p->now.kind == '{' ? KEY : VALUE;
  return true;
}

static bool take_key(parser *p) {
  if (p->now.kind == 'n' || p->now.kind == 'b') {
    p->wants = EQUALS;
    return true;
  }
  if (p->depth > 0 && p->now.kind == '}') {
    p->depth--;
    p->wants = BEHIND;
    return true;
  }
  if (p->now.kind == 0 && p->depth == 0) return false;                         // all is well
  if (p->depth > 0 && strchr(")]", p->now.kind)) return wrong_unclosed(p, ""); // the end of the file as well
  const bool decimal = p->now.kind == '0' && p->before[1].kind == ',' && p->before[0].kind == '0';
  const char *hint = p->now.kind == ';' ? "; one `;` is enough" : decimal ? "; decimals have a point, as 0.5" : "";
  return wrong(p, p->depth > 0 ? "a key or `}`" : "a key", hint);
}

static bool take_value(parser *p) {
  const level *in = p->depth > 0 ? &p->levels[p->depth - 1] : NULL;
  const bool first = in && p->before[1].kind == in->open;
  if (in && in->open != '{' && p->now.kind == closing(in->open)) {
    if (!first) return wrong(p, "a value behind the comma", "; leave out the last comma");
    p->depth--;
    p->wants = BEHIND;
    return true;
  }
  if (p->now.kind && strchr("{([", p->now.kind) && !(in && in->open == '[')) return open_level(p);
  if (p->now.kind && strchr("\"0b", p->now.kind)) {
    const bool closed = p->now.kind != '"' || (p->now.length > 1 && p->now.at[p->now.length - 1] == '"');
    p->wants = BEHIND;
    return closed ? true : wrong(p, "a `\"` that ends this text", "");
  }
  const char *hint = p->now.kind == 'n'   ? "; texts stand in quotes"
                     : p->now.kind == '{' ? "; groups stand in `( )`, not in `[ ]`"
                                          : "";
  return wrong(p, in && in->open == '[' ? "a number or a text" : "a value", hint);
}

static bool take_behind(parser *p) {
  const level *in = p->depth > 0 ? &p->levels[p->depth - 1] : NULL;
  if (p->now.kind == '"' && p->before[1].kind == '"') return true; // texts in a row are one
  if (!in || in->open == '{') {
    p->wants = KEY;
    if (p->now.kind == ';' || p->now.kind == ',') return true;
    if (p->unended == 0 && p->now.kind && p->now.kind != '}' && p->before[1].kind != '}')
      p->unended = p->before[1].line;
    return take_key(p);
  }
  p->wants = BEHIND;
  if (p->now.kind == ',') {
    p->wants = VALUE;
    return true;
  }
  if (p->now.kind != closing(in->open)) return wrong_unclosed(p, "`,` or ");
  p->depth--;
  return true;
}

bool stz_syntax_explain(const char *text, int *line, char *told, size_t size) {
  parser p = {.next = text, .line = 1, .told = told, .size = size};
  told[0] = 0;
  for (bool good = true; good;) {
    advance(&p);
    switch (p.wants) {
    case KEY:
      good = take_key(&p);
      break;
    case EQUALS:
      good = p.now.kind == '=' || p.now.kind == ':' || wrong(&p, "`=` and a value behind the key", "");
      p.wants = VALUE;
      break;
    case VALUE:
      good = take_value(&p);
      break;
    case BEHIND:
      good = take_behind(&p);
      break;
    }
  }
  *line = p.now.line;
  return told[0] != 0;
}

// Whether `p` has just come to the `=` or `:` behind a key.
static bool behind_key(const parser *p) {
  return (p->now.kind == '=' || p->now.kind == ':') && strchr("nb", p->before[1].kind) && p->before[1].kind;
}

static int deeper(char kind) { return kind && strchr("{([", kind) ? 1 : kind && strchr("})]", kind) ? -1 : 0; }

// The line on which `key` stands before in the group that begins where `p` is; 0: nowhere.
static int stands_before(parser p, const word *key) {
  int depth = 0;
  for (advance(&p); p.now.kind && p.before[1].at < key->at; advance(&p)) {
    const word *other = &p.before[1];
    const bool same = depth == 0 && behind_key(&p) && other->at < key->at && other->length == key->length;
    if (same && memcmp(other->at, key->at, (size_t)key->length) == 0) return other->line;
    depth += deeper(p.now.kind);
  }
  return 0;
}

bool stz_syntax_duplicate(const char *text, int line, char *told, size_t size) {
  parser p = {.next = text, .line = 1}, begins[DEPTH] = {p};
  int depth = 0;
  for (advance(&p); p.now.kind && p.before[1].line <= line; advance(&p)) {
    const int step = deeper(p.now.kind);
    depth += step;
    if (depth < 0 || depth == DEPTH) return false;
    if (step > 0) begins[depth] = p;
    if (!behind_key(&p) || p.before[1].line < line - 1) continue;
    const int before = stands_before(begins[depth], &p.before[1]);
    if (before == 0) continue;
    snprintf(told, size, "%.*s: got it twice in its group, line %d has it too", p.before[1].length, p.before[1].at,
             before);
    return true;
  }
  return false;
}
