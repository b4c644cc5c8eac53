import { plainLines, plainText } from "./plain-text.js";

/** XML 1.0 by construction: attribute values and text are escaped, characters XML forbids are dropped. */

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
};
const escape = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character]!);

export type Attributes = Readonly<Record<string, string | number | undefined>>;

/** An element with nested elements, or with text. */
export function element(
  name: string,
  attributes: Attributes,
  content: string | readonly string[] = [],
): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${escape(plainText(String(value)))}"`)
    .join("");
  if (typeof content === "string") {
    return `<${name}${written}>${escape(plainLines(content).replace(/\r\n?/g, "\n"))}</${name}>`;
  }
  if (content.length === 0) return `<${name}${written}/>`;
  const nested = content.map((child) => indent(child)).join("\n");
  return `<${name}${written}>\n${nested}\n</${name}>`;
}

/** Indents tags only: the lines of a text are not ours to change. */
const indent = (child: string): string => child.replace(/^(?=\s*<)/gm, "  ");
