import { BoardLink, silentLinkHandlers } from "fleetrig/hil";
import { createRandomSource, RealTime } from "fleetrig/kernel";
import { SerialPort } from "serialport";

/** The host's end of a link over a tty, for measurements. */
export class HostedLink {
  readonly link: BoardLink;
  readonly opened: Promise<void>;
  private readonly time = new RealTime();
  private hello: () => void = () => undefined;
  private restart: () => void = () => undefined;

  private constructor(private readonly port: SerialPort) {
    const clock = this.time.lane(0);
    this.opened = new Promise((resolve) => {
      this.hello = resolve;
    });
    this.link = new BoardLink({
      clock,
      random: createRandomSource(1).stream(port.path),
      write: (bytes) => port.write(Buffer.from(bytes)),
      handlers: {
        ...silentLinkHandlers,
        opened: (_, isNewBoot) => {
          this.hello();
          if (isNewBoot) this.restart();
        },
      },
    });
    port.on("data", (bytes: Buffer) => this.link.received(bytes, clock.nowUs()));
  }

  static async open(path: string): Promise<HostedLink> {
    const port = new SerialPort({ path, baudRate: 115_200 });
    await new Promise((resolve) => port.once("open", resolve));
    const hosted = new HostedLink(port);
    hosted.link.start();
    return hosted;
  }

  /** The next session with a board that has restarted. */
  restarted(): Promise<void> {
    return new Promise((resolve) => {
      this.restart = resolve;
    });
  }

  async close(): Promise<void> {
    this.link.stop();
    this.time.stop();
    await new Promise((resolve) => this.port.close(resolve));
  }
}
