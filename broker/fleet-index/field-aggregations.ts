import { cloudError } from "../cloud-error.js";
import {
  type Bucket,
  bucketsOf,
  DEFAULT_PERCENTS,
  percentilesOf,
  type PercentPair,
  type Statistics,
  statisticsOf,
  typedValues,
} from "./aggregation.js";
import { type Field, fieldType, type FieldType } from "./configuration.js";
import type { DocumentIndex } from "./document-index.js";
import type { Scalar } from "./field-value.js";
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
    this.selected = documents.select(query);
  }

  statistics(): Statistics {
    return statisticsOf(this.values());
  }

  /** How many different values there are; AWS's is an approximation. */
  cardinality(): number {
    return new Set(this.values()).size;
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
    return percentilesOf(this.values() as Iterable<number>, percents);
  }

  /** @param maxBuckets 1 to 10,000. */
  buckets(maxBuckets = DEFAULT_MAX_BUCKETS): {
    readonly totalCount: number;
    readonly buckets: readonly Bucket[];
  } {
    return {
      totalCount: countBits(this.selected),
      buckets: bucketsOf(this.valuesByDocument(), maxBuckets),
    };
  }

  private *values(): Generator<Scalar> {
    for (const values of this.valuesByDocument()) yield* values;
  }

  private *valuesByDocument(): Generator<readonly Scalar[]> {
    const { reading } = fieldTraits(this.field);
    for (const value of this.documents.valuesOf(this.selected, this.field)) {
      yield typedValues(value, this.type, reading);
    }
  }
}
