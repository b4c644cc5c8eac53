import { cloudError } from "../cloud-error.js";
import {
  type Bucket,
  DEFAULT_PERCENTS,
  percentilesOf,
  type PercentPair,
  rankedBuckets,
  type Statistics,
  StatisticsGatherer,
  typedValue,
} from "./aggregation.js";
import { type Field, fieldType, type FieldType } from "./configuration.js";
import type { DocumentIndex } from "./document-index.js";
import type { Reading, Scalar } from "./field-value.js";
import { canonicalField } from "./query-parser.js";
import type { Query } from "./query.js";
import { countBits, type SlotBits } from "./slot-set.js";
import { fieldTraits } from "./thing-fields.js";

/** AWS: what the four aggregations have in common. */
export interface AggregationRequest {
  readonly indexName?: string;
  readonly queryString: string;
  readonly queryVersion?: string;
  /** A managed or custom field. Default: the version of the thing or thing group. */
  readonly aggregationField?: string;
}

export interface FieldAggregationsOptions {
  readonly query: Query;
  /** Fields that can be aggregated. */
  readonly fields: readonly Field[];
  readonly name: string;
  readonly maxPercents: number;
}

const DEFAULT_MAX_BUCKETS = 10;

/**
 * Aggregations of one field over the documents that match a query, each calculated when it is asked for.
 * @throws FleetrigError `CLOUD_INVALID_AGGREGATION` for a field that cannot be aggregated.
 */
export class FieldAggregations {
  private readonly selected: SlotBits;
  private readonly field: string;
  private readonly type: FieldType;
  private readonly reading: Reading;

  constructor(
    private readonly documents: DocumentIndex,
    private readonly options: FieldAggregationsOptions,
  ) {
    const { fields, name, query } = options;
    const type = fieldType(fields, name);
    if (type === undefined) {
      throw cloudError(
        "InvalidAggregationException",
        `The field ${name.slice(0, 200)} cannot be aggregated.`,
        {
          hint: "Name a managed field, or list the field in customFields.",
        },
      );
    }
    this.type = type;
    this.field = canonicalField(name);
    this.reading = fieldTraits(this.field).reading;
    this.selected = documents.select(query);
  }

  statistics(): Statistics {
    const gatherer = new StatisticsGatherer();
    this.forEachValue((value) => gatherer.add(value));
    return gatherer.statistics();
  }

  /** How many different values there are; AWS's is an approximation. */
  cardinality(): number {
    const values = new Set<Scalar>();
    this.forEachValue((value) => values.add(value));
    return values.size;
  }

  /** Values that are numbers, by percent in the order asked for. */
  percentiles(percents: readonly number[] = DEFAULT_PERCENTS): readonly PercentPair[] {
    if (this.type !== "Number") {
      throw cloudError("InvalidAggregationException", `${this.options.name} is of the type ${this.type}.`, {
        hint: "Percentiles are of numbers.",
      });
    }
    if (percents.length > this.options.maxPercents) {
      throw cloudError("InvalidRequestException", `There are ${percents.length} percents.`, {
        hint: `Ask for at most ${this.options.maxPercents}.`,
      });
    }
    const values: number[] = [];
    this.forEachValue((value) => values.push(Number(value)));
    return percentilesOf(values, percents);
  }

  /** @param maxBuckets 1 to 10,000. */
  buckets(maxBuckets = DEFAULT_MAX_BUCKETS): {
    readonly totalCount: number;
    readonly buckets: readonly Bucket[];
  } {
    const counts = new Map<string, number>();
    const count = (key: string): void => void counts.set(key, (counts.get(key) ?? 0) + 1);
    this.documents.forEachValue(this.selected, this.field, (value) => {
      if (typeof value !== "object") return this.typed(value, (scalar) => count(String(scalar)));
      // A thing that has a value twice is still one thing.
      const keys = new Set<string>();
      for (const item of value) this.typed(item, (scalar) => keys.add(String(scalar)));
      for (const key of keys) count(key);
    });
    return { totalCount: countBits(this.selected), buckets: rankedBuckets(counts, maxBuckets) };
  }

  private forEachValue(visit: (value: Scalar) => void): void {
    this.documents.forEachValue(this.selected, this.field, (value) => {
      if (typeof value === "object") for (const item of value) this.typed(item, visit);
      else this.typed(value, visit);
    });
  }

  private typed(value: Scalar, visit: (value: Scalar) => void): void {
    const typed = typedValue(value, this.type, this.reading);
    if (typed !== undefined) visit(typed);
  }
}
