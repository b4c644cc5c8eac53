/**
 * Modules that MicroPython has on a board and not in WebAssembly, in Python over the JavaScript module `_board`. `time` sleeps instead of
 * spinning, and `select` can wait for serial input.
 */
const TIME = `
from utime import *
import _board
def sleep_ms(ms):
    if ms > 0: _board.wait(ms)
def sleep(s): sleep_ms(int(s * 1000))
def sleep_us(us):
    if us >= 1000: sleep_ms(us // 1000)
def ticks_us(): return _board.ticks_us() & 0x3fffffff
ticks_cpu = ticks_us
`;

const SELECT = `
import _board, sys
POLLIN = 1
POLLOUT = 4
POLLERR = 8
POLLHUP = 16
def _is_input(obj): return obj is sys.stdin or obj is sys.stdin.buffer
class poll:
    def __init__(self): self._masks = []
    def register(self, obj, mask=5):
        if not _is_input(obj): raise OSError(22)
        self.unregister(obj)
        self._masks.append((obj, mask))
    def unregister(self, obj): self._masks = [e for e in self._masks if e[0] is not obj]
    def modify(self, obj, mask): self.register(obj, mask)
    def poll(self, timeout=-1):
        wanted = [obj for obj, mask in self._masks if mask & POLLIN]
        if not wanted:
            _board.wait(timeout if timeout >= 0 else 3600000)
            return []
        if not _board.poll(timeout): return []
        return [(obj, POLLIN) for obj in wanted]
    def ipoll(self, timeout=-1, flags=0): return iter(self.poll(timeout))
def select(r, w, x, timeout=-1):
    is_ready = r and _board.poll(-1 if timeout is None or timeout < 0 else int(timeout * 1000))
    return (list(r) if is_ready else [], list(w), [])
`;

const MACHINE = `
import _board, binascii
PWRON_RESET = 1
HARD_RESET = 2
WDT_RESET = 3
DEEPSLEEP_RESET = 4
SOFT_RESET = 5
_levels = {}
_inputs = {}
def unique_id(): return binascii.unhexlify(_board.mac)
def reset_cause(): return _board.reset_cause()
def reset(): _board.restart(64)
def soft_reset(): raise SystemExit
def deepsleep(ms=0): _board.deep_sleep(ms)
def lightsleep(ms=0): _board.wait(ms)
def idle(): _board.wait(1)
def freq(hz=None): return 160000000
class Pin:
    IN = 1
    OUT = 3
    OPEN_DRAIN = 7
    PULL_DOWN = 1
    PULL_UP = 2
    def __init__(self, id, mode=-1, pull=-1, *, value=None):
        self.id = id
        self.init(mode, pull, value=value)
    def init(self, mode=-1, pull=-1, *, value=None):
        if pull == Pin.PULL_UP: _levels.setdefault(self.id, 1)
        if value is not None: self.value(value)
    def value(self, level=None):
        if level is None: return _levels.get(self.id, 0)
        _levels[self.id] = 1 if level else 0
    __call__ = value
    def on(self): self.value(1)
    def off(self): self.value(0)
class ADC:
    ATTN_0DB = 0
    ATTN_11DB = 3
    def __init__(self, pin, *, atten=3): self.id = pin.id if isinstance(pin, Pin) else pin
    def read_uv(self): return _inputs.get(self.id, 0) * 1000
    def read_u16(self): return min(65535, _inputs.get(self.id, 0) * 65535 // 3300)
    def read(self): return self.read_u16() >> 4
    def atten(self, atten): pass
`;

const OS = `
from uos import *
import _board
def urandom(n): return bytes([_board.random_byte() for _ in range(n)])
`;

export const MACHINE_MODULES: Readonly<Record<string, string>> = {
  "time.py": TIME,
  "os.py": OS,
  "select.py": SELECT,
  "machine.py": MACHINE,
};
