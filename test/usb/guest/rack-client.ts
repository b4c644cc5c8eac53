import { connect, type Socket } from "node:net";
import type { RackAnswer, RackRequest, Seen } from "../rack-protocol.js";

/** QEMU's name for the machine it runs on. */
export const HOST = "10.0.2.2";

/** The rack, from inside. */
export class RackClient {
  private readonly waiting: ((answer: RackAnswer) => void)[] = [];
  private text = "";

  private constructor(private readonly socket: Socket) {
    socket.setEncoding("utf8");
    socket.on("data", (piece: string) => {
      const lines = (this.text + piece).split("\n");
      this.text = lines.pop()!;
      for (const line of lines) this.waiting.shift()?.(JSON.parse(line) as RackAnswer);
    });
  }

  static connect(port: number): Promise<RackClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: HOST, port, noDelay: true });
      socket.once("error", reject);
      socket.once("connect", () => resolve(new RackClient(socket)));
    });
  }

  async ask(request: RackRequest): Promise<unknown> {
    const answer = await new Promise<RackAnswer>((resolve) => {
      this.waiting.push(resolve);
      this.socket.write(`${JSON.stringify(request)}\n`);
    });
    if (!answer.ok) throw new Error(answer.reason);
    return answer.value;
  }

  async seen(bus: string): Promise<Seen> {
    return (await this.ask({ op: "seen", bus })) as Seen;
  }

  close(): void {
    this.socket.destroy();
  }
}
