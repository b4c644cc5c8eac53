#include <string.h>

#include "mqtt_packet.h"

typedef struct {
  const uint8_t *at, *end;
  bool is_bad;
} reader;

static size_t left(const reader *in) { return (size_t)(in->end - in->at); }

static const uint8_t *take(reader *in, size_t length) {
  if (in->is_bad || left(in) < length) {
    in->is_bad = true;
    return NULL;
  }
  const uint8_t *taken = in->at;
  in->at += length;
  return taken;
}

static uint8_t take_u8(reader *in) {
  const uint8_t *bytes = take(in, 1);
  return bytes == NULL ? 0 : bytes[0];
}

static uint16_t take_u16(reader *in) {
  const uint8_t *bytes = take(in, 2);
  return bytes == NULL ? 0 : (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static uint32_t take_u32(reader *in) {
  const uint32_t high = take_u16(in);
  return high << 16 | take_u16(in);
}

static mqtt_bytes take_binary(reader *in) {
  const size_t length = take_u16(in);
  const uint8_t *bytes = take(in, length);
  return (mqtt_bytes){bytes, bytes == NULL ? 0 : length};
}

/* UTF-8 without U+0000, surrogates and overlong forms [MQTT-1.5.4-1, 1.5.4-2]. */
static bool is_text(mqtt_bytes text) {
  for (size_t i = 0; i < text.length;) {
    const uint8_t first = text.bytes[i];
    const size_t more = first < 0x80 ? 0 : first >= 0xc2 && first < 0xe0 ? 1 : first >= 0xe0 && first < 0xf0 ? 2 : first >= 0xf0 && first < 0xf5 ? 3 : 4;
    if (first == 0 || more == 4 || text.length - i <= more) return false;
    for (size_t n = 1; n <= more; n += 1) {
      if ((text.bytes[i + n] & 0xc0) != 0x80) return false;
    }
    const uint8_t second = more == 0 ? 0x80 : text.bytes[i + 1];
    if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f)) return false;
    if ((first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f)) return false;
    i += 1 + more;
  }
  return true;
}

static mqtt_bytes take_text(reader *in) {
  const mqtt_bytes text = take_binary(in);
  if (!in->is_bad && !is_text(text)) in->is_bad = true;
  return text;
}

/* [MQTT-1.5.5-1] the shortest form only. */
static uint32_t take_varint(reader *in) {
  uint32_t value = 0;
  for (unsigned shift = 0; shift < 28; shift += 7) {
    const uint8_t byte = take_u8(in);
    value |= (uint32_t)(byte & 0x7f) << shift;
    if ((byte & 0x80) != 0) continue;
    if (shift > 0 && byte == 0) in->is_bad = true;
    return value;
  }
  in->is_bad = true;
  return 0;
}

mqtt_framing mqtt_read_frame(const uint8_t *bytes, size_t length, mqtt_frame *frame) {
  size_t body = 0;
  for (size_t i = 1; i <= 4; i += 1) {
    if (i >= length) return MQTT_FRAME_PARTIAL;
    body |= (size_t)(bytes[i] & 0x7f) << (7 * (i - 1));
    if ((bytes[i] & 0x80) != 0) continue;
    if (i > 1 && bytes[i] == 0) return MQTT_FRAME_MALFORMED;
    *frame = (mqtt_frame){1 + i, body};
    return MQTT_FRAME_WHOLE;
  }
  return MQTT_FRAME_MALFORMED;
}

typedef enum { U8, U16, U32, VARINT, TEXT, BINARY, PAIR } shape;
#define IN(type) (1u << MQTT_##type)
static const struct property {
  uint8_t id, shape;
  uint16_t packets;
} PROPERTIES[] = {
    {0x01, U8, IN(PUBLISH)},        {0x02, U32, IN(PUBLISH)},       {0x03, TEXT, IN(PUBLISH)},
    {0x08, TEXT, IN(PUBLISH)},      {0x09, BINARY, IN(PUBLISH)},    {0x0b, VARINT, IN(PUBLISH)},
    {0x11, U32, IN(CONNACK)},       {0x12, TEXT, IN(CONNACK)},      {0x13, U16, IN(CONNACK)},
    {0x15, TEXT, IN(CONNACK)},      {0x16, BINARY, IN(CONNACK)},    {0x1a, TEXT, IN(CONNACK)},
    {0x1c, TEXT, IN(CONNACK) | IN(DISCONNECT)},
    {0x1f, TEXT, IN(CONNACK) | IN(PUBACK) | IN(SUBACK) | IN(UNSUBACK) | IN(DISCONNECT)},
    {0x21, U16, IN(CONNACK)},       {0x22, U16, IN(CONNACK)},       {0x23, U16, IN(PUBLISH)},
    {0x24, U8, IN(CONNACK)},        {0x25, U8, IN(CONNACK)},
    {0x26, PAIR, IN(CONNACK) | IN(PUBLISH) | IN(PUBACK) | IN(SUBACK) | IN(UNSUBACK) | IN(DISCONNECT)},
    {0x27, U32, IN(CONNACK)},       {0x28, U8, IN(CONNACK)},        {0x29, U8, IN(CONNACK)},       {0x2a, U8, IN(CONNACK)},
};

