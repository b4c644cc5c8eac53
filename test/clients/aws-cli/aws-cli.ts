import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect } from "vitest";
import { PYTHON } from "../../embedding/rigs.js";

/** What commands print has as many shapes as there are commands: the assertions say which is meant. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Json = any;

/** How a command of the CLI ended. */
interface CommandEnding {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What the CLI says of a refusal by the service. */
interface Refusal {
  /** Such as `ResourceNotFoundException`. */
  readonly name: string;
  readonly operation: string;
  readonly message: string;
}

/** Literal parts are words of the command line; a value is one word, or a part of one; objects become JSON. */
type Command = readonly [words: TemplateStringsArray, ...values: unknown[]];

export interface AwsCli {
  /** The JSON of a command that succeeds; undefined when it prints nothing. */
  (...command: Command): Promise<Json>;
  /** A command that the service refuses: exit code 254. */
  refused(...command: Command): Promise<Refusal>;
  /** Any command, however it ends. */
  ending(...command: Command): Promise<CommandEnding>;
  /** A file that commands can name; with content it is there already. */
  file(name: string, content?: string): string;
  read(name: string): string;
  /** Names of all operations that were run, such as `iot create-thing`, with how often. */
  readonly commands: ReadonlyMap<string, number>;
  stop(): Promise<void>;
}

export interface AwsCliOptions {
  readonly endpoint: string;
  /** PEM file that HTTPS is checked against. */
  readonly caFile?: string;
  readonly region?: string;
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
}

const DRIVER = "test/clients/aws-cli/driver.py";
/** AWS CLI: the service answered with an error. */
const REFUSED = 254;
const REFUSAL = /An error occurred \((\w+)\) when calling the (\w+) operation(?: \([^)]*\))?: ([^]*)/;

/** Debian's AWS CLI with an endpoint of its own, dummy credentials and an empty home; it starts with its first command. */
export function createAwsCli(options: () => AwsCliOptions): AwsCli {
  let driver: Driver | undefined;
  const started = (): Driver => (driver ??= startDriver(options()));
  const commands = new Map<string, number>();
  let last: Promise<unknown> = Promise.resolve();

  const ending = (...command: Command): Promise<CommandEnding> => {
    const args = wordsOf(command);
    const name = args.slice(0, 2).join(" ");
    commands.set(name, (commands.get(name) ?? 0) + 1);
    const ended = last.then(() => started().run(args));
    last = ended.catch(() => undefined);
    return ended;
  };
  const succeeded = async (...command: Command): Promise<Json> => {
    const { code, stdout, stderr } = await ending(...command);
    expect({ code, stderr }, wordsOf(command).join(" ")).toEqual({ code: 0, stderr: "" });
    return stdout === "" ? undefined : JSON.parse(stdout);
  };
  const refused = async (...command: Command): Promise<Refusal> => {
    const { code, stdout, stderr } = await ending(...command);
    const [, name = "", operation = "", message = ""] = REFUSAL.exec(stderr) ?? [];
    const said = `${wordsOf(command).join(" ")}\n${stdout}${stderr}`;
    expect({ code, isRefusal: name !== "" }, said).toEqual({ code: REFUSED, isRefusal: true });
    return { name, operation, message: message.trim() };
  };
  return Object.assign(succeeded, {
    ending,
    refused,
    commands,
    file: (name: string, content?: string) => {
      const path = join(started().home, name);
      if (content !== undefined) writeFileSync(path, content);
      return path;
    },
    read: (name: string) => readFileSync(join(started().home, name), "utf8"),
    stop: () => driver?.stop() ?? Promise.resolve(),
  });
}

interface Driver {
  readonly home: string;
  run(args: readonly string[]): Promise<CommandEnding>;
  stop(): Promise<void>;
}

function startDriver({ endpoint, caFile, ...account }: AwsCliOptions): Driver {
  const home = mkdtempSync(join(tmpdir(), "fleetrig-aws-cli-"));
  const child = spawn(PYTHON, [DRIVER], {
    stdio: ["pipe", "pipe", "inherit"],
    env: {
      PATH: process.env["PATH"],
      HOME: home,
      AWS_ACCESS_KEY_ID: account.accessKeyId ?? "AKIAIOSFODNN7EXAMPLE",
      AWS_SECRET_ACCESS_KEY: account.secretAccessKey ?? "dummy",
      AWS_DEFAULT_REGION: account.region ?? "us-east-1",
      AWS_PAGER: "",
      AWS_MAX_ATTEMPTS: "1",
      AWS_EC2_METADATA_DISABLED: "true",
      ...(caFile !== undefined && { AWS_CA_BUNDLE: caFile }),
    },
  });
  const answers = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    home,
    run: async (args) => {
      child.stdin.write(`${JSON.stringify({ args: [...args, "--endpoint-url", endpoint] })}\n`);
      const { done, value } = await answers.next();
      if (done === true) throw new TypeError("the driver of the AWS CLI has ended");
      return JSON.parse(value) as CommandEnding;
    },
    stop: async () => {
      const ended = once(child, "exit");
      child.stdin.end();
      await ended;
      rmSync(home, { recursive: true });
    },
  };
}

function wordsOf([literals, ...values]: Command): readonly string[] {
  const words: string[] = [];
  let word = "";
  let isOpen = false;
  const close = (): void => {
    if (isOpen) words.push(word);
    word = "";
    isOpen = false;
  };
  literals.forEach((literal, index) => {
    for (const part of literal.split(/(\s+)/)) {
      if (/^\s/.test(part)) close();
      else if (part !== "") {
        word += part;
        isOpen = true;
      }
    }
    if (index >= values.length) return;
    const value = values[index];
    word += typeof value === "string" ? value : JSON.stringify(value);
    isOpen = true;
  });
  close();
  return words;
}
