import type { FieldMap, FieldValue, Scalar } from "fleetrig/broker";
import fc from "fast-check";

/*
 * The query language a second time, as slow and obvious as can be: queries are made as trees, written out as text,
 * and answered by looking at every document with regular expressions.
 */

/** A query with the text it is written as. */
export interface SampleQuery {
  readonly text: string;
  readonly matches: (document: FieldMap) => boolean;
}

const VALUES: readonly Scalar[] = [
  "red",
  "Red",
  "new york",
  "york new",
  "new  YORK city",
  "75",
  "75.0",
  "0075",
  "-5",
  "1e2",
  "2.10.0",
  "2.9.0",
  "",
  "true",
  "a*b",
  "a:b",
  "NOT",
  75,
  -5,
  100,
  0.5,
  true,
  false,
];
const FIELDS = ["thingName", "attributes.a", "attributes.b", "shadow.reported.x", "connectivity.timestamp"];

const value = fc.oneof(
  fc.constantFrom(...VALUES),
  fc.array(fc.constantFrom(...VALUES), { minLength: 1, maxLength: 3 }),
);

/** Attributes are always text. */
const valueOf = (field: string): fc.Arbitrary<FieldValue> =>
  field.startsWith("attributes.") ? fc.constantFrom(...VALUES).map(String) : value;

/** Documents of few fields and values, so that queries find something. */
export const documents = fc
  .subarray(FIELDS)
  .chain((fields) => fc.tuple(...fields.map((field) => fc.tuple(fc.constant(field), valueOf(field)))))
  .map((entries): FieldMap => entries);

type Leaf = (value: Scalar, isAttribute: boolean) => boolean;

const JSON_NUMBER = /^-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][-+]?[0-9]+)?$/;
const numberIn = (item: Scalar, isAttribute: boolean): number => {
  if (typeof item === "number") return item;
  return typeof item === "string" && isAttribute && JSON_NUMBER.test(item) ? Number(item) : Number.NaN;
};
const wordsIn = (item: Scalar): string[] => {
  const words = String(item).toLowerCase().split(/\s+/).filter(Boolean);
  return words.length > 0 ? words : [""];
};
const escaped = (text: string): string => text.replace(/[^a-zA-Z0-9.]|^N(?=OT$)/g, "\\$&");
const forRegExp = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

const exactLeaf = fc.tuple(fc.constantFrom(...VALUES), fc.boolean()).map(([wanted, isQuoted]) => {
  const text = String(wanted);
  const phrase = wordsIn(text);
  const holds: Leaf = (item, isAttribute) => {
    if (JSON_NUMBER.test(text) && numberIn(item, isAttribute) === Number(text)) return true;
    if (typeof item === "number") return false;
    return ` ${wordsIn(item).join(" ")} `.includes(` ${phrase.join(" ")} `);
  };
  return { text: isQuoted || text === "" ? `"${text}"` : escaped(text), holds };
});

const pieces = fc.array(fc.constantFrom("r", "e", "7", "5", "new", "2.", "*", "*", "?", "a"), {
  minLength: 1,
  maxLength: 5,
});
const globLeaf = pieces
  .filter(
    (parts) => parts.filter((part) => part === "*").length <= 2 && parts.some((part) => "*?".includes(part)),
  )
  .filter((parts) => parts.join("") !== "*")
  .map((parts) => {
    const body = parts.map((part) => (part === "*" ? ".*" : part === "?" ? "." : forRegExp(part))).join("");
    const pattern = new RegExp(`^${body}$`, "su");
    return {
      text: parts.join(""),
      holds: (item: Scalar) => typeof item !== "number" && wordsIn(item).some((word) => pattern.test(word)),
    };
  });

const bounds = fc.constantFrom("*", "75", "-5", "100", "0", "0.5", "74.9");
const numericLeaf = fc
  .tuple(bounds, bounds, fc.boolean(), fc.boolean())
  .filter(([from, to]) => from !== "*" || to !== "*")
  .map(([from, to, opensFrom, opensTo]) => {
    const holds: Leaf = (item, isAttribute) => {
      const number = numberIn(item, isAttribute);
      const isAbove = from === "*" || number > Number(from) || (!opensFrom && number === Number(from));
      const isBelow = to === "*" || number < Number(to) || (!opensTo && number === Number(to));
      return !Number.isNaN(number) && isAbove && isBelow;
    };
    return { text: `${opensFrom ? "{" : "["}${from} TO ${to}${opensTo ? "}" : "]"}`, holds };
  });

const textBounds = fc.constantFrom("2.10.0", "2.9.0", "red", "a", "75", "z");
const textLeaf = fc
  .tuple(textBounds, textBounds, fc.boolean(), fc.boolean())
  .map(([from, to, opensFrom, opensTo]) => {
    const holds: Leaf = (item) =>
      typeof item !== "number" &&
      wordsIn(item).some(
        (word) => (opensFrom ? word > from : word >= from) && (opensTo ? word < to : word <= to),
      );
    return { text: `${opensFrom ? "{" : "["}"${from}" TO "${to}"${opensTo ? "}" : "]"}`, holds };
  });

const existsLeaf = fc.constant({ text: "*", holds: () => true });

const clauses = fc
  .tuple(
    fc.option(fc.constantFrom(...FIELDS)),
    fc.oneof(exactLeaf, globLeaf, numericLeaf, textLeaf, existsLeaf),
  )
  .map(
    ([field, { text, holds }]): SampleQuery => ({
      text: field === null ? text : `${field}:${text}`,
      matches: (document) =>
        (field === null && text === "*") ||
        document.some(([name, item]) => {
          const isMeant = field === null ? !name.startsWith("connectivity.") : name === field;
          return isMeant && [item].flat().some((each) => holds(each, name.startsWith("attributes.")));
        }),
    }),
  );

/** Queries of all kinds of terms, combined in all ways. */
export const queries: fc.Arbitrary<SampleQuery> = fc.letrec<{ query: SampleQuery }>((tie) => ({
  query: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    clauses,
    tie("query").map((part) => ({
      text: `NOT (${part.text})`,
      matches: (it: FieldMap) => !part.matches(it),
    })),
    fc.tuple(tie("query"), tie("query"), fc.boolean()).map(([left, right, isWritten]) => ({
      text: `(${left.text})${isWritten ? " AND " : " "}(${right.text})`,
      matches: (it: FieldMap) => left.matches(it) && right.matches(it),
    })),
    fc.tuple(tie("query"), tie("query")).map(([left, right]) => ({
      text: `(${left.text} OR ${right.text})`,
      matches: (it: FieldMap) => left.matches(it) || right.matches(it),
    })),
  ),
})).query;
