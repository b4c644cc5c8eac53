import { spawn } from "node:child_process";
import { createPortOpener, exportPort } from "fleetrig/hil";
import { RealTime } from "fleetrig/kernel";
import { describe, expect, it } from "vitest";
import { closedPort, lacksPyserial, PYTHON, runPython } from "../../embedding/rigs.js";
import { MemoryBoard } from "./memory-board.js";
import { Listener, until } from "./terminal.js";

/** pyserial is what esptool and labgrid speak RFC 2217 with. */
const CLIENT = `
import serial, sys
port = serial.serial_for_url("rfc2217://127.0.0.1:" + sys.argv[1], baudrate=115200, timeout=5)
port.dtr = False
port.rts = True
port.rts = False
port.baudrate = 460800
port.write(bytes(range(256)))
print(bytes(port.read(256)) == bytes(range(256)))
port.close()
`;

/** The loop device of pyserial behind its server: what is written comes back. */
const SERVER = `
import serial, serial.rfc2217, socket, sys, threading
device = serial.serial_for_url("loop://", timeout=0.05)
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", int(sys.argv[1])))
listener.listen(1)
print("up", flush=True)
client, _ = listener.accept()
class Link:
    def write(self, data): client.sendall(data)
manager = serial.rfc2217.PortManager(device, Link())
def back():
    while True:
        data = device.read(1024)
        if data: client.sendall(b"".join(manager.escape(data)))
threading.Thread(target=back, daemon=True).start()
while True:
    data = client.recv(1024)
    if not data: break
    device.write(b"".join(manager.filter(data)))
    print("lines", int(device.dtr), int(device.rts), device.baudrate, flush=True)
`;

const clock = new RealTime().lane(0);

describe.skipIf(lacksPyserial)("pyserial", () => {
  it("uses a port that we export: bytes, lines and rate", async () => {
    const board = new MemoryBoard(clock);
    const server = await exportPort({
      opener: {
        open: async (opening) => {
          const port = await board.open(opening);
          void until(() => board.bytes.length === 256).then(() => board.port?.send(board.bytes));
          return port;
        },
      },
      address: { kind: "tty", path: "/dev/ttyUSB0" },
      clock,
      protocol: "rfc2217",
      baud: 115_200,
    });
    expect(await runPython(CLIENT, String(server.port))).toBe("True\n");
    await server.close();
    expect(board.bauds.at(-1)).toBe(460_800);
    const last = board.lines.slice(-2);
    expect(last).toEqual([
      { dtr: false, rts: true },
      { dtr: false, rts: false },
    ]);
  });

  it("serves a port to us: bytes, lines and rate", async () => {
    const number = await closedPort();
    const python = spawn(PYTHON, ["-c", SERVER, String(number)], { stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    python.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    try {
      await until(() => output.startsWith("up"));
      const listener = new Listener();
      const address = { kind: "rfc2217", host: "127.0.0.1", port: number } as const;
      const port = await createPortOpener({ clock }).open({ address, baud: 115_200, receiver: listener });
      await port.setLines({ dtr: true, rts: false });
      await port.setBaud(57_600);
      port.write(Uint8Array.from({ length: 256 }, (_, value) => value));
      await until(() => listener.bytes.length === 256);
      expect([...listener.bytes]).toEqual(Array.from({ length: 256 }, (_, value) => value));
      await until(() => output.trimEnd().endsWith("lines 1 0 57600"));
      await port.close();
    } finally {
      python.kill("SIGKILL");
    }
  });
});