static const struct property *property_of(uint8_t id, mqtt_type type) {
  for (size_t i = 0; i < sizeof PROPERTIES / sizeof PROPERTIES[0]; i += 1) {
    if (PROPERTIES[i].id == id) return (PROPERTIES[i].packets >> type & 1u) != 0 ? &PROPERTIES[i] : NULL;
  }
  return NULL;
}

static bool is_flag(uint8_t id) { return id == 0x01 || id >= 0x24; }

static uint32_t take_number(reader *in, const struct property *property) {
  switch (property->shape) {
    case U8: {
      const uint8_t value = take_u8(in);
      if (is_flag(property->id) && value > 1) in->is_bad = true;
      return value;
    }
    case U16: return take_u16(in);
    case U32: return take_u32(in);
    default: return take_varint(in);
  }
}

static void note_number(mqtt_packet *packet, uint8_t id, uint32_t value, reader *in) {
  switch (id) {
    case 0x0b:
    case 0x23: /* We allowed no alias, so any is one too many [MQTT-3.3.2-9, 3.3.2-10]. */
      if (value == 0 || id == 0x23) in->is_bad = true;
      return;
    case 0x11:
      packet->session_expiry_s = value;
      packet->has_session_expiry = true;
      return;
    case 0x13:
      packet->server_keep_alive_s = (uint16_t)value;
      packet->has_server_keep_alive = true;
      return;
    case 0x21:
      if (value == 0) in->is_bad = true;
      packet->receive_maximum = (uint16_t)value;
      return;
    case 0x27:
      if (value == 0) in->is_bad = true;
      packet->maximum_packet = value;
      return;
    default: return;
  }
}

static void take_properties(reader *in, mqtt_packet *packet) {
  const uint32_t length = take_varint(in);
  const uint8_t *start = take(in, length);
  if (start == NULL) return;
  reader properties = {start, start + length, false};
  uint64_t seen = 0;
  while (left(&properties) > 0 && !properties.is_bad) {
    const uint8_t id = take_u8(&properties);
    const struct property *property = property_of(id, packet->type);
    /* Subscription identifiers and user properties may repeat, nothing else [MQTT-3.3.2-18]. */
    if (property == NULL || ((seen >> id & 1u) != 0 && id != 0x26 && id != 0x0b)) {
      in->is_bad = true;
      return;
    }
    seen |= 1ull << id;
    if (property->shape == PAIR) {
      take_text(&properties);
      take_text(&properties);
    } else if (property->shape == BINARY) {
      take_binary(&properties);
    } else if (property->shape == TEXT) {
      const mqtt_bytes text = take_text(&properties);
      if (id == 0x12) packet->assigned_client_id = text;
    } else {
      note_number(packet, id, take_number(&properties, property), &properties);
    }
  }
  if (properties.is_bad) in->is_bad = true;
}

/* CONNACK return codes of 3.1.1 (§3.2.2.3) as reason codes of 5. */
static uint8_t reason_of_return_code(uint8_t code, reader *in) {
  static const uint8_t REASONS[] = {0x00, 0x84, 0x85, 0x88, 0x86, 0x87};
  if (code < sizeof REASONS) return REASONS[code];
  in->is_bad = true;
  return 0x80;
}

static void take_connack(reader *in, uint8_t version, mqtt_packet *packet) {
  const uint8_t flags = take_u8(in), code = take_u8(in);
  if (flags > 1) in->is_bad = true;
  packet->session_present = (flags & 1) != 0;
  packet->reason = version == 5 ? code : reason_of_return_code(code, in);
  if (version == 5) take_properties(in, packet);
  /* [MQTT-3.2.2-6] */
  if (packet->reason != 0 && packet->session_present) in->is_bad = true;
}

static void take_publish(reader *in, uint8_t flags, uint8_t version, mqtt_packet *packet) {
  packet->dup = (flags & 8) != 0;
  packet->qos = flags >> 1 & 3;
  packet->retain = (flags & 1) != 0;
  if (packet->qos == 3 || (packet->qos == 0 && packet->dup)) in->is_bad = true;
  packet->topic = take_text(in);
  for (size_t i = 0; i < packet->topic.length; i += 1) {
    if (packet->topic.bytes[i] == '+' || packet->topic.bytes[i] == '#') in->is_bad = true;
  }
  if (packet->topic.length == 0) in->is_bad = true;
  if (packet->qos > 0) {
    packet->packet_id = take_u16(in);
    if (packet->packet_id == 0) in->is_bad = true;
  }
  if (version == 5) take_properties(in, packet);
  if (in->is_bad) return;
  packet->payload = (mqtt_bytes){in->at, left(in)};
  in->at = in->end;
}

