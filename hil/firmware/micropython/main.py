# The device logic of fleetrig's reference firmware as one MicroPython script: the same protocol (hil/link/PROTOCOL.md), the same events,
# the same models. It is written for an ESP32 and runs unchanged on a virtual board. Against the C firmware it lacks path `direct`, the
# download of images (an update passes through its phases without writing flash), and the crash kinds that an interpreter cannot have.
#
# Everything happens in one loop that sleeps in select.poll on the serial input, which works on UART and USB consoles alike.
import binascii, gc, hashlib, json, machine, math, micropython, os, select, struct, sys, time

VERSION = "1.0.0"
WINDOW = 4
MAX_PAYLOAD = 400
RX_BYTES = 2048
MESSAGE_MAX = 8192
QUEUE_MAX = 32
EVENTS_MAX = 200
# Messages that wait while the server acknowledges none, and the longest MQTT packet that is read whole.
WAITING_MAX = 200
PACKET_MAX = 32768
# Numbers of messages are written down ahead for so long, and so many at most: flash wears out.
RESERVED_US, RESERVED_MAX = 60000000, 64
CONTROL, NETWORK = 0, 1
DATA, ACK, PING, PONG, OPEN, OPENED, BOOT, CLOSE = 1, 2, 3, 4, 5, 6, 7, 8
SILENT_MAX_US, UNACKNOWLEDGED_MAX_US = 5000000, 20000000
# Noticed so late that a time was up, the board itself was held up: what has come in meanwhile is read first.
LATE_US, GRACE_US = 5000, 20000
CONNECT_TIMEOUT_US = 10000000
PING_TIMEOUT_MAX_US = 10000000
# A server that has not answered a SUBSCRIBE for so long is asked again.
ANSWER_TIMEOUT_US = 10000000
# AWS: at most 8 filters in one SUBSCRIBE.
FILTERS_PER_PACKET = 8

_last_ticks = time.ticks_us()
_now_us = 0


def now_us():
    global _last_ticks, _now_us
    ticks = time.ticks_us()
    _now_us += time.ticks_diff(ticks, _last_ticks)
    _last_ticks = ticks
    return _now_us


# --- What survives restarts: JSON files, replaced whole.
def load(name, fallback):
    try:
        with open(name + ".json") as file:
            return json.load(file)
    except (OSError, ValueError):
        return fallback


def store(name, value):
    try:
        with open(name + ".new", "w") as file:
            json.dump(value, file)
        os.rename(name + ".new", name + ".json")
    except OSError:
        pass


def forget(name):
    try:
        os.remove(name + ".json")
    except OSError:
        pass


# --- Choices: xorshift32, seeded by the member and the purpose.
class Draws:
    def __init__(self, seed, purpose):
        state = 2166136261
        for byte in ("%d/%s" % (seed, purpose)).encode():
            state = ((state ^ byte) * 16777619) & 0xFFFFFFFF
        self.state = state or 1

    def fraction(self):
        x = self.state
        x ^= (x << 13) & 0xFFFFFFFF
        x ^= x >> 17
        x ^= (x << 5) & 0xFFFFFFFF
        self.state = x
        return x / 4294967296

    def normal(self):
        return math.sqrt(-2 * math.log(1 - self.fraction())) * math.cos(2 * math.pi * self.fraction())


def quantile_us(spec, p):
    kind = spec.get("dist")
    if kind == "constant":
        value = spec["value"]
    elif kind == "uniform":
        value = spec["min"] + p * (spec["max"] - spec["min"])
    elif kind == "exponential":
        value = -spec["mean"] * math.log(1 - p)
    elif kind == "normal":
        value = spec["mean"] + spec["stddev"] * inverse_normal(p)
    elif kind == "lognormal":
        sigma = math.log(spec["p99"] / spec["median"]) / inverse_normal(0.99)
        value = spec["median"] * math.exp(sigma * inverse_normal(p))
    elif kind == "empirical":
        value = spec["samples"][int(p * len(spec["samples"]))]
    else:
        value = 0
    return max(0, int(round(value)))


# By bisection: there are few calls, and no table is needed.
def inverse_normal(p):
    low, high = -6.0, 6.0
    for _ in range(50):
        x = (low + high) / 2
        if 0.5 * (1 + erf(x / math.sqrt(2))) < p:
            low = x
        else:
            high = x
    return low


# Abramowitz and Stegun 7.1.26: absolute error below 1.5e-7.
def erf(x):
    t = 1 / (1 + 0.3275911 * abs(x))
    tail = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t
    value = 1 - tail * math.exp(-x * x)
    return value if x >= 0 else -value


# --- Timers by name: few, so a dictionary will do.
class Timers:
    def __init__(self):
        self.due = {}

    def set(self, name, delay_us, task):
        self.due[name] = (now_us() + max(0, delay_us), task)

    def at(self, name, at_us, task):
        self.due[name] = (at_us, task)

    def cancel(self, name):
        self.due.pop(name, None)

    def fire(self, name):
        entry = self.due.get(name)
        if entry is not None and entry[0] <= now_us():
            del self.due[name]
            entry[1]()

    # One round only, so that input is never kept waiting. Returns µs until the next one is due.
    def run(self):
        for name in list(self.due):
            self.fire(name)
        if not self.due:
            return 1000000
        return max(0, min(entry[0] for entry in self.due.values()) - now_us())


timers = Timers()


