import { EXIT, FleetrigError, nearestName } from "fleetrig/kernel";

/**
 * Grammar of templates: `{name}` or `{name:04}`, where the number pads with zeros to that width. Everything
 * else is literal, `${...}` included, which belongs to AWS rules. A *piece* is literal text or a placeholder.
 */
export type Piece = string | Placeholder;

export interface Placeholder {
  readonly name: string;
  /** Minimum width, filled with zeros; 0 for none. */
  readonly width: number;
}

const PLACEHOLDER = /\$\{[^{}]*\}|\{([A-Za-z_][\w.-]*)(?::0(\d{1,2}))?\}/g;

/** Splits a text into pieces; neighbouring literals are joined. */
export function parseTemplate(text: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let literal = "";
  let end = 0;
  for (const match of text.matchAll(PLACEHOLDER)) {
    literal += text.slice(end, match.index);
    end = match.index + match[0].length;
    const name = match[1];
    if (name === undefined) {
      literal += match[0];
      continue;
    }
    if (literal !== "") pieces.push(literal);
    literal = "";
    pieces.push({ name, width: Number(match[2] ?? 0) });
  }
  literal += text.slice(end);
  if (literal !== "") pieces.push(literal);
  return pieces;
}

/** @throws {FleetrigError} TEMPLATE_UNKNOWN_PLACEHOLDER, with the nearest known name as a hint */
export function checkPlaceholder(name: string, names: readonly string[], template: string): void {
  if (names.includes(name)) return;
  const nearest = nearestName(name, names);
  throw new FleetrigError("TEMPLATE_UNKNOWN_PLACEHOLDER", `Unknown placeholder {${name}} in "${template}".`, {
    hint:
      nearest === undefined
        ? `Known here: ${names.map((each) => `{${each}}`).join(" ")}.`
        : `Did you mean {${nearest}}?`,
    context: { placeholder: name, known: names },
    exitCode: EXIT.usage,
  });
}
