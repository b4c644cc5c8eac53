import { type OperationModel, SERVICE_NAMES, type ServiceName, serviceModel } from "./service-model.js";

/** An operation that a path belongs to. */
export interface Route {
  readonly service: ServiceName;
  readonly operation: string;
  readonly model: OperationModel;
}

/** A route, and what the path says for its labels. */
export interface RouteMatch extends Route {
  readonly labels: ReadonlyMap<string, string>;
}

/** What a method and a path come to. */
export type RouteResult =
  | RouteMatch
  /** The path is known, with these methods. */
  | { readonly methods: readonly string[] }
  | undefined;

/** MQTT topics have slashes, which clients are supposed to encode and often do not. */
const GREEDY = new Set(["Publish", "GetRetainedMessage"]);

interface Template extends Route {
  readonly segments: readonly Segment[];
  readonly isGreedy: boolean;
  readonly literals: number;
}

type Segment = { readonly literal: string } | { readonly label: string };

/** Which operation a request means. Paths of two services may be the same; `preferred` decides then. */
export class RouteTable {
  private readonly templates: readonly Template[];

  constructor(services: readonly ServiceName[] = SERVICE_NAMES) {
    this.templates = services
      .flatMap((service) =>
        Object.entries(serviceModel(service).operations).map(([operation, model]) =>
          toTemplate({ service, operation, model }),
        ),
      )
      .sort((a, b) => Number(a.isGreedy) - Number(b.isGreedy) || b.literals - a.literals);
  }

  /** @param path Without query, percent-encoded. Undefined labels never match: a segment is not empty. */
  match(method: string, path: string, preferred: readonly ServiceName[]): RouteResult {
    const segments = decodedSegments(path);
    if (segments === undefined) return undefined;
    const fitting = this.templates.flatMap((template) => {
      const labels = labelsOf(template, segments);
      return labels === undefined ? [] : [{ template, labels }];
    });
    const best = fitting.filter(({ template }) => template.model.method === method);
    if (best.length === 0)
      return fitting.length === 0
        ? undefined
        : { methods: Array.from(new Set(fitting.map(({ template }) => template.model.method))).sort() };
    const mostLiteral = best.filter(({ template }) => template.literals === best[0]!.template.literals);
    const { template, labels } =
      preferred
        .map((service) => mostLiteral.find((candidate) => candidate.template.service === service))
        .find((candidate) => candidate !== undefined) ?? mostLiteral[0]!;
    const { service, operation, model } = template;
    return { service, operation, model, labels };
  }
}

function toTemplate(route: Route): Template {
  const parts = route.model.path.split("/").slice(1);
  const segments = parts.map((part): Segment => {
    const [, label] = /^\{([^+}]+)\+?\}$/.exec(part) ?? [];
    return label === undefined ? { literal: part } : { label };
  });
  return {
    ...route,
    segments,
    isGreedy: route.model.path.endsWith("+}") || GREEDY.has(route.operation),
    literals: segments.filter((segment) => "literal" in segment).length,
  };
}

/** Undefined for a path that is not properly encoded. */
function decodedSegments(path: string): readonly string[] | undefined {
  if (!path.startsWith("/")) return undefined;
  try {
    return path.split("/").slice(1).map(decodeURIComponent);
  } catch {
    return undefined;
  }
}

function labelsOf(
  { segments, isGreedy }: Template,
  given: readonly string[],
): ReadonlyMap<string, string> | undefined {
  if (isGreedy ? given.length < segments.length : given.length !== segments.length) return undefined;
  const labels = new Map<string, string>();
  for (const [index, segment] of segments.entries()) {
    const isRest = isGreedy && index === segments.length - 1;
    const text = isRest ? given.slice(index).join("/") : given[index]!;
    if ("literal" in segment) {
      if (segment.literal !== text) return undefined;
    } else {
      if (text === "") return undefined;
      labels.set(segment.label, text);
    }
  }
  return labels;
}
