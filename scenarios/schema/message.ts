/**
 * Messages of the schema are written for the person who edits the file: one sentence, then on lines of their own
 * an optional hint and an optional code. `zod` carries them as one string; the loader takes them apart again.
 */
export const message = (sentence: string, hint = "", code = ""): string =>
  [sentence, hint, code].join("\n").trimEnd();

export interface MessageParts {
  readonly sentence: string;
  readonly hint: string | undefined;
  readonly code: string | undefined;
}

/** The opposite of `message`. */
export function splitMessage(text: string): MessageParts {
  const [sentence = "", hint = "", code = ""] = text.split("\n");
  return { sentence, hint: hint === "" ? undefined : hint, code: code === "" ? undefined : code };
}

/** How a value is named in a message: `the number 30`, `a list`. */
export function nameValue(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a block of keys";
  const text = JSON.stringify(value);
  const shown = text.length > 60 ? `${text.slice(0, 57)}...` : text;
  return typeof value === "string" ? shown : `the ${typeof value} ${shown}`;
}
