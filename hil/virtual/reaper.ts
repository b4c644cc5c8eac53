import { spawn } from "node:child_process";
import type { Writable } from "node:stream";

/**
 * Ends processes whose keeper was killed. It is a shell that reads the numbers of the living from a pipe; when the pipe ends,
 * which even SIGKILL cannot prevent, it kills those that are left.
 */
const SCRIPT = `
trap '' HUP INT TERM
living=
while read -r sign pid; do
  others=
  for one in $living; do [ "$one" = "$pid" ] || others="$others $one"; done
  living=$others
  [ "$sign" = + ] && living="$living $pid"
done
[ -z "$living" ] || kill -9 $living
`;

export class Reaper {
  private readonly list: Writable;

  constructor() {
    const shell = spawn("sh", ["-c", SCRIPT], { stdio: ["pipe", "ignore", "ignore"] });
    this.list = shell.stdin;
    this.list.on("error", () => undefined);
    shell.unref();
  }

  born(pid: number): void {
    this.list.write(`+ ${pid}\n`);
  }

  ended(pid: number): void {
    this.list.write(`- ${pid}\n`);
  }
}
