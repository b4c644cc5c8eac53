import { FleetrigError, type JsonObject } from "fleetrig/kernel";
import type { CommandAnswer } from "../bridge/member-board.js";
import type { BoardLink } from "../link/board-link.js";

/** So often in a row the same command without an answer, and the firmware will not answer it, whatever its link says. */
const UNANSWERED_MAX = 3;

/** What becomes of commands. */
export interface CommandWatch {
  /** A session that is there does not answer. */
  unanswered(op: string): void;
  /** It never will. */
  deaf(reason: string): void;
}

/** Sends commands and notices when nobody answers them. */
export class BoardCommands {
  /** By command. */
  private readonly missing = new Map<string, number>();

  constructor(
    private readonly link: BoardLink,
    private readonly watch: CommandWatch,
  ) {}

  send(op: string, args: JsonObject, answered?: (answer: CommandAnswer) => void): void {
    void this.outcomeOf(op, args).then((answer) => answered?.(answer));
  }

  private async outcomeOf(op: string, args: JsonObject): Promise<CommandAnswer> {
    try {
      const value = await this.link.command(op, args);
      this.missing.delete(op);
      return { ok: true, value };
    } catch (error) {
      const answer = answerOf(error);
      if (answer.error === "timeout") this.notAnswered(op);
      return answer;
    }
  }

  private notAnswered(op: string): void {
    const missing = (this.missing.get(op) ?? 0) + 1;
    this.missing.set(op, missing % UNANSWERED_MAX);
    if (missing < UNANSWERED_MAX) this.watch.unanswered(op);
    else this.watch.deaf(`it does not answer ${op}`);
  }
}

const WORDS: Readonly<Record<string, string>> = {
  BOARD_RESTARTED: "rebooted",
  BOARD_COMMAND_TIMEOUT: "timeout",
};

function answerOf(error: unknown): Extract<CommandAnswer, { ok: false }> {
  if (!(error instanceof FleetrigError)) return { ok: false, error: "failed", message: String(error) };
  const { boardError } = error.context;
  const word = WORDS[error.code] ?? (typeof boardError === "string" ? boardError : "failed");
  return { ok: false, error: word, message: error.sentence };
}
