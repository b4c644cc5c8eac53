/** One value of a Prometheus metric. */
export interface MetricSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const NAME = /^[a-zA-Z_:][\w:]*/;
const LABEL = /^([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"(?:,|(?=\}))/;
const ESCAPES: Readonly<Record<string, string>> = { n: "\n" };

/** Reads the text format; comments and lines that are no sample are passed over. */
export function parsePrometheusText(text: string): MetricSample[] {
  const samples: MetricSample[] = [];
  for (const line of text.split("\n")) {
    const sample = line.startsWith("#") ? undefined : parseSample(line);
    if (sample !== undefined) samples.push(sample);
  }
  return samples;
}

function parseSample(line: string): MetricSample | undefined {
  const name = NAME.exec(line)?.[0];
  if (name === undefined) return undefined;
  let rest = line.slice(name.length);
  const labels: [string, string][] = [];
  if (rest.startsWith("{")) {
    rest = rest.slice(1);
    for (let label = LABEL.exec(rest); label !== null; label = LABEL.exec(rest)) {
      const [whole, key = "", value = ""] = label;
      labels.push([key, value.replace(/\\(.)/g, (_, letter: string) => ESCAPES[letter] ?? letter)]);
      rest = rest.slice(whole.length);
    }
    if (!rest.startsWith("}")) return undefined;
    rest = rest.slice(1);
  }
  const [value = ""] = rest.trim().split(/\s+/, 1);
  if (value === "") return undefined;
  return { name, labels: Object.fromEntries(labels), value: numberOf(value) };
}

const numberOf = (text: string): number =>
  text === "+Inf" ? Number.POSITIVE_INFINITY : text === "-Inf" ? Number.NEGATIVE_INFINITY : Number(text);