# --- The link: frames, a session, reliable channels.
class Link:
    def __init__(self, hello, received, opened, closed):
        self.hello, self.received, self.opened, self.closed = hello, received, opened, closed
        self.input, self.output = sys.stdin.buffer, sys.stdout.buffer
        self.poll = select.poll()
        self.poll.register(sys.stdin, select.POLLIN)
        self.encoding = "line"
        self.lane, self.held = None, bytearray()
        self.arrival_us = self.held_at_us = 0
        self.latest = 0x0A
        self.session = 0
        self.boot_at_us = None
        self.counters = {name: 0 for name in (
            "framesIn", "framesOut", "badFrames", "dataIn", "dataOut", "duplicates", "gaps", "repeatedByTimeout", "repeatedByAck",
            "creditProbes", "stale", "unknown", "droppedMessages")}
        self.reset()

    def reset(self):
        self.queue, self.flight = [], []
        self.next_out = self.next_in = 0
        self.credit = self.repeats = 0
        # Numbers after the last frame each time it was repeated, as long as they are still to come: see PROTOCOL.md 3.
        self.echoes = set()
        self.quiet_until_us = self.heard_us = 0
        self.srtt_us, self.backoff = 50000, 1
        self.rto_due_us, self.is_excused = 0, False
        self.wants_ack = False
        self.message = bytearray()
        timers.cancel("rto")
        timers.cancel("probe")

    # Reads what is there; waits at most so long for it.
    def read(self, wait_ms):
        for _ in range(512):
            if not self.poll.poll(wait_ms):
                break
            wait_ms = 0
            byte = self.input.read(1)
            if byte:
                self.take(byte[0])
        if self.lane and now_us() - self.held_at_us > 100000:
            self.drop()

    def take(self, byte):
        is_after_pause = now_us() - self.held_at_us > 100000
        self.held_at_us = now_us()
        if self.lane is None:
            if byte == 0x1E or byte == 0:
                self.lane = "line" if byte else "cobs"
                self.held = bytearray()
                self.arrival_us = self.held_at_us
            elif byte == 3 and (is_after_pause or self.latest in b"\r\n\x03"):
                # Ctrl-C of a person or a tool. In a frame it is a byte like others, so the interpreter must not look for it; and a
                # frame whose first byte was lost is no reason to stop.
                raise KeyboardInterrupt
            self.latest = byte
        elif self.lane == "line" and (byte == 0x1E or byte == 0):
            # The end of the line was lost: this is the next frame.
            self.counters["badFrames"] += 1
            self.lane, self.held = "line" if byte else "cobs", bytearray()
            self.arrival_us = self.held_at_us
        elif self.lane == "line" and byte == 0x0A:
            self.lane = None
            self.decode("line")
        elif self.lane == "cobs" and byte == 0:
            if self.held and self.decode("cobs"):
                self.lane = None
            self.held = bytearray()
        elif len(self.held) < 2048:
            if not self.held:
                self.arrival_us = self.held_at_us
            self.held.append(byte)
        else:
            self.drop()

    def drop(self):
        self.counters["badFrames"] += 1 if self.held else 0
        # Whoever types Ctrl-C after half a frame is heard, too.
        is_interrupt = bytes(self.held[-1:]) == b"\x03"
        self.lane, self.held = None, bytearray()
        if is_interrupt:
            raise KeyboardInterrupt

    def decode(self, encoding):
        try:
            body = binascii.a2b_base64(bytes(self.held)) if encoding == "line" else from_cobs(self.held)
        except Exception:  # what is raised for bytes that are no Base64 differs from port to port
            body = b""
        if len(body) < 22 or binascii.crc32(body[:-4]) != struct.unpack("<I", body[-4:])[0]:
            self.counters["badFrames"] += 1
            return False
        self.counters["framesIn"] += 1
        self.encoding = encoding
        kind, channel, sequence, acknowledged, credit, session = struct.unpack("<BBHHHI", body)
        self.frame(kind, session, (channel, sequence, body[18:-4]), (acknowledged, credit))
        return True

    def write(self, kind, channel=0, sequence=0, payload=b"", session=None):
        now = now_us()
        body = struct.pack("<BBHHHIIH", kind, channel, sequence, self.next_in, RX_BYTES,
                           self.session if session is None else session, now & 0xFFFFFFFF, now >> 32) + payload
        body += struct.pack("<I", binascii.crc32(body))
        if self.encoding == "line":
            self.output.write(b"\x1e" + binascii.b2a_base64(body))
        else:
            self.output.write(b"\x00" + to_cobs(body) + b"\x00")
        self.counters["framesOut"] += 1
        if self.session:
            self.wants_ack = False

    def boot(self):
        self.boot_at_us = now_us()
        self.write(BOOT, payload=self.hello(), session=0)

    def frame(self, kind, session, data, progress):
        if kind == OPEN and session:
            if session != self.session:
                was_open = self.session != 0
                self.session = session
                self.reset()
                if was_open:
                    self.closed()
                self.write(OPENED, payload=self.hello())
                self.opened()
            else:
                self.write(OPENED, payload=self.hello())
        elif kind > CLOSE:
            self.counters["unknown"] += 1
        elif session != self.session or session == 0:
            self.counters["stale"] += 1
            if self.session == 0 and now_us() - self.boot_at_us > 200000:
                self.boot()
        elif kind == CLOSE:
            self.end()
        elif kind == PING:
            if len(data[2]) == 24:
                self.write(PONG, payload=data[2][:8] + struct.pack("<QQ", self.arrival_us, now_us()))
            self.acknowledge(progress, False)
        else:
            self.acknowledge(progress, kind == ACK)
            if kind == DATA:
                self.data(data)

    def data(self, data):
        channel, sequence, payload = data
        self.counters["dataIn"] += 1
        self.wants_ack = True
        if sequence != self.next_in:
            self.counters["duplicates" if (self.next_in - sequence) & 0xFFFF < 0x8000 else "gaps"] += 1
            self.write(ACK)
            return
        self.next_in = (self.next_in + 1) & 0xFFFF
        if channel & 15 == NETWORK:
            self.received(NETWORK, payload)
            return
        if len(self.message) + len(payload) <= MESSAGE_MAX:
            self.message.extend(payload)
        else:
            self.counters["droppedMessages"] += 1
        if channel & 0x80:
            message, self.message = bytes(self.message), bytearray()
            self.received(CONTROL, message)

    def acknowledge(self, progress, is_ack):
        acknowledged, self.credit = progress
        self.heard_us = now_us()
        moved = False
        while self.flight and (acknowledged - self.flight[0][0] - 1) & 0xFFFF < 0x8000:
            entry = self.flight.pop(0)
            self.echoes.discard(entry[0])
            moved = True
            if entry[4] == 1:
                self.srtt_us += (now_us() - entry[3] - self.srtt_us) // 8
        if moved:
            self.backoff, self.repeats, self.quiet_until_us, self.is_excused = 1, 0, 0, False
            self.arm()
        elif is_ack and self.flight and acknowledged == self.flight[0][0]:
            if acknowledged not in self.echoes and now_us() >= self.quiet_until_us:
                self.repeats += 1
            if self.repeats == 2:
                self.repeat("repeatedByAck")
                self.quiet_until_us = now_us() + self.srtt_us
        self.pump()

    def send(self, channel, payload):
        if not self.session:
            return
        for at in range(0, len(payload), MAX_PAYLOAD):
            is_end = at + MAX_PAYLOAD >= len(payload)
            self.queue.append((channel | (0x80 if is_end else 0), payload[at:at + MAX_PAYLOAD]))
        self.pump()

    def room(self):
        return QUEUE_MAX - len(self.queue)

    def pump(self):
        under_way = sum(len(entry[2]) for entry in self.flight)
        while self.queue and len(self.flight) < WINDOW and under_way + len(self.queue[0][1]) <= self.credit:
            channel, payload = self.queue.pop(0)
            under_way += len(payload)
            # Sequence, channel, payload, when first sent, how often.
            self.flight.append([self.next_out, channel, payload, now_us(), 1])
            self.counters["dataOut"] += 1
            self.write(DATA, channel, self.next_out, payload)
            self.next_out = (self.next_out + 1) & 0xFFFF
            if len(self.flight) == 1:
                self.arm()
        if self.queue and not self.flight:
            timers.set("probe", self.rto_us(), self.probe)

    # A frame of 600 bytes takes 52 ms at 115200 baud.
    def rto_us(self):
        return min(1000000, max(60000, 2 * self.srtt_us + 4 * 50000) * self.backoff)

    def arm(self):
        if self.flight:
            self.rto_due_us = now_us() + self.rto_us()
            timers.at("rto", self.rto_due_us, self.late)
        else:
            timers.cancel("rto")

    def late(self):
        if not self.flight:
            return
        since_us, now = self.flight[0][3], now_us()
        if now - self.rto_due_us > LATE_US and not self.is_excused:
            self.is_excused = True
            timers.set("rto", GRACE_US, self.late)
            return
        self.is_excused = False
        self.backoff *= 2
        if now - max(since_us, self.heard_us) > SILENT_MAX_US or now - since_us > UNACKNOWLEDGED_MAX_US:
            self.write(CLOSE)
            self.end()
        else:
            self.repeat("repeatedByTimeout")

    def repeat(self, cause):
        self.repeats = self.quiet_until_us = 0
        if cause == "repeatedByTimeout":
            self.echoes.clear()
        self.echoes.add(self.next_out)
        for entry in self.flight:
            entry[4] += 1
            self.counters[cause] += 1
            self.counters["dataOut"] += 1
            self.write(DATA, entry[1], entry[0], entry[2])
        self.arm()

    def probe(self):
        if self.session and self.queue and not self.flight:
            self.counters["creditProbes"] += 1
            self.counters["dataOut"] += 1
            self.write(DATA, 0, (self.next_out - 1) & 0xFFFF)
            self.pump()

    def end(self):
        self.session = 0
        self.reset()
        self.closed()

    def settle(self):
        if self.wants_ack and self.session:
            self.write(ACK)

    # Gives what is queued time to arrive, also on a busy machine: for restarts.
    def flush(self, us):
        until = now_us() + us
        while self.session and (events or self.queue or self.flight) and now_us() < until:
            tell_events()
            self.read(5)
            self.settle()
            timers.fire("rto")
            timers.fire("probe")


def to_cobs(data):
    out = bytearray()
    for run in bytes(data).split(b"\x00"):
        while len(run) >= 254:
            out.append(255)
            out.extend(run[:254])
            run = run[254:]
        out.append(len(run) + 1)
        out.extend(run)
    return bytes(out)


