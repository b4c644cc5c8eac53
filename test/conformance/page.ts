import { writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { SPEC_NAMES } from "./case-file.js";
import { type Proof, type ProofState, type ProvenStatement, readProof } from "./proof.js";

/** Renders CONFORMANCE.md; run as a program, it writes it. */
const PAGE = "CONFORMANCE.md";

const INTRODUCTION = `# Conformance

What the broker's \`oasis\` profile keeps of the MQTT standards, sentence by sentence, and its \`aws\` profile of what AWS
documents. Every statement is a row of \`test/conformance/statements-*.json\`, in our words; it is proven by scripts of
bytes (\`test/conformance/cases\`) or by sentences of other tests. Each script is played in memory, in memory byte by
byte and with its bytes cut at every place, over TCP, TLS, WebSocket, secure WebSocket and Unix sockets, and over TCP
with a server that stores what it acknowledges; time is virtual everywhere. This page is generated from that data:
\`npm run conformance\`.

*Proven*: something that passes proves it. *Fails*: a script shows that the broker does otherwise. *Open*: there is no
proof, for the reason given. *Client's*: it binds clients only.
`;

/** Binding on a server, alone or together with clients. */
const isBinding = ({ statement }: ProvenStatement): boolean => statement.binds !== "client";

const count = (statements: readonly ProvenStatement[], state: ProofState): number =>
  statements.filter((each) => each.state === state).length;

function summary(proofs: readonly Proof[]): string {
  const rows = proofs.map(({ specification, statements }) => {
    const binding = statements.filter(isBinding);
    const proven = count(binding, "proven");
    const share = binding.length === 0 ? "" : ` (${((100 * proven) / binding.length).toFixed(1)} %)`;
    const enforced = count(statements, "proven") - proven;
    const cases = new Set(statements.flatMap((each) => each.cases)).size;
    return `| ${specification.title} | ${cases} | ${statements.length} | ${binding.length} | ${proven}${share} | ${count(binding, "fails")} | ${count(binding, "open")} | ${enforced} |`;
  });
  return [
    "| specification | scripts | statements | bind a server | proven | fail | open | the client's, enforced |",
    "|---|---|---|---|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}

const cell = (text: string): string => text.replaceAll("|", "\\|");

function evidence({ statement, cases, state }: ProvenStatement): string {
  if (state === "open") return statement.unproven!;
  const failing = cases.filter(({ knownFailure }) => knownFailure !== undefined);
  const shown = state === "fails" ? failing : cases;
  const names = shown.map(({ name, knownFailure }) =>
    knownFailure === undefined ? name : `${name}: ${knownFailure}`,
  );
  return [
    ...names,
    ...statement.tests.map((test) => `\`${test.split(" › ")[0]}\`: ${test.split(" › ")[1]}`),
  ].join("; ");
}

const row = (each: ProvenStatement): string => {
  const { id, binds, says } = each.statement;
  return `| ${id} | ${binds} | ${cell(says)} | ${each.state} | ${cell(evidence(each))} |`;
};

function chapters({ specification, statements }: Proof): string {
  const parts = specification.chapters.map(([prefix, title]) => {
    const rows = statements
      .filter(({ statement: { section } }) => section === prefix || section.startsWith(`${prefix}.`))
      .map(row);
    return `### ${prefix} ${title}\n\n| id | binds | what it asks for | state | proof |\n|---|---|---|---|---|\n${rows.join("\n")}\n`;
  });
  return `## ${specification.title}\n\n${parts.join("\n")}`;
}

/** The page as it should be. */
export function renderPage(): string {
  const proofs = SPEC_NAMES.map(readProof).filter(({ statements }) => statements.length > 0);
  return [INTRODUCTION, summary(proofs), ...proofs.map(chapters)].join("\n");
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) writeFileSync(PAGE, renderPage());
