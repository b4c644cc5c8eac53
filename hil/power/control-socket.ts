import { connect } from "node:net";
import { type Clock, FleetrigError, US_PER_S } from "fleetrig/kernel";
import { CONTROL_LINE_BYTES, type ControlRequest, controlAnswerSchema } from "./control-protocol.js";

/** Starting a board anew may take an emulator a while. */
const ANSWER_US = 10 * US_PER_S;

/** The hand at a virtual board: asks its control socket, a connection per request. */
export class ControlSocket {
  constructor(private readonly options: { readonly path: string; readonly clock: Clock }) {}

  /** @throws FleetrigError BOARD_POWER_FAILED (rejection) */
  ask(request: ControlRequest): Promise<void> {
    const { path, clock } = this.options;
    return new Promise((resolve, reject) => {
      const socket = connect(path);
      let answer = "";
      const end = (reason?: string): void => {
        patience.cancel();
        socket.destroy();
        if (reason === undefined) resolve();
        else reject(refused(path, request, reason));
      };
      const patience = clock.after(ANSWER_US, () => end("it did not answer in time"));
      socket.on("error", (error) => end(error.message));
      socket.on("close", () => end("it hung up"));
      socket.on("connect", () => socket.write(`${JSON.stringify(request)}\n`));
      socket.on("data", (chunk: Buffer) => {
        answer += chunk.toString();
        if (answer.includes("\n")) end(reasonIn(answer.slice(0, answer.indexOf("\n"))));
        else if (answer.length > CONTROL_LINE_BYTES) end("its answer has no end");
      });
    });
  }
}

/** @returns undefined when it is done */
function reasonIn(line: string): string | undefined {
  try {
    const answer = controlAnswerSchema.parse(JSON.parse(line));
    return answer.ok ? undefined : `${answer.error}: ${answer.message}`;
  } catch {
    return "its answer cannot be read";
  }
}

const refused = (path: string, request: ControlRequest, reason: string): FleetrigError =>
  new FleetrigError("BOARD_POWER_FAILED", `The virtual board did not do "${request.op}".`, {
    hint: `At ${path}: ${reason}.`,
    context: { op: request.op },
  });
