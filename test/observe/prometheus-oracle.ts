/** A metric family as the text format has it. */
export interface Family {
  readonly type: string;
  readonly help: string;
  /** Value by `{label="value",…}`; the empty string when there are no labels. */
  readonly samples: ReadonlyMap<string, number>;
}

const SAMPLE =
  /^([a-z_:][a-z0-9_:]*)(\{(?:[a-z_]\w*="(?:[^"\\\n]|\\[\\"n])*"(?:,(?=[a-z_])|(?=\})))*\})? (-?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?)|[+-]Inf|NaN)$/i;

/** A strict reader of the text format: whatever it does not know is an error. */
export function readMetrics(text: string): ReadonlyMap<string, Family> {
  const families = new Map<string, { type: string; help: string; samples: Map<string, number> }>();
  let current: string | undefined;
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const [, kind, name = "", rest = ""] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (kind === "HELP") {
      if (families.has(name)) throw new TypeError(`two families ${name}`);
      families.set(name, { type: "", help: rest, samples: new Map() });
      current = name;
    } else if (kind === "TYPE") {
      if (name !== current) throw new TypeError(`TYPE of ${name} below ${current}`);
      families.get(name)!.type = rest;
    } else {
      const [whole, sample, labels = "", value] = SAMPLE.exec(line) ?? [];
      if (whole === undefined || sample !== current) throw new TypeError(`no sample of ${current}: ${line}`);
      const { samples } = families.get(sample!)!;
      if (samples.has(labels)) throw new TypeError(`twice: ${line}`);
      samples.set(labels, Number(value));
    }
  }
  return families;
}

/** One value; undefined when there is none. */
export const valueOf = (text: string, name: string, labels = ""): number | undefined =>
  readMetrics(text).get(name)?.samples.get(labels);
