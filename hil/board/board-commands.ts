import { FleetrigError, type JsonObject } from "fleetrig/kernel";
import type { CommandAnswer } from "../bridge/member-board.js";
import type { BoardLink } from "../link/board-link.js";

/** So many commands in a row without an answer, and the firmware is no longer there, whatever its link says. */
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
  private missing = 0;

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
      this.missing = 0;
      return { ok: true, value };
    } catch (error) {
      const answer = answerOf(error);
      if (answer.error === "timeout") this.notAnswered(op);
      return answer;
    }
  }

  private notAnswered(op: string): void {
    this.missing += 1;
    if (this.missing < UNANSWERED_MAX) {
      this.watch.unanswered(op);
      return;
    }
    this.missing = 0;
    this.watch.deaf(`it does not answer commands, last ${op}`);
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