/* PUBACK and DISCONNECT of 5 may leave out the end: no properties, then no reason. */
static void take_short_tail(reader *in, uint8_t version, mqtt_packet *packet) {
  if (version != 5 || left(in) == 0) return;
  packet->reason = take_u8(in);
  if (left(in) > 0) take_properties(in, packet);
}

static void take_reasons(reader *in, uint8_t version, mqtt_packet *packet) {
  packet->packet_id = take_u16(in);
  if (packet->packet_id == 0) in->is_bad = true;
  if (version == 5) take_properties(in, packet);
  if (in->is_bad) return;
  packet->reasons = (mqtt_bytes){in->at, left(in)};
  const bool has_reasons = packet->type == MQTT_SUBACK || version == 5;
  if (has_reasons != (left(in) > 0)) in->is_bad = true;
  for (; in->at < in->end && packet->type == MQTT_SUBACK; in->at += 1) {
    if (*in->at > 2 && (version == 4 ? *in->at != 0x80 : *in->at < 0x80)) in->is_bad = true;
  }
  in->at = in->end;
}

bool mqtt_read_packet(uint8_t first, const uint8_t *bytes, size_t length, uint8_t version, mqtt_packet *packet) {
  reader in = {bytes, bytes + length, false};
  *packet = (mqtt_packet){.type = (mqtt_type)(first >> 4)};
  if (packet->type != MQTT_PUBLISH && (first & 0x0f) != 0) return false;
  switch (packet->type) {
    case MQTT_CONNACK: take_connack(&in, version, packet); break;
    case MQTT_PUBLISH: take_publish(&in, first & 0x0f, version, packet); break;
    case MQTT_PUBACK:
      packet->packet_id = take_u16(&in);
      if (packet->packet_id == 0) return false;
      take_short_tail(&in, version, packet);
      break;
    case MQTT_SUBACK:
    case MQTT_UNSUBACK: take_reasons(&in, version, packet); break;
    case MQTT_PINGRESP: break;
    case MQTT_DISCONNECT:
      if (version != 5) return false; /* 3.1.1: only clients send it */
      take_short_tail(&in, version, packet);
      break;
    default: return false;
  }
  return !in.is_bad && in.at == in.end;
}

const char *mqtt_reason_name(uint8_t reason) {
  static const struct {
    uint8_t reason;
    const char *name;
  } NAMES[] = {
      {0x00, "success"},                  {0x04, "disconnectWithWill"},       {0x10, "noMatchingSubscribers"},
      {0x80, "unspecifiedError"},         {0x81, "malformedPacket"},          {0x82, "protocolError"},
      {0x83, "implementationSpecificError"}, {0x84, "unsupportedProtocolVersion"}, {0x85, "clientIdentifierNotValid"},
      {0x86, "badUserNameOrPassword"},    {0x87, "notAuthorized"},            {0x88, "serverUnavailable"},
      {0x89, "serverBusy"},               {0x8a, "banned"},                   {0x8b, "serverShuttingDown"},
      {0x8c, "badAuthenticationMethod"},  {0x8d, "keepAliveTimeout"},         {0x8e, "sessionTakenOver"},
      {0x8f, "topicFilterInvalid"},       {0x90, "topicNameInvalid"},         {0x91, "packetIdentifierInUse"},
      {0x92, "packetIdentifierNotFound"}, {0x93, "receiveMaximumExceeded"},   {0x94, "topicAliasInvalid"},
      {0x95, "packetTooLarge"},           {0x96, "messageRateTooHigh"},       {0x97, "quotaExceeded"},
      {0x98, "administrativeAction"},     {0x99, "payloadFormatInvalid"},     {0x9a, "retainNotSupported"},
      {0x9b, "qosNotSupported"},          {0x9c, "useAnotherServer"},         {0x9d, "serverMoved"},
      {0x9e, "sharedSubscriptionsNotSupported"}, {0x9f, "connectionRateExceeded"}, {0xa0, "maximumConnectTime"},
      {0xa1, "subscriptionIdentifiersNotSupported"}, {0xa2, "wildcardSubscriptionsNotSupported"},
  };
  static char unknown[5];
  for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i += 1) {
    if (NAMES[i].reason == reason) return NAMES[i].name;
  }
  memcpy(unknown, "0x", 2);
  unknown[2] = "0123456789abcdef"[reason >> 4];
  unknown[3] = "0123456789abcdef"[reason & 15];
  return unknown;
}
