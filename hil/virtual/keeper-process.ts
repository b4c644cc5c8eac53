import { type ChildProcess, fork } from "node:child_process";
import { EXIT, FleetrigError } from "fleetrig/kernel";
import type { BoardStatus, KeeperFailure, KeeperMessage, KeeperRequest } from "./keeper-protocol.js";

/** From source, the compiled keeper is started: Node runs no TypeScript. */
const SCRIPT = import.meta.url.endsWith(".ts") ? "../../dist/hil/virtual/keeper.js" : "./keeper.js";

/** What the keeper tells of a board by itself. */
interface KeptBoardHandlers {
  status(status: BoardStatus): void;
  log(text: string): void;
}

type Ask<T extends KeeperRequest> = Omit<T, "id" | "board">;
type KeeperAsk =
  | Ask<Extract<KeeperRequest, { ask: "start" }>>
  | Ask<Extract<KeeperRequest, { ask: "do" }>>
  | Ask<Extract<KeeperRequest, { ask: "stop" }>>;

interface Waiting {
  resolve(): void;
  reject(error: FleetrigError): void;
}

/** This process's keeper of virtual boards: started with the first board, ended with the last. */
class KeeperProcess {
  private child: ChildProcess | undefined;
  private readonly boards = new Map<number, KeptBoardHandlers>();
  private readonly waiting = new Map<number, Waiting>();
  private nextBoard = 1;
  private nextId = 1;

  add(handlers: KeptBoardHandlers): number {
    const board = this.nextBoard++;
    this.boards.set(board, handlers);
    return board;
  }

  /** Forgets a board that is stopped or never started. */
  remove(board: number): void {
    this.boards.delete(board);
    if (this.boards.size > 0) return;
    this.child?.disconnect();
    this.child = undefined;
  }

  /** @throws {FleetrigError} what the keeper's board throws; BOARD_KEEPER_FAILED when the keeper has ended */
  ask(board: number, ask: KeeperAsk): Promise<void> {
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      const child = this.running();
      this.waiting.set(id, { resolve, reject });
      child.channel?.ref();
      child.send({ id, board, ...ask } satisfies KeeperRequest);
    });
  }

  private running(): ChildProcess {
    if (this.child?.connected === true) return this.child;
    const child = fork(new URL(SCRIPT, import.meta.url), {
      execArgv: [],
      detached: true,
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    child.on("message", (message: KeeperMessage) => this.take(message));
    child.once("exit", (code, signal) => this.ended(child, signal ?? `exit code ${code}`));
    child.unref();
    this.child = child;
    return child;
  }

  private take(message: KeeperMessage): void {
    if ("status" in message) this.boards.get(message.board)?.status(message.status);
    else if ("log" in message) this.boards.get(message.board)?.log(message.log);
    else {
      const waiting = this.waiting.get(message.id);
      this.waiting.delete(message.id);
      // Boards alone keep no process alive; what is asked of them does.
      if (this.waiting.size === 0) this.child?.channel?.unref();
      if (message.failure === undefined) waiting?.resolve();
      else waiting?.reject(errorOf(message.failure));
    }
  }

  private ended(child: ChildProcess, how: string): void {
    if (child !== this.child) return;
    this.child = undefined;
    const gone = {
      code: "BOARD_KEEPER_FAILED",
      sentence: `The keeper of virtual boards has ended: ${how}.`,
      hint: undefined,
      exitCode: EXIT.environment,
    };
    for (const { reject } of this.waiting.values()) reject(errorOf(gone));
    this.waiting.clear();
    for (const { status } of this.boards.values()) status({ path: undefined, pid: undefined });
  }
}

const errorOf = ({ code, sentence, hint, exitCode }: KeeperFailure): FleetrigError =>
  new FleetrigError(code, sentence, {
    exitCode,
    hint:
      hint ??
      "This is a bug in fleetrig, or the keeper's process was killed; stop the board and start it again.",
  });

export const keeper = new KeeperProcess();
