import { rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { FleetrigError } from "fleetrig/kernel";
import {
  CONTROL_LINE_BYTES,
  type ControlAnswer,
  type ControlRequest,
  readControlRequest,
} from "../power/control-protocol.js";

/** The control socket of a virtual board: see `power/control-protocol.ts`. */
export class ControlServer {
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private path: string | undefined;

  /** @param perform Rejects with FleetrigError: BOARD_UNSUPPORTED becomes `unsupported`, others `failed`. */
  constructor(private readonly perform: (request: ControlRequest) => Promise<void>) {
    this.server = createServer((socket) => this.serve(socket));
  }

  /** @throws {FleetrigError} BOARD_CONTROL_FAILED */
  async listen(path: string): Promise<void> {
    rmSync(path, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.server.once("error", (cause) => reject(failure(path, cause)));
      this.server.listen(path, resolve);
    });
    this.path = path;
  }

  close(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
    if (this.path !== undefined) rmSync(this.path, { force: true });
  }

  private serve(socket: Socket): void {
    let text = "";
    let last = Promise.resolve();
    this.sockets.add(socket);
    socket.setEncoding("utf8");
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.sockets.delete(socket));
    socket.on("data", (piece: string) => {
      text += piece;
      const lines = text.split("\n");
      text = lines.pop()!;
      if (text.length > CONTROL_LINE_BYTES || lines.some((line) => line.length > CONTROL_LINE_BYTES)) {
        socket.destroy();
        return;
      }
      for (const line of lines) {
        last = this.answerAfter(last, line, socket);
      }
    });
  }

  private async answerAfter(before: Promise<void>, line: string, socket: Socket): Promise<void> {
    await before;
    socket.write(`${JSON.stringify(await this.answer(line))}\n`);
  }

  private async answer(line: string): Promise<ControlAnswer> {
    const request = readControlRequest(line);
    if (!("op" in request)) return request;
    try {
      await this.perform(request);
      return { ok: true };
    } catch (error) {
      const isKnown = error instanceof FleetrigError;
      return {
        ok: false,
        error: isKnown && error.code === "BOARD_UNSUPPORTED" ? "unsupported" : "failed",
        message: isKnown ? error.sentence : String(error),
      };
    }
  }
}

const failure = (path: string, cause: unknown): FleetrigError =>
  new FleetrigError("BOARD_CONTROL_FAILED", `The control socket ${path} cannot be listened on.`, {
    hint: "Paths of unix sockets are at most 107 bytes long; choose a shorter state folder.",
    cause,
  });
