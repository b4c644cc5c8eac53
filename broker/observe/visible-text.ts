/**
 * Text from clients, made safe to show: control characters, direction marks and halves of surrogate pairs become
 * escapes such as `\u001b`, so that nobody's client id moves a cursor, forges a line or turns a sentence around.
 */
export function visibleText(text: string, maxLength: number = DEFAULT_LENGTH): string {
  const cut = text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
  return cut.replace(INVISIBLE, escape);
}

const DEFAULT_LENGTH = 256;

const INVISIBLE = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\u2028\u2029]/gu;

const escape = (character: string): string => {
  const code = character.codePointAt(0)!;
  return code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, "0")}`;
};