def from_cobs(data):
    out, at = bytearray(), 0
    while at < len(data):
        code = data[at]
        if at + code > len(data):
            raise ValueError
        out.extend(data[at + 1:at + code])
        at += code
        if code < 255 and at < len(data):
            out.append(0)
    return bytes(out)


# --- MQTT 3.1.1 and 5 over the tunnel, QoS 0 and 1.
def mqtt_text(value):
    data = value if isinstance(value, bytes) else value.encode()
    return struct.pack(">H", len(data)) + data


def mqtt_length(n):
    out = bytearray()
    while True:
        out.append((n & 127) | (128 if n > 127 else 0))
        n >>= 7
        if not n:
            return bytes(out)


def read_length(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
        if shift > 21:
            raise ValueError


def packet(head, body):
    return bytes([head]) + mqtt_length(len(body)) + body


# Sizes of properties by identifier: 1, 2, 4 bytes, v: variable length, s: string or binary, p: pair.
PROPERTIES = {1: 1, 2: 4, 3: "s", 8: "s", 9: "s", 11: "v", 17: 4, 18: "s", 19: 2, 21: "s", 22: "s", 26: "s", 28: "s",
              31: "s", 33: 2, 34: 2, 35: 2, 36: 1, 37: 1, 38: "p", 39: 4, 40: 1, 41: 1, 42: 1}


def read_properties(data, at):
    length, at = read_length(data, at)
    end, found = at + length, {}
    while at < end:
        name, at = read_length(data, at)
        size = PROPERTIES[name]
        if size == "v":
            found[name], at = read_length(data, at)
        elif isinstance(size, int):
            value = 0
            for byte in data[at:at + size]:
                value = value << 8 | byte
            found[name] = value
            at += size
        else:
            for _ in range(2 if size == "p" else 1):
                at += 2 + (data[at] << 8 | data[at + 1])
    return found, end


class Message:
    def __init__(self, topic, payload, qos):
        self.topic, self.payload, self.qos, self.retain = topic, payload, qos, False
        # Telemetry: its stream, sequence, when it was due, and its tag.
        self.stream, self.q, self.due, self.tag = None, 0, 0, ""
        self.id = self.sent_us = 0
        # Went before; the next transmission repeats one that the server's session may know [MQTT-3.3.1-1].
        self.was_sent = self.is_repeat = False


class Client:
    def __init__(self, member):
        self.member = member
        self.plan = member.plan["mqtt"]
        self.is_v5 = self.plan.get("version", 5) == 5
        self.next_id = 1
        self.inflight, self.waiting = [], []
        # What is wanted: filter, and None, the packet identifier of the SUBSCRIBE that asks, "granted" or "refused".
        self.subscriptions = []
        self.retry_us = 0 if self.is_v5 else self.plan.get("publishRetryUs", 0)
        self.expiry_s = 0
        self.reset()

    def reset(self):
        self.is_up = False
        self.buffer, self.skip = bytearray(), 0
        self.arrived = None
        self.quota = 16
        self.last_out_us = self.last_in_us = 0
        self.is_pinged = False
        timers.cancel("suback")
        timers.cancel("puback")

    def write(self, data):
        self.last_out_us = now_us()
        link.send(NETWORK, data)

    def open(self):
        plan, will = self.plan, self.plan.get("will")
        self.reset()
        flags = 2 if plan.get("cleanStart") else 0
        body = mqtt_text(self.member.thing)
        if will:
            flags |= 4 | will.get("qos", 0) << 3 | (32 if will.get("retain") else 0)
            if self.is_v5:
                delay = will.get("delayS", 0)
                body += b"\x05\x18" + struct.pack(">I", delay) if delay else b"\x00"
            body += mqtt_text(will["topic"]) + mqtt_text(will.get("payload", ""))
        properties = b""
        if self.is_v5:
            self.expiry_s = plan.get("sessionExpiryS", 0)
            if self.expiry_s:
                properties += b"\x11" + struct.pack(">I", self.expiry_s)
            if plan.get("receiveMaximum"):
                properties += b"\x21" + struct.pack(">H", plan["receiveMaximum"])
            properties += b"\x27" + struct.pack(">I", PACKET_MAX)
            properties = mqtt_length(len(properties)) + properties
        keep_alive_s = plan.get("keepAliveS", 60)
        self.keep_alive_us = keep_alive_s * 1000000
        head = mqtt_text("MQTT") + bytes([5 if self.is_v5 else 4, flags]) + struct.pack(">H", keep_alive_s)
        self.write(packet(0x10, head + properties + body))

    def feed(self, data):
        skipped = min(self.skip, len(data))
        self.skip -= skipped
        self.buffer.extend(data[skipped:])
        while self.member.connection in ("handshaking", "online"):
            try:
                if not self.take_first():
                    return
            except (IndexError, KeyError, ValueError):
                self.member.failed("malformed-packet")
                self.member.lost("malformed-packet")
                return
            if self.arrived:
                (topic, payload), self.arrived = self.arrived, None
                self.member.model.message(topic, payload)

    # Of a packet that is too long only the beginning is read: it is acknowledged, or the server would send it for ever.
    def take_first(self):
        try:
            length, at = read_length(self.buffer, 1)
        except IndexError:
            return False
        end = min(at + length, PACKET_MAX)
        if len(self.buffer) < end:
            return False
        head, body, rest = self.buffer[0], bytes(self.buffer[at:end]), self.buffer[end:]
        over = at + length - end
        self.buffer, self.skip = rest[over:], max(0, over - len(rest))
        self.take(head, body)
        return True

    def take(self, head, body):
        self.last_in_us = now_us()
        kind = head >> 4
        if kind == 2:
            self.connack(body)
        elif kind == 3:
            self.publish(head, body)
        elif kind == 4:
            self.puback(struct.unpack(">H", body)[0], body[2] if len(body) > 2 else 0)
        elif kind == 9:
            at = read_properties(body, 2)[1] if self.is_v5 else 2
            self.suback(struct.unpack(">H", body)[0], body[at:])
        elif kind == 13:
            self.is_pinged = False
        elif kind == 14:
            self.member.lost("server-disconnect")

    def connack(self, body):
        present, code = bool(body[0] & 1), body[1]
        found = read_properties(body, 2)[0] if self.is_v5 and len(body) > 2 else {}
        if code:
            self.member.failed("reason-%d" % code)
            return
        self.is_up = True
        self.quota = min(self.quota, found.get(33, 65535))
        self.expiry_s = found.get(17, self.expiry_s)
        if 19 in found:
            self.keep_alive_us = found[19] * 1000000
        self.keep_alive()
        for wanted in self.subscriptions:
            if not present or wanted[1] != "granted":
                wanted[1] = None
        self.ask()
        for message in self.inflight:
            message.is_repeat = present
            self.write_message(message)
        self.watch_inflight()
        self.member.accepted(present)

    def publish(self, head, body):
        length = struct.unpack(">H", body)[0]
        topic, at = body[2:2 + length].decode(), 2 + length
        if head & 6:
            identifier = body[at:at + 2]
            at += 2
        if self.is_v5:
            at = read_properties(body, at)[1]
        if head & 6:
            self.write(packet(0x40, identifier))
        self.arrived = topic, body[at:]

    def puback(self, identifier, code):
        for message in self.inflight:
            if message.id == identifier:
                self.inflight.remove(message)
                if message.stream is not None:
                    event("acked", s=message.stream, q=message.q, code=code, at=now_us())
                break
        self.pump()

    # What the session holds is not asked for again.
    def subscribe(self, filters):
        known = [wanted[0] for wanted in self.subscriptions]
        self.subscriptions += [[name, None] for name in filters if name not in known]
        self.ask()

    def ask(self):
        while self.is_up:
            missing = [wanted for wanted in self.subscriptions if wanted[1] is None][:FILTERS_PER_PACKET]
            if not missing:
                return
            identifier = self.identifier()
            for wanted in missing:
                wanted[1] = identifier
            self.write_subscribe(identifier)
            timers.set("suback", ANSWER_TIMEOUT_US, self.ask_again)

    def asked(self):
        return sorted({wanted[1] for wanted in self.subscriptions if isinstance(wanted[1], int)})

    # What is sent again keeps its identifier: it is no new request [MQTT 3.1.1, MQTT-2.3.1-1].
    def ask_again(self):
        if self.is_up:
            for identifier in self.asked():
                self.write_subscribe(identifier)
            timers.set("suback", ANSWER_TIMEOUT_US, self.ask_again)

    def write_subscribe(self, identifier):
        filters = [wanted[0] for wanted in self.subscriptions if wanted[1] == identifier]
        body = struct.pack(">H", identifier) + (b"\x00" if self.is_v5 else b"")
        self.write(packet(0x82, body + b"".join([mqtt_text(name) + b"\x01" for name in filters])))

    def suback(self, identifier, codes):
        asked = [wanted for wanted in self.subscriptions if wanted[1] == identifier]
        for wanted, code in zip(asked, codes):
            wanted[1] = "granted" if code < 0x80 else "refused"
        if not self.asked():
            timers.cancel("suback")

    def identifier(self):
        used = [message.id for message in self.inflight] + self.asked()
        while True:
            identifier = self.next_id
            self.next_id = identifier % 65535 + 1
            if identifier not in used:
                return identifier

    def send(self, message):
        if len(self.waiting) >= WAITING_MAX:
            self.member.discard(message)
            return
        self.waiting.append(message)
        self.pump()

    def pump(self):
        while self.is_up and self.waiting and link.room() > 0:
            message = self.waiting[0]
            if message.qos:
                if len(self.inflight) >= self.quota:
                    return
                message.id = self.identifier()
                self.inflight.append(message)
            self.waiting.pop(0)
            self.write_message(message)
        self.watch_inflight()

    # MQTT 3.1.1, where the plan wants it: a PUBLISH without PUBACK goes again on the connection that stands.
    def watch_inflight(self):
        if self.retry_us and self.is_up and self.inflight and "puback" not in timers.due:
            timers.at("puback", min([message.sent_us for message in self.inflight]) + self.retry_us, self.repeat_overdue)

    def repeat_overdue(self):
        if self.is_up:
            now = now_us()
            for message in self.inflight:
                if now - message.sent_us >= self.retry_us:
                    message.is_repeat = True
                    self.write_message(message)
            self.watch_inflight()

    def write_message(self, message):
        body = mqtt_text(message.topic)
        if message.qos:
            body += struct.pack(">H", message.id)
        if self.is_v5:
            properties = b""
            if message.tag:
                properties = b"\x26" + mqtt_text(self.member.plan["traceKey"]) + mqtt_text(message.tag)
            body += mqtt_length(len(properties)) + properties
        head = 0x30 | message.qos << 1 | (1 if message.retain else 0) | (8 if message.is_repeat else 0)
        self.write(packet(head, body + message.payload))
        if message.stream is not None:
            event("resent" if message.was_sent else "sent", s=message.stream, q=message.q, due=message.due, at=now_us())
        message.was_sent = True
        message.sent_us = now_us()

    # Pings after an interval without sending, as the server demands, and after one without receiving, to notice a dead path.
    def keep_alive(self):
        if not self.is_up or not self.keep_alive_us:
            return
        if self.is_pinged:
            self.member.lost("keep-alive-timeout")
            return
        quiet = now_us() - min(self.last_out_us, self.last_in_us)
        if quiet < self.keep_alive_us:
            timers.set("keep-alive", self.keep_alive_us - quiet, self.keep_alive)
            return
        self.is_pinged = True
        timers.set("keep-alive", min(self.keep_alive_us // 2, PING_TIMEOUT_MAX_US), self.keep_alive)
        self.write(b"\xc0\x00")


# --- Signals: see sim/signals.
class Signal:
    def __init__(self, spec, draws):
        self.spec, self.draws = spec, draws
        self.value, self.samples, self.ramp, self.last = 0, 0, None, None
        self.law = getattr(self, spec["shape"].replace("-", "_"))

    def sample(self, at):
        if self.last is not None and self.last[0] == at:
            return self.last[1]
        if self.ramp:
            start, origin, to, over = self.ramp
            self.value = to if at - start >= over else origin + (to - origin) * (at - start) / over
        else:
            self.value = self.law(at, self.spec)
        self.samples += 1
        decimals = self.spec.get("decimals", 2)
        rounded = round(self.value, decimals) if decimals else int(round(self.value))
        self.last = (at, rounded)
        return rounded

    def move(self, to, over, at):
        origin = self.sample(at)
        self.ramp, self.last = (at, origin, to, over), None

    def constant(self, at, spec):
        return spec["value"]

    def sine(self, at, spec):
        period, noise = spec["periodUs"], spec.get("noise", 0)
        value = spec["mean"] + spec["amplitude"] * math.sin(2 * math.pi * (at % period) / period)
        return value + noise * self.draws.normal() if noise else value

    def random_walk(self, at, spec):
        if not self.samples:
            return spec["start"]
        to = self.value + spec["step"] * (2 * self.draws.fraction() - 1)
        low, high = spec["min"], spec["max"]
        return min(high, max(low, 2 * low - to if to < low else 2 * high - to if to > high else to))

    def sawtooth(self, at, spec):
        return spec["min"] + (spec["max"] - spec["min"]) * (at % spec["periodUs"]) / spec["periodUs"]

    def replay(self, at, spec):
        return spec["values"][at // spec["everyUs"] % len(spec["values"])]

    def battery(self, at, spec):
        return max(0, spec["start"] - spec["perDay"] * at / 86400e6 - spec["perSample"] * self.samples)


def base36(n):
    out = ""
    while True:
        out = "0123456789abcdefghijklmnopqrstuvwxyz"[n % 36] + out
        n //= 36
        if not n:
            return out


# --- The models: shadow agent and update by jobs, as sim/models has them.
READY = ("idle", "healthy", "failed")
HARMLESS = ("downloading", "paused", "stalled", "verifying")
GONE = ("InvalidStateTransition", "TerminalStateReached", "ResourceNotFound")
FAILS_AT = {"ota.download-failed": 0.25, "ota.verify-failed": 0.6, "ota.flash-failed": 0.8}
FAULTS = ("ota.offline", "ota.rejected", "ota.download-stall", "ota.boot-loop-rollback", "ota.hang", "ota.silent-after-reboot", "ota.slow")
BOOT_ATTEMPTS = 3
ARTIFACT_BYTES = 65536


class Model:
    def __init__(self, member, is_new):
        self.member, self.plan = member, member.plan
        self.name = self.plan.get("model", "temperature-sensor")
        self.things = "$aws/things/%s/" % member.thing
        shadow = self.plan.get("shadow")
        self.follows = self.name == "shadow-device" or (self.name == "temperature-sensor" and shadow is not None)
        self.shadow = shadow or {}
        self.shadow_topic = self.things + ("shadow/name/%s/" % self.shadow["name"] if self.shadow.get("name") else "shadow/")
        self.draws = Draws(self.plan.get("seed", 0), "model%d" % boot_id)
        self.config, self.pending, self.shadow_version = {} if is_new else load("shadow", {}), {}, 0
        self.is_applying = self.is_low = False
        self.faults = {}
        # What outlives a restart: the firmware, and where the update stood that wanted the restart.
        saved = {} if is_new else load("ota", {})
        self.is_resumed = "firmware" in saved
        self.firmware = saved.get("firmware") or str(self.plan.get("attributes", {}).get("firmware", "0.0.0"))
        self.job, self.self_test_us = saved.get("job"), saved.get("selfTestUs", 0)
        self.state = saved.get("state", "idle")
        self.told = self.mode()
        self.is_over = False

    def start(self):
        if self.name == "ota-device" and not self.is_resumed:
            self.save("idle")
            event("firmware", version=self.firmware, at=now_us())
        every_us = reporting_every_us(self.config)
        if every_us:
            self.member.telemetry.every(every_us, None)

    def is_silent(self):
        return self.state == "silent"

    def mode(self):
        if self.name == "ota-device":
            return self.state
        state = "applying" if self.is_applying else "steady"
        if self.name == "temperature-sensor":
            return "config.%s|power.%s" % (state, "saving" if self.is_low else "normal")
        return state

    # After everything that one event has caused: states that are only passed through are not told of.
    def settle(self):
        mode = self.mode()
        if mode != self.told and not self.is_over:
            self.told = mode
            event("mode", mode=mode, at=now_us())

    def wait(self, name, delay_us, task):
        def over():
            task()
            self.settle()
        timers.set(name, delay_us, over)

    def request(self, topic, body):
        self.member.publish(Message(self.things + topic, b"" if body is None else json.dumps(body).encode(), 1))

    def message(self, topic, payload):
        if not topic.startswith(self.things):
            return
        try:
            body = json.loads(payload)
        except ValueError:
            return
        if not isinstance(body, dict):
            return
        if topic == self.shadow_topic + "update/delta":
            self.delta(body.get("state"), body.get("version"))
        elif topic == self.shadow_topic + "get/accepted":
            state = body.get("state")
            self.delta(state.get("delta") if isinstance(state, dict) else None, body.get("version"))
        elif self.name == "ota-device" and topic.startswith(self.things + "jobs/"):
            self.jobs_message(topic[len(self.things) + 5:], body)
        self.settle()

    def connected(self):
        if self.follows:
            # A shadow may have been deleted and begun anew while the device was away.
            self.shadow_version = 0
            self.member.client.subscribe([self.shadow_topic + "update/delta", self.shadow_topic + "get/accepted"])
            self.request(self.shadow_topic[len(self.things):] + "get", None)
        if self.name == "ota-device":
            self.ota_connected()
        self.settle()

    def disconnected(self):
        if self.state == "downloading":
            timers.cancel("phase")
            self.state = "paused"
        self.settle()

    # A delta is applied after a while and reported; a newer one starts over.
    def delta(self, state, version):
        if not self.follows or not isinstance(state, dict) or not is_number(version):
            return
        if version < self.shadow_version or (self.is_applying and version == self.shadow_version):
            return
        self.pending, self.shadow_version, self.is_applying = state, version, True
        spec = self.shadow.get("applyTime") or {"dist": "uniform", "min": 200000, "max": 1500000}
        self.wait("apply", quantile_us(spec, self.draws.fraction()), self.applied)

    def applied(self):
        merge(self.config, self.pending)
        store("shadow", self.config)
        told = {"state": self.config, "at": now_us()}
        if self.shadow.get("name"):
            told["shadow"] = self.shadow["name"]
        event("config", **told)
        every_us = reporting_every_us(self.pending)
        if every_us:
            self.member.telemetry.every(every_us, None)
        self.request(self.shadow_topic[len(self.things):] + "update", {"state": {"reported": self.pending}})
        self.is_applying = False

    # At each telemetry tick: a sensor with a low battery measures less often.
    def watch(self):
        if self.name != "temperature-sensor" or "battery" not in self.member.signals:
            return
        is_low = self.member.state("battery") < 15
        if is_low != self.is_low:
            self.is_low = is_low
            self.member.telemetry.every(None, 4 if is_low else 1)
            self.settle()

    def fault(self, name, active, detail):
        if self.name != "ota-device" or not (name in FAULTS or name in FAILS_AT):
            raise Refusal("unsupported")
        if active:
            self.faults[name] = detail
        else:
            self.faults.pop(name, None)
        if name == "ota.offline" and self.state in READY:
            self.member.leave() if active else self.member.come_back()
        elif name == "ota.download-stall" and not active and self.state == "stalled":
            self.download()
        elif name == "ota.hang" and not active and self.state == "hung":
            self.flash()
        self.settle()

    # Update by jobs. Flash is not written: the phases pass as the virtual device's do.
    def ota_connected(self):
        if self.state in READY and "ota.offline" in self.faults:
            self.member.leave()
            return
        self.member.client.subscribe([self.things + "jobs/" + suffix for suffix in (
            "notify-next", "start-next/accepted", "start-next/rejected", "+/update/rejected")])
        if self.state == "rebooting":
            self.firmware = self.job["version"]
            event("firmware", version=self.firmware, at=now_us())
            self.phase("selfTesting", self.self_test_us, self.tested)
        elif self.state == "bootLooping":
            self.report_firmware()
            self.fail("boot-loop-rollback")
        elif self.state == "paused":
            self.download()
        elif self.state in READY:
            self.ask_for_job()

    def ask_for_job(self):
        self.request("jobs/start-next", {})

    def ask_again(self):
        if self.state in READY:
            self.ask_for_job()

    def jobs_message(self, topic, body):
        execution = body.get("execution")
        if topic == "notify-next":
            if isinstance(execution, dict) and self.state in READY:
                self.ask_for_job()
        elif topic == "start-next/accepted":
            if isinstance(execution, dict) and self.state in READY:
                self.take_job(execution)
        elif topic == "start-next/rejected":
            self.rejected("", body.get("code"))
        elif topic.endswith("/update/rejected"):
            self.rejected(topic[:-len("/update/rejected")], body.get("code"))

    def rejected(self, job_id, code):
        is_ready = self.state in READY
        if is_ready and code == "RequestThrottled":
            self.wait("ask", 5000000, self.ask_again)
        elif self.job and self.job["jobId"] == job_id and code in GONE and (is_ready or self.state in HARMLESS):
            # The service has given the execution up: so does the device, while that is still harmless.
            if not is_ready:
                timers.cancel("phase")
                self.state = "idle"
            self.ask_for_job()

    def update(self, job, status, **details):
        self.request("jobs/%s/update" % job["jobId"],
                     {"status": status, "statusDetails": details, "executionNumber": job["executionNumber"]})

    def take_job(self, execution):
        document, job_id = execution.get("jobDocument"), execution.get("jobId")
        if not isinstance(document, dict) or not isinstance(job_id, str):
            return
        version, sha256 = document.get("version"), document.get("sha256")
        job = {"jobId": job_id, "executionNumber": execution.get("executionNumber", 1), "version": version,
               "sha256": sha256.lower() if isinstance(sha256, str) else None, "isReal": bool(document.get("stream"))}
        if "ota.rejected" in self.faults:
            self.update(job, "REJECTED", reason="refused-by-device")
        elif document.get("operation", "ota") != "ota" or not isinstance(version, str) or not 0 < len(version) <= 64:
            self.update(job, "REJECTED", reason="unsupported-document")
        elif version == self.firmware:
            self.job, self.state = job, "healthy"
            self.update(job, "SUCCEEDED", firmware=self.firmware)
        else:
            self.job = job
            self.plan_phases()
            self.update(job, "IN_PROGRESS", step="downloading")
            self.download()

    def plan_phases(self):
        ota = self.plan.get("ota", {})
        spec = ota.get("executionTime") or {"dist": "uniform", "min": 60000000, "max": 180000000}
        share = min([1] + [FAILS_AT[name] for name in self.faults if name in FAILS_AT])
        slow, factor = self.faults.get("ota.slow"), 1
        if slow is not None:
            factor = slow.get("factor")
            factor = factor if is_number(factor) and factor > 0 else 5
        self.total_us = quantile_us(spec, self.draws.fraction()) * factor / share
        self.blocks = min(64, max(2, -(-ARTIFACT_BYTES // ota.get("blockBytes", 16384))))
        self.blocks_done = 0

    def phase(self, state, us, then):
        self.state = state
        self.wait("phase", int(us), then)

    def download(self):
        self.phase("downloading", self.total_us * 0.5 / self.blocks, self.block)

    def block(self):
        is_half = self.blocks_done + 1 >= self.blocks / 2
        if is_half and "ota.download-stall" in self.faults:
            self.state = "stalled"
        elif is_half and "ota.download-failed" in self.faults:
            self.fail("download-failed")
        else:
            self.blocks_done += 1
            if self.blocks_done < self.blocks:
                self.download()
            else:
                self.phase("verifying", self.total_us * 0.1, self.verified)
                self.update(self.job, "IN_PROGRESS", step="verifying")

    # The script downloads nothing: an image that exists it believes to be intact.
    def is_intact(self):
        is_damaged = "ota.verify-failed" in self.faults
        if self.job["sha256"] is None or self.job["isReal"]:
            return not is_damaged
        return artifact_sha256(self.job["version"], is_damaged) == self.job["sha256"]

    def verified(self):
        if not self.is_intact():
            self.fail("sha256-mismatch")
        elif "ota.hang" in self.faults:
            self.state = "hung"
        else:
            self.flash()

    def flash(self):
        self.phase("flashing", self.total_us * 0.2, self.flashed)
        self.update(self.job, "IN_PROGRESS", step="flashing")

    def flashed(self):
        if "ota.flash-failed" in self.faults:
            self.fail("flash-failed")
            return
        self.phase("leaving", 500000, self.leave)
        self.update(self.job, "IN_PROGRESS", step="rebooting")

    def leave(self):
        silent = self.faults.get("ota.silent-after-reboot")
        if silent is not None and silent.get("report") == "SUCCEEDED":
            self.update(self.job, "SUCCEEDED", firmware=self.job["version"])
        is_looping = silent is None and "ota.boot-loop-rollback" in self.faults
        self.self_test_us = int(self.total_us * 0.08)
        self.save("silent" if silent is not None else "bootLooping" if is_looping else "rebooting")
        event("rebooting", why="job", at=now_us())
        self.member.reboot(int(self.total_us * 0.12) * (BOOT_ATTEMPTS if is_looping else 1))
        self.settle()
        restart()

    def save(self, state):
        self.state = state
        store("ota", {"firmware": self.firmware, "state": state, "job": self.job, "selfTestUs": self.self_test_us})

    def report_firmware(self):
        self.request("shadow/update", {"state": {"reported": {"firmware": self.firmware}}})

    def tested(self):
        self.report_firmware()
        self.update(self.job, "SUCCEEDED", firmware=self.job["version"])
        self.save("healthy")

    def fail(self, reason):
        timers.cancel("phase")
        self.save("failed")
        self.update(self.job, "FAILED", reason=reason, firmware=self.firmware)


# The hash of a version's image, as the virtual device has it; a damaged one has a bit flipped in the middle.
def artifact_sha256(version, is_damaged):
    seed = bytearray(hashlib.sha256(b"fleetrig firmware " + version.encode()).digest())
    image = hashlib.sha256()
    for offset in range(0, ARTIFACT_BYTES, len(seed)):
        struct.pack_into("<I", seed, 0, (struct.unpack("<I", seed)[0] + 1) & 0xFFFFFFFF)
        if is_damaged and offset == ARTIFACT_BYTES // 2:
            image.update(bytes([seed[0] ^ 1]) + seed[1:])
        else:
            image.update(seed)
    return binascii.hexlify(image.digest()).decode()


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def merge(config, changes):
    for key, change in changes.items():
        if isinstance(change, dict) and isinstance(config.get(key), dict):
            merge(config[key], change)
        else:
            config[key] = change


def reporting_every_us(config):
    telemetry = config.get("telemetry")
    for seconds in (config.get("reporting_interval"), config.get("reportingIntervalS"),
                    telemetry.get("everyS") if isinstance(telemetry, dict) else None):
        if seconds is not None:
            return int(round(seconds * 1000000)) if is_number(seconds) and 0.1 <= seconds <= 604800 else None
    return None


# --- Telemetry: each stream on its own grid, counted from the start of the run.
class Telemetry:
    def __init__(self, member, is_new):
        self.member, self.streams = member, member.plan.get("telemetry", [])
        self.every_us = [stream["everyUs"] for stream in self.streams]
        self.due = [0] * len(self.streams)
        self.wanted_us, self.slowdown = None, 1
        self.is_running = False
        # Numbers below these count as used: after a power cut none is used twice, and a minute's worth is skipped at most.
        stored = [0] * len(self.streams) if is_new else load("sequences", None)
        self.is_lost = not stored or len(stored) != len(self.streams)
        self.sequences = [0] * len(self.streams) if self.is_lost else stored
        self.reserved = list(self.sequences)
        self.save()

    # The numbers as they are: no more are used before the restart that is to come.
    def save(self):
        if self.is_lost:
            return
        self.reserved = list(self.sequences)
        store("sequences", self.reserved)

    def start(self):
        now = self.member.run_us()
        from_us = max(now, self.member.plan.get("connectAtUs", 0))
        for i, stream in enumerate(self.streams):
            if self.is_lost and now >= stream["offsetUs"]:
                self.sequences[i] = max(self.sequences[i], (now - stream["offsetUs"]) // stream["everyUs"] + 1)
            self.aim(i, from_us)
        self.is_lost, self.is_running = False, True
        self.save()
        self.arm()

    def stop(self):
        self.is_running = False
        timers.cancel("telemetry")

    # The first instant of the grid at or after that one.
    def aim(self, i, from_us):
        first = self.streams[i]["offsetUs"] * self.every_us[i] // self.streams[i]["everyUs"]
        self.due[i] = first + max(0, -((first - from_us) // self.every_us[i])) * self.every_us[i]

    def every(self, every_us, slowdown):
        self.wanted_us = every_us or self.wanted_us
        self.slowdown = slowdown or self.slowdown
        from_us = max(self.member.run_us() + 1, self.member.plan.get("connectAtUs", 0))
        for i, stream in enumerate(self.streams):
            wanted = (self.wanted_us or stream["everyUs"]) * self.slowdown
            if wanted != self.every_us[i]:
                self.every_us[i] = wanted
                self.aim(i, from_us)
        self.arm()

    def arm(self):
        if self.is_running and self.due:
            timers.at("telemetry", min(self.due) + self.member.origin_us, self.tick)

    def tick(self):
        now = self.member.run_us()
        for i in range(len(self.streams)):
            if self.due[i] <= now:
                due = self.due[i]
                self.due[i] += self.every_us[i]
                self.publish(i, due)
        self.arm()

    def publish(self, i, due):
        stream, q = self.streams[i], self.sequences[i]
        if q >= self.reserved[i]:
            self.reserved[i] = q + max(1, min(RESERVED_MAX, RESERVED_US // stream["everyUs"]))
            store("sequences", self.reserved)
        self.sequences[i] = q + 1
        payload = stream["payload"].replace("{seq}", str(q)).replace("{now}", str(wall_ms()))
        at = payload.find("{state.")
        while at >= 0:
            end = payload.index("}", at)
            payload = payload[:at] + json.dumps(self.member.state(payload[at + 7:end])) + payload[end + 1:]
            at = payload.find("{state.", at)
        message = Message(stream["topic"], payload.encode(), stream.get("qos", 0))
        message.retain = stream.get("retain", False)
        message.stream, message.q, message.due = stream["s"], q, due + self.member.origin_us
        message.tag = stream["tag"] + base36(q)
        self.member.publish(message)
        self.member.model.watch()


# --- A member of a fleet: its connection, model and telemetry.
class Member:
    def __init__(self, plan, is_new):
        self.plan, self.thing = plan, plan["thing"]
        seed = plan.get("seed", 0)
        self.signals = {name: Signal(spec, Draws(seed, "%s%d" % (name, boot_id))) for name, spec in plan.get("signals", {}).items()}
        self.draws = Draws(seed, "backoff%d" % boot_id)
        self.origin_us = 0
        # idle, waiting, dialing, handshaking, online, held or stopped
        self.connection = "idle"
        self.backlog, self.attempt, self.previous_us = [], 0, 0
        self.number = 0
        self.is_quiet = False
        self.opened_us = self.dialed_us = 0
        # In the time of the run, which goes on over a restart: what the board knew of its connection when it wanted one.
        session = {} if is_new else load("session", {})
        forget("session")
        self.lost_us, self.expects_session_us = session.get("lostUs", 0), session.get("lifetimeUs", 0)
        self.attempt, self.down_until_us = session.get("attempt", 0), session.get("downUntilUs", 0)
        self.action = self.hindrance = None
        self.hindered_until_us = 0
        self.client = Client(self)
        self.telemetry = Telemetry(self, is_new)
        self.model = Model(self, is_new)

    def run_us(self):
        return now_us() - self.origin_us

    def state(self, name):
        if name in self.signals and not (name.startswith("adc") and name[3:].isdigit() and int(name[3:]) in adc_levels):
            return self.signals[name].sample(self.run_us())
        return adc(int(name[3:])) if name.startswith("adc") else None

    def start(self, at):
        self.origin_us = at
        if self.model.is_silent():
            self.connection = "stopped"
            return
        if self.model.is_over:
            # Powered off, and now on again: from the beginning, but for the numbers of its messages.
            forget("shadow")
            self.client, self.model, self.connection = Client(self), Model(self, True), "idle"
        self.telemetry.start()
        if self.connection != "idle":
            return
        self.model.start()
        self.connection = "waiting"
        timers.at("dial", max(now_us(), at + max(self.down_until_us, self.plan.get("connectAtUs", 0))), self.dial)

    # Quietly when it makes room for another member: then nobody hears of its end.
    def stop(self, is_quiet=False):
        self.is_quiet, self.model.is_over = is_quiet, True
        self.telemetry.stop()
        self.close("stopped")
        for name in ("dial", "timeout", "keep-alive", "apply", "phase", "ask", "suback", "puback"):
            timers.cancel(name)

    def report(self, kind, **members):
        if not self.is_quiet:
            event("connection", kind=kind, at=now_us(), **members)

    def is_hindered(self, hindrance):
        return self.hindrance == hindrance and now_us() < self.hindered_until_us

    def dial(self):
        if self.connection not in ("waiting", "held", "idle"):
            return
        self.dialed_us = now_us()
        self.report("attempt", attempt=self.attempt)
        self.connection = "dialing"
        self.number += 1
        timers.set("timeout", CONNECT_TIMEOUT_US, lambda: self.failed("timeout"))
        if self.is_hindered("ungraceful"):
            self.failed("unreachable")
        elif not self.is_hindered("blackhole"):
            if link.session:
                control({"net": "dial", "n": self.number})
            else:
                self.failed("unreachable")

    def failed(self, reason):
        if self.connection not in ("dialing", "handshaking"):
            return
        self.hang_up("abort")
        self.report("refused", reason=reason)
        self.retry()

    def retry(self):
        plan = self.plan.get("reconnect", {})
        policy, base, cap = plan.get("policy", "full-jitter"), plan.get("baseUs", 1000000), plan.get("capUs", 60000000)
        ceiling = min(cap, base << min(self.attempt, 40))
        self.connection = "waiting"
        if policy == "none":
            return
        if policy == "constant":
            delay = base
        elif policy == "exponential":
            delay = ceiling
        elif policy == "equal-jitter":
            delay = ceiling // 2 + int(self.draws.fraction() * ceiling / 2)
        elif policy == "full-jitter":
            delay = int(self.draws.fraction() * ceiling)
        else:
            delay = min(cap, base + int(self.draws.fraction() * max(0, 3 * (self.previous_us or base) - base)))
        self.attempt += 1
        self.previous_us = delay
        timers.set("dial", max(1000, delay), self.dial)

    def net(self, message):
        if message.get("n") != self.number:
            return
        kind = message["net"]
        if kind == "opened":
            if self.connection == "dialing":
                self.connection = "handshaking"
                if not self.is_hindered("no-connack"):
                    self.client.open()
        elif kind == "failed":
            self.failed(message.get("reason", "refused"))
        elif kind in ("closed", "close", "abort"):
            if self.connection == "handshaking":
                self.failed("closed")
            else:
                self.lost(message.get("reason", "closed"))

    def accepted(self, is_present):
        timers.cancel("timeout")
        now = now_us()
        self.connection, self.action = "online", None
        self.report("open", sessionPresent=is_present, connectUs=now - self.dialed_us,
                    resumeExpected=self.run_us() - self.lost_us < self.expects_session_us)
        self.opened_us = now
        tell_first_online()
        if self.client.is_v5:
            self.expects_session_us = self.client.expiry_s * 1000000
        else:
            self.expects_session_us = 0 if self.client.plan.get("cleanStart") else 3600000000
        backlog, self.backlog = self.backlog, []
        for message in backlog:
            self.client.send(message)
        self.client.pump()
        self.model.connected()

    def ended(self, kind, **members):
        now = now_us()
        self.lost_us = self.run_us()
        if now - self.opened_us >= self.plan.get("reconnect", {}).get("resetAfterUs", 10000000):
            self.attempt, self.previous_us = 0, 0
        if self.action:
            members["action"] = self.action
        timers.cancel("keep-alive")
        self.report(kind, **members)
        self.model.disconnected()

    def lost(self, reason):
        if self.connection != "online":
            return
        self.hang_up("abort")
        self.ended("lost", reason=reason)
        self.retry()

    def hang_up(self, how):
        timers.cancel("timeout")
        self.client.is_up = False
        control({"net": how, "n": self.number})

    def close(self, state):
        was = self.connection
        timers.cancel("dial")
        if was == "online":
            self.client.write(b"\xe0\x00")
        if was in ("dialing", "handshaking", "online"):
            self.hang_up("close" if was == "online" else "abort")
        self.connection = state
        if was == "online":
            self.ended("closed")
        elif was in ("dialing", "handshaking") and state == "held":
            self.report("refused", reason="graceful")

    # Without a word to the broker, as when power fails; comes back after that long.
    def reboot(self, down_us):
        was, self.connection = self.connection, "booting"
        timers.cancel("dial")
        if was in ("dialing", "handshaking", "online"):
            self.hang_up("abort")
        if was == "online":
            self.ended("lost", reason="reboot")
        elif was in ("dialing", "handshaking"):
            self.report("refused", reason="reboot")
        self.down_until_us = self.run_us() + down_us

    def save_session(self):
        store("session", {"lostUs": self.lost_us, "lifetimeUs": self.expects_session_us, "attempt": self.attempt,
                          "downUntilUs": self.down_until_us})

    def connect(self):
        self.hindered_until_us = 0
        if self.connection in ("waiting", "held"):
            timers.cancel("dial")
            self.dial()

    def disconnect(self, mode, hold_us, action):
        self.action = action
        if mode == "graceful":
            if self.connection == "booting":
                return
            self.close("held")
            timers.set("dial", hold_us, self.retry)
            return
        self.hindrance, self.hindered_until_us = mode, now_us() + hold_us
        if self.connection == "online":
            self.lost(mode)
        else:
            self.failed(mode)

    def leave(self):
        self.action = "leave"
        if self.connection != "booting":
            self.close("held")

    def come_back(self):
        if self.connection == "held":
            self.connect()

    def publish(self, message):
        if self.connection == "online":
            self.client.send(message)
            return
        plan = self.plan.get("buffer", {})
        capacity = 0 if self.connection == "stopped" else plan.get("capacity", 100)
        if len(self.backlog) >= capacity:
            if not capacity or plan.get("overflow") == "drop-newest":
                self.discard(message)
                return
            self.discard(self.backlog.pop(0))
        self.backlog.append(message)

    def discard(self, message):
        if message.stream is not None:
            event("discarded", s=message.stream, q=message.q, due=message.due)


# --- The board: what the host asks and hears.
boot_id = struct.unpack("<I", os.urandom(4))[0]
mac = binascii.hexlify(machine.unique_id()).decode()
boots = load("boots", 0) + 1
store("boots", boots)
crash = load("crash", None)
forget("crash")
RESETS = {getattr(machine, name): word for name, word in (
    ("SOFT_RESET", "SW_CPU_RESET"), ("DEEPSLEEP_RESET", "DEEPSLEEP"), ("WDT_RESET", "TG0_WDT_RESET"),
    ("HARD_RESET", "SW_CPU_RESET"), ("PWRON_RESET", "POWERON")) if hasattr(machine, name)}
reset_word = "PANIC" if crash else RESETS.get(machine.reset_cause(), "UNKNOWN")
member = None
events = []
dropped = longest_us = 0
was_online = False
wall = (0, 946684800000)
adc_levels = {}
pins = {}


def hello():
    told = {"proto": 1, "fw": "fleetrig-micropython", "version": VERSION, "build": "00000000", "chip": sys.platform, "mac": mac,
            "bootId": boot_id, "boots": boots, "reset": reset_word, "upUs": now_us(), "rx": RX_BYTES, "maxPayload": MAX_PAYLOAD,
            "window": WINDOW, "caps": ["mqtt", "gpio", "adc", "crash", "sleep", "nvs"]}
    if member:
        told["thing"] = member.thing
    if crash:
        told["crash"] = {"kind": crash}
    # Without spaces: a long name has to fit as well.
    return json.dumps(told, separators=(",", ":")).encode()


def control(message):
    link.send(CONTROL, json.dumps(message).encode())


def event(ev, **members):
    global dropped
    members["ev"] = ev
    if len(events) >= EVENTS_MAX:
        dropped += 1
        return
    events.append(members)
    tell_events()


# What your firmware can tell the bench by name: a number, a time that it has measured, or that it got there so long after its start.
# Names are up to 64 letters, digits and _.:/-
def marker(name, value):
    event("marker", name=name, value=value, at=now_us())


def marker_us(name, us):
    event("marker", name=name, us=us, at=now_us())


def milestone(name):
    marker_us(name, now_us())


def tell_first_online():
    global was_online
    if not was_online:
        milestone("online")
    was_online = True


def tell_events():
    while events and link.session and link.room() > 4:
        control(events.pop(0))


def log(text, level="I"):
    line = "%s (%d) fleetrig: %s\r\n" % (level, now_us() // 1000, text)
    link.output.write("".join([c if c >= " " or c in "\r\n" else " " for c in line]).encode())


def wall_ms():
    return wall[1] + (now_us() - wall[0]) // 1000


def adc(channel):
    if channel in adc_levels:
        return adc_levels[channel]
    try:
        return machine.ADC(channel).read_uv() // 1000
    except (ValueError, AttributeError):
        return 0


def leave_off():
    if member:
        member.telemetry.stop()
        member.telemetry.save()
        member.save_session()
    link.flush(2000000)


def restart():
    leave_off()
    machine.reset()


class Refusal(Exception):
    pass


def op_configure(args):
    global member
    if args.get("path", "bridge") != "bridge":
        raise Refusal("unsupported")
    if member:
        member.stop(True)
    events.clear()
    for name in ("member", "ota", "sequences", "session", "shadow"):
        forget(name)
    # None that is in its way stays: where the configuration is no good, there is no member.
    member = None
    member = Member(args, True)
    store("member", args)


def need_member():
    if member is None:
        raise Refusal("failed")
    return member


def op_start(args):
    need_member().start(args["at"])


def op_stop(args):
    need_member().stop()


def op_connect(args):
    need_member().connect()


def op_disconnect(args):
    need_member().disconnect(args.get("mode", "graceful"), args.get("holdUs", 0), args.get("action"))


def op_set_state(args):
    who = need_member()
    for name, change in args["values"].items():
        to, over = (change["rampTo"], change["overUs"]) if isinstance(change, dict) else (change, 0)
        if name in who.signals:
            who.signals[name].move(to, over, who.run_us())
        elif name.startswith("adc"):
            adc_levels[int(name[3:])] = to
        else:
            raise Refusal("bad-args")


def op_fault(args):
    need_member().model.fault(args["fault"], args.get("active", True), args.get("detail", {}))


def op_time(args):
    global wall
    wall = (args.get("at", now_us()), args["wallMs"])


def op_echo(args):
    return args.get("data")


def op_stats(args):
    gc.collect()
    return {"link": link.counters, "heap": gc.mem_free() if hasattr(gc, "mem_free") else 0, "dropped": dropped,
            "longestLoopUs": longest_us}


def op_log(args):
    log(args["text"], {"error": "E", "warn": "W"}.get(args.get("level"), "I"))


# What ends this run of the board comes after the answer.
def later(task):
    timers.set("later", 20000, task)


def op_reboot(args):
    def reboot():
        event("rebooting", why="command", at=now_us())
        restart()
    later(reboot)


def op_sleep(args):
    us = args["us"]
    if not is_number(us) or us < 0:
        raise Refusal("bad-args")

    def sleep():
        event("sleeping", us=us, at=now_us())
        leave_off()
        # 0 would be for ever.
        machine.deepsleep(max(1, int(us // 1000)))
    later(sleep)


def fail_on_purpose():
    raise RuntimeError("abort() was called")


def op_crash(args):
    kinds = {"abort": fail_on_purpose, "silent": machine.reset}
    if args.get("kind") not in kinds:
        raise Refusal("unsupported")
    later(kinds[args["kind"]])


def op_gpio(args):
    number = args["pin"]
    if "level" in args:
        pins[number] = machine.Pin(number, machine.Pin.OUT)
        pins[number].value(1 if args["level"] else 0)
        event("gpio", pin=number, level=bool(pins[number].value()), at=now_us())
    elif number not in pins:
        pins[number] = machine.Pin(number, machine.Pin.IN)
    return bool(pins[number].value())


def op_adc(args):
    if "millivolts" in args:
        adc_levels[args["channel"]] = args["millivolts"]
    return adc(args["channel"])


def op_nvs(args):
    values = load("nvs", {})
    if "value" in args:
        values[args["key"]] = args["value"]
        store("nvs", values)
    return values.get(args["key"])


def op_erase(args):
    global member
    if member:
        member.stop()
    member = None
    for name in ("member", "ota", "sequences", "session", "shadow", "nvs"):
        forget(name)


def op_unsupported(args):
    raise Refusal("unsupported")


def op_unknown(args):
    raise Refusal("unknown-op")


OPS = {"configure": op_configure, "start": op_start, "stop": op_stop, "connect": op_connect, "disconnect": op_disconnect,
       "setState": op_set_state, "fault": op_fault, "time": op_time, "echo": op_echo, "stats": op_stats, "log": op_log,
       "reboot": op_reboot, "sleep": op_sleep, "crash": op_crash, "gpio": op_gpio, "adc": op_adc, "nvs": op_nvs,
       "credentials": op_unsupported, "erase": op_erase}


def received(channel, payload):
    if channel == NETWORK:
        if member and member.connection in ("handshaking", "online"):
            member.client.feed(payload)
        return
    try:
        message = json.loads(payload)
    except ValueError:
        message = None
    if not isinstance(message, dict):
        link.counters["droppedMessages"] += 1
        return
    if "net" in message:
        if member:
            member.net(message)
        return
    answer = {"id": message.get("id"), "ok": True}
    try:
        value = OPS.get(message.get("op"), op_unknown)(message.get("args", {}))
        if value is not None:
            answer["value"] = value
    except Refusal as refusal:
        answer = {"id": message.get("id"), "ok": False, "error": refusal.args[0], "message": "the script refused it"}
    except (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError) as problem:
        answer = {"id": message.get("id"), "ok": False, "error": "bad-args", "message": repr(problem)}
    control(answer)


def opened():
    global crash
    crash = None
    tell_events()


# The tunnel ended with the session; the member dials anew.
def closed():
    if member:
        member.failed("closed")
        member.lost("closed")


def restore():
    global member
    remembered = load("member", None)
    try:
        if remembered:
            member = Member(remembered, False)
    except Exception as problem:  # what is stored is no good, and must not end every start
        sys.print_exception(problem)
        forget("member")


def run():
    global longest_us
    while True:
        began_us = now_us()
        wait_us = timers.run()
        if member and member.client.is_up:
            member.client.pump()
        tell_events()
        link.settle()
        longest_us = max(longest_us, now_us() - began_us)
        link.read(min(1000, (wait_us + 999) // 1000))


link = Link(hello, received, opened, closed)
try:
    micropython.kbd_intr(-1)
    restore()
    link.boot()
    run()
except KeyboardInterrupt:
    micropython.kbd_intr(3)
except Exception as problem:
    store("crash", "abort")
    if member:
        member.telemetry.save()
    sys.print_exception(problem)
    machine.reset()
