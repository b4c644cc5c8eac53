import { CLIENT_SORTS, MAX_OFFSET, MAX_PAGE } from "./client-readings.js";
import type { Health } from "./health.js";
import type { Observatory } from "./observatory.js";
import { SLOWNESS } from "./slow-subscribers.js";

/** Who may read a page: everybody, whoever is on this machine, or only holders of the token. */
type Audience = "all" | "local" | "trusted";

export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** What a request asks for, once it may. */
interface HttpQuestion {
  readonly observatory: Observatory;
  readonly query: URLSearchParams;
  /** Shows the token, or needs none. */
  readonly isTrusted: boolean;
}

interface Route {
  readonly audience: Audience;
  readonly answer: (question: HttpQuestion) => Promise<HttpAnswer> | HttpAnswer;
}

export const jsonAnswer = (value: unknown, status: number = 200): HttpAnswer => ({
  status,
  contentType: "application/json; charset=utf-8",
  body: `${JSON.stringify(value)}\n`,
});

/** Strangers hear whether clients should come here, not what runs here. */
const healthFor = (health: Health, isTrusted: boolean): unknown =>
  isTrusted ? health : { status: health.status };

function answerHealth({ observatory, isTrusted }: HttpQuestion): HttpAnswer {
  const health = observatory.health();
  return jsonAnswer(healthFor(health, isTrusted), health.status === "unavailable" ? 503 : 200);
}

async function answerMetrics({ observatory }: HttpQuestion): Promise<HttpAnswer> {
  const { contentType, text } = await observatory.metrics();
  return { status: 200, contentType, body: text };
}

function answerClients({ observatory, query }: HttpQuestion): HttpAnswer {
  const asked = new Asked(query, ["sort", "limit", "offset"]);
  const sort = asked.oneOf("sort", CLIENT_SORTS);
  const limit = asked.wholeNumber("limit", 1, MAX_PAGE);
  const offset = asked.wholeNumber("offset", 0, MAX_OFFSET);
  if (asked.problem !== undefined) return jsonAnswer({ error: asked.problem }, 400);
  return jsonAnswer(
    observatory.clients({
      ...(sort !== undefined && { sort }),
      ...(limit !== undefined && { limit }),
      ...(offset !== undefined && { offset }),
    }),
  );
}

function answerSlowSubscribers({ observatory, query }: HttpQuestion): HttpAnswer {
  const asked = new Asked(query, ["by", "limit"]);
  const by = asked.oneOf("by", SLOWNESS);
  const limit = asked.wholeNumber("limit", 1, MAX_PAGE);
  if (asked.problem !== undefined) return jsonAnswer({ error: asked.problem }, 400);
  return jsonAnswer({
    slowSubscribers: observatory.slowSubscribers({
      ...(by !== undefined && { by }),
      ...(limit !== undefined && { limit }),
    }),
  });
}

/** The pages there are. */
export const ROUTES: ReadonlyMap<string, Route> = new Map<string, Route>([
  ["/health", { audience: "all", answer: answerHealth }],
  ["/metrics", { audience: "local", answer: answerMetrics }],
  ["/clients", { audience: "trusted", answer: answerClients }],
  ["/slow-subscribers", { audience: "trusted", answer: answerSlowSubscribers }],
]);

/** Reads a query; the first thing wrong with it is its problem. */
class Asked {
  problem: string | undefined;

  constructor(
    private readonly query: URLSearchParams,
    names: readonly string[],
  ) {
    const isUnknown = Array.from(query.keys()).some((key) => !names.includes(key));
    if (isUnknown) this.problem = `The query may have: ${names.join(", ")}.`;
  }

  oneOf<T extends string>(name: string, choices: readonly T[]): T | undefined {
    const text = this.query.get(name);
    if (text === null) return undefined;
    const choice = choices.find((candidate) => candidate === text);
    if (choice === undefined) this.problem ??= `${name} must be one of ${choices.join(", ")}.`;
    return choice;
  }

  wholeNumber(name: string, minimum: number, maximum: number): number | undefined {
    const text = this.query.get(name);
    if (text === null) return undefined;
    const value = /^\d{1,9}$/.test(text) ? Number(text) : -1;
    if (value >= minimum && value <= maximum) return value;
    this.problem ??= `${name} must be from ${minimum} to ${maximum}.`;
    return undefined;
  }
}
