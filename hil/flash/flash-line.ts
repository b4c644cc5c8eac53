import type { Port, PortEnd, PortOpener, PortOpening, PortReceiver } from "../port/port.js";

/** How a board is reset; each rejects when the board's own boot text does not prove it. */
export interface BootControl {
  /** Into the boot loader of its ROM. */
  enterDownload(): Promise<void>;
  /** Into what is in flash. */
  startApplication(): Promise<void>;
}

/** An open port as flashing needs it: whoever listens gets what comes in, and the board on it can be reset. */
export interface FlashLine {
  readonly port: Port;
  readonly boot: BootControl;
  /**
   * From now on `receiver` hears of the port, besides those who do already.
   * @returns Ends that.
   */
  listen(receiver: PortReceiver): () => void;
}

/** A port with any number of listeners, which come and go. */
export class ListenedPort implements PortReceiver {
  private readonly listeners: PortReceiver[] = [];
  private end: PortEnd | undefined;

  listen(receiver: PortReceiver): () => void {
    if (this.end !== undefined) receiver.closed(this.end);
    else this.listeners.push(receiver);
    return () => {
      const at = this.listeners.indexOf(receiver);
      if (at >= 0) this.listeners.splice(at, 1);
    };
  }

  received(bytes: Uint8Array, atUs: number): void {
    for (const listener of this.listeners.slice()) listener.received(bytes, atUs);
  }

  closed(reason: PortEnd): void {
    this.end = reason;
    for (const listener of this.listeners.splice(0)) listener.closed(reason);
  }
}

/** Opens a port for flashing. @param bootControl Makes the way to reset the board on it. */
export async function openFlashLine(
  opener: PortOpener,
  opening: Omit<PortOpening, "receiver">,
  bootControl: (port: Port, listen: FlashLine["listen"]) => BootControl,
): Promise<FlashLine> {
  const listeners = new ListenedPort();
  const port = await opener.open({ ...opening, receiver: listeners });
  const listen = listeners.listen.bind(listeners);
  return { port, listen, boot: bootControl(port, listen) };
}
