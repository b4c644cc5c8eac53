import { plainLines } from "../plain-text.js";

/** HTML that is known to be well formed. Only `html` and `trustedMarkup` make it, so data cannot pass for it. */
export class Markup {
  constructor(readonly text: string) {}
}

export type Content = Markup | string | number | null | undefined | false | readonly Content[];

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};
const escape = (text: string): string =>
  plainLines(text).replace(/[&<>"']/g, (character) => ENTITIES[character]!);

function written(content: Content): string {
  if (content instanceof Markup) return content.text;
  if (typeof content === "string") return escape(content);
  if (typeof content === "number") return String(content);
  if (content === null || content === undefined || content === false) return "";
  return content.map(written).join("");
}

/**
 * A template whose interpolations are escaped for text and for double-quoted attribute values; nothing else may
 * be interpolated, least of all into a script or a style.
 */
export const html = (strings: TemplateStringsArray, ...contents: readonly Content[]): Markup =>
  new Markup(strings.reduce((text, part, index) => text + written(contents[index - 1]) + part));

/** For constants of this folder: the style sheet, the script, icons. Never for data. */
export const trustedMarkup = (text: string): Markup => new Markup(text);

/** A name given by somebody else: isolated, so that right-to-left names do not reorder the words around them. */
export const named = (text: string): Markup => html`<bdi>${text}</bdi>`;
