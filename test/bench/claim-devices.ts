import { readFileSync } from "node:fs";
import { connect, createSecureContext, type SecureContext, type TLSSocket } from "node:tls";
import { encodePacket, type Packet, PacketDecoder, type PublishPacket } from "fleetrig/protocol";

/**
 * Devices of the provisioning bench: `claim-devices <port> <folder> <count>`. Each connects with the claim of the
 * folder (`claim.crt`, `claim.key`), has its request (`device.csr`) signed, is provisioned, and connects again with the
 * certificate it got: two full handshakes, four messages. Prints rate and time per device.
 */
const [port, folder, count] = [Number(process.argv[2]), process.argv[3]!, Number(process.argv[4])];
const CONCURRENT = 32;
const VERSION = 4;
const CREATE = "$aws/certificates/create-from-csr/json";
const PROVISION = "$aws/provisioning-templates/bench/provision/json";

const file = (name: string): string => readFileSync(`${folder}/${name}`, "utf8");
const ca = file("ca.crt");
const deviceKey = file("device.key");
const certificateSigningRequest = file("device.csr");
const claim = createSecureContext({ ca, key: file("claim.key"), cert: file("claim.crt") });

function fail(reason: string): never {
  process.stdout.write(`${JSON.stringify({ error: reason })}\n`);
  process.exit(1);
}

/** One connection; what comes is handed out one by one. */
class Session {
  private readonly decoder = new PacketDecoder({ role: "client", maxPacketBytes: 262_144, version: VERSION });
  private waiting: ((packet: Packet) => void) | undefined;
  private wanted: Packet["type"] = "connack";

  private constructor(private readonly socket: TLSSocket) {
    socket.on("data", (bytes) => this.decoder.push(bytes, (packet) => this.received(packet)));
  }

  static open(clientId: string, secureContext: SecureContext): Promise<Session> {
    return new Promise((resolve) => {
      const socket = connect({ port, host: "127.0.0.1", servername: "localhost", secureContext });
      const session = new Session(socket);
      socket.once("secureConnect", () => {
        session.next("connack").then(() => resolve(session), fail);
        session.send({
          type: "connect",
          protocolVersion: VERSION,
          clientId,
          cleanStart: true,
          keepAliveS: 1200,
        });
      });
      socket.once("error", (error) => fail(`${clientId}: ${error.message}`));
    });
  }

  async ask(topic: string, body: object): Promise<Record<string, string>> {
    const payload = Buffer.from(JSON.stringify(body));
    const answer = this.next("publish");
    this.send({ type: "publish", topic, payload, qos: 0, retain: false, dup: false });
    const { topic: answered, payload: bytes } = (await answer) as PublishPacket;
    const text = Buffer.from(bytes).toString();
    if (answered !== `${topic}/accepted`) fail(`${answered} ${text}`);
    return JSON.parse(text) as Record<string, string>;
  }

  end(): void {
    this.socket
      .removeAllListeners("error")
      .on("error", () => undefined)
      .destroy();
  }

  private next(type: Packet["type"]): Promise<Packet> {
    this.wanted = type;
    return new Promise((resolve) => {
      this.waiting = resolve;
    });
  }

  private received(packet: Packet): void {
    if (packet.type === this.wanted) this.waiting?.(packet);
  }

  private send(packet: Packet): void {
    this.socket.write(encodePacket(packet, VERSION));
  }
}

async function provision(ordinal: number): Promise<void> {
  const claiming = await Session.open(`claim-${ordinal}`, claim);
  const { certificateOwnershipToken, certificatePem } = await claiming.ask(CREATE, {
    certificateSigningRequest,
  });
  const parameters = { Serial: String(ordinal) };
  const { thingName } = await claiming.ask(PROVISION, { certificateOwnershipToken, parameters });
  claiming.end();
  const own = createSecureContext({ ca, key: deviceKey, cert: certificatePem! });
  (await Session.open(thingName!, own)).end();
}

const takenMs: number[] = [];
let next = 0;
async function several(): Promise<void> {
  while (next < count) {
    next += 1;
    const startedMs = performance.now();
    await provision(next);
    takenMs.push(performance.now() - startedMs);
  }
}

const startedMs = performance.now();
await Promise.all(Array.from({ length: CONCURRENT }, several));
const perSecond = count / ((performance.now() - startedMs) / 1000);
takenMs.sort((a, b) => a - b);
const percentile = (share: number): number => takenMs[Math.ceil(takenMs.length * share) - 1]!;
process.stdout.write(`${JSON.stringify({ perSecond, p50Ms: percentile(0.5), p99Ms: percentile(0.99) })}\n`);
process.exit(0);
