#include "credentials.h"

#include <string.h>

#include "storage.h"

enum { HOST_MAX = 256, PEM_MAX = 4096, STORED_MAX = 6144 };
static const char KEY[] = "credentials";

static char host[HOST_MAX], server_name[HOST_MAX], ca[PEM_MAX], certificate[PEM_MAX], private_key[PEM_MAX];
static hal_net_target target;
static bool is_set;

/* Absent is fine and gives NULL; what is there must be a text that fits. */
static bool read_text(json_value args, const char *name, char *text, size_t capacity, const char **result) {
  const json_value value = json_member(args, name);
  *result = NULL;
  if (!json_is_present(value) || json_is_null(value)) return true;
  if (json_text(value, text, capacity) < 0) return false;
  *result = text;
  return true;
}

static bool read_target(json_value args) {
  hal_net_target read = {0};
  const int64_t port = json_integer_or(json_member(args, "port"), 0);
  if (!read_text(args, "host", host, sizeof host, &read.host) || read.host == NULL || port < 1 || port > 65535) return false;
  if (!read_text(args, "serverName", server_name, sizeof server_name, &read.server_name)) return false;
  if (!read_text(args, "ca", ca, sizeof ca, &read.ca_pem)) return false;
  if (!read_text(args, "cert", certificate, sizeof certificate, &read.cert_pem)) return false;
  if (!read_text(args, "key", private_key, sizeof private_key, &read.key_pem)) return false;
  read.port = (uint16_t)port;
  target = read;
  return true;
}

bool credentials_set(json_value args) {
  is_set = read_target(args) && storage_put(KEY, args.text, args.length);
  return is_set;
}

void credentials_restore(void) {
  static char text[STORED_MAX];
  json_value args;
  const int length = storage_get(KEY, text, sizeof text);
  is_set = length > 0 && json_parse(text, (size_t)length, &args) && read_target(args);
}

void credentials_forget(void) {
  is_set = false;
  storage_remove(KEY);
  memset(private_key, 0, sizeof private_key);
}

const hal_net_target *credentials_target(void) { return is_set ? &target : NULL; }
