import { type BoardCheck, examineBoards, shownMac } from "fleetrig/hil";
import { EXIT, FleetrigError, formatDurationUs } from "fleetrig/kernel";
import { type Host, writeLine } from "../../host.js";
import type { BoardTerminal } from "../board-terminal.js";
import { findBoard, type FoundBoard } from "../find-board.js";
import { withBoard } from "../with-board.js";
import { atWorkplace, type BoardFlags, type Workplace } from "../workplace.js";

/**
 * `fleetrig board doctor [board]`: what stands between this user and boards; with a board, also what that board does when it is opened,
 * asked and restarted.
 * @returns 0, or 1 when the named board failed one of its own checks
 */
export function boardDoctorCommand(host: Host, name: string | undefined, flags: BoardFlags): Promise<number> {
  return atWorkplace(host, flags, async (place) => {
    const { machine } = host;
    for (const check of examineBoards({ ...machine, uhubctl: programPath(host, "uhubctl") }))
      show(place, check);
    if (name === undefined) return EXIT.passed;
    const checks = await examineBoard(place, findBoard(place, name));
    for (const check of checks) show(place, check);
    return checks.every(({ ok }) => ok) ? EXIT.passed : EXIT.failed;
  });
}

/** Opens it, asks it, restarts it: each only if the one before went well enough. */
async function examineBoard(place: Workplace, board: FoundBoard): Promise<readonly BoardCheck[]> {
  const checks: BoardCheck[] = [];
  try {
    await withBoard(place, board, { purpose: "doctor" }, async (terminal) => {
      checks.push({ name: "open", ok: true, text: `${board.port.path} opens (${board.port.adapter.name})` });
      checks.push(await helloCheck(terminal, board), await resetCheck(terminal));
    });
  } catch (error) {
    checks.push(failed(checks.length === 0 ? "open" : "board", error));
  }
  return checks;
}

async function helloCheck(terminal: BoardTerminal, board: FoundBoard): Promise<BoardCheck> {
  const hello = await terminal.converse();
  if (hello === undefined)
    return {
      name: "hello",
      ok: true,
      text: "none: it runs firmware of another kind, or nothing",
      hint: "Scenarios need a line profile for it, or fleetrig's reference firmware (hil/firmware).",
    };
  const { fw, version, chip, mac, caps } = hello;
  const text = `${fw} ${version} on ${chip}, ${shownMac(mac)}; can ${caps.join(", ")}`;
  // What was only seen here before may have been moved since.
  const expected = board.isMacGuess ? board.known?.mac : board.mac;
  if (expected === undefined || expected === mac) return { name: "hello", ok: true, text };
  const hint = `${shownMac(expected)} was expected here: mend the bench file, or plug the boards in as they were.`;
  return { name: "hello", ok: false, text, hint };
}

async function resetCheck(terminal: BoardTerminal): Promise<BoardCheck> {
  try {
    const { method, tookUs } = await terminal.reset("run");
    return { name: "reset", ok: true, text: `proven in ${formatDurationUs(tookUs)} by ${method}` };
  } catch (error) {
    return failed("reset", error);
  }
}

function failed(name: string, error: unknown): BoardCheck {
  if (!(error instanceof FleetrigError)) throw error;
  return { name, ok: false, text: error.sentence, ...(error.hint !== undefined && { hint: error.hint }) };
}

function show({ host, flags }: Workplace, { name, ok, text, hint }: BoardCheck): void {
  if (flags.json === true) {
    writeLine(host.stdout, JSON.stringify({ check: name, ok, text, hint: hint ?? null }));
    return;
  }
  writeLine(host.stdout, `${ok ? "ok  " : "look"}  ${name.padEnd(22)} ${text}`);
  if (hint !== undefined) writeLine(host.stdout, `${" ".repeat(28)} ${hint}`);
}

const programPath = ({ env, files }: Host, program: string): string | undefined =>
  (env["PATH"] ?? "")
    .split(":")
    .map((folder) => `${folder}/${program}`)
    .find((path) => path.startsWith("/") && files.kind(path) === "file");
