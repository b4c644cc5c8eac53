/** What a query may cost; the defaults are AWS's (REF §13.3). */
export interface QueryLimits {
  readonly maxQueryLength: number;
  /** Terms, phrases and ranges of a query. */
  readonly maxTerms: number;
  readonly maxStarsPerTerm: number;
  readonly maxQuestionMarksPerTerm: number;
  /** Terms of a query that may begin with a wildcard; 0 refuses them, as AWS did until 2025. */
  readonly maxLeadingWildcards: number;
  /** How long a query with a leading wildcard may be. */
  readonly maxLeadingWildcardQueryLength: number;
  /** Ours: parentheses and negations inside each other. */
  readonly maxNesting: number;
}

/** What fleet indexing as a whole allows; the defaults are AWS's. */
export interface IndexLimits extends QueryLimits {
  /** Terms of the query of a dynamic thing group. */
  readonly maxDynamicGroupTerms: number;
  /** Things of one page. */
  readonly maxPageSize: number;
  readonly maxCustomFields: number;
  readonly maxNamedShadows: number;
  readonly maxPercents: number;
  readonly maxFleetMetrics: number;
}

/** AWS's limits. */
export const DEFAULT_INDEX_LIMITS: IndexLimits = {
  maxQueryLength: 1_000,
  maxTerms: 12,
  maxStarsPerTerm: 2,
  maxQuestionMarksPerTerm: 5,
  maxLeadingWildcards: 1,
  maxLeadingWildcardQueryLength: 100,
  maxNesting: 64,
  maxDynamicGroupTerms: 5,
  maxPageSize: 500,
  maxCustomFields: 5,
  maxNamedShadows: 10,
  maxPercents: 100,
  maxFleetMetrics: 100,
};
