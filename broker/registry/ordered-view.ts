/** Something that was registered at some time: the order of registration is the order of every list. */
export interface Ordered {
  readonly order: number;
}

/**
 * Rows in order, sorted when first asked for and kept until a row goes: a list of a million things is read page by
 * page, and most registries are never listed at all.
 */
export class OrderedView<Row extends Ordered> {
  private sorted: Row[] | undefined;

  /** @param rows All rows, in any order. */
  constructor(private readonly rows: () => Iterable<Row>) {}

  added(row: Row): void {
    if (this.sorted === undefined) return;
    const last = this.sorted.at(-1);
    if (last === undefined || last.order < row.order) this.sorted.push(row);
    else this.sorted = undefined;
  }

  /** Rows have gone, or have come otherwise. */
  reset(): void {
    this.sorted = undefined;
  }

  all(): readonly Row[] {
    this.sorted ??= [...this.rows()].sort(byOrder);
    return this.sorted;
  }
}

export const byOrder = (a: Ordered, b: Ordered): number => a.order - b.order;

/** Index of the first row that comes after `order`. */
export function firstAfter(rows: readonly Ordered[], order: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (rows[middle]!.order <= order) low = middle + 1;
    else high = middle;
  }
  return low;
}
