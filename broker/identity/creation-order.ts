import { cloudError } from "../cloud-error.js";

/** Which page of a list is wanted, as the older lists of AWS IoT put it. */
export interface MarkerPageRequest {
  /** 1 to 250, default 25. */
  readonly pageSize?: number | undefined;
  /** From the page before. */
  readonly marker?: string | undefined;
  /** Oldest first. Default: newest first. */
  readonly ascendingOrder?: boolean | undefined;
}

/** One page of a list. */
export interface MarkerPage<Item> {
  readonly items: readonly Item[];
  /** Undefined on the last page. */
  readonly nextMarker: string | undefined;
}

/** Anything with its place in the order of creation. */
export interface Ordered {
  readonly order: number;
}

const DEFAULT_PAGE_SIZE = 25;
/** Fewer holes than this are not worth closing. */
const HOLES_MIN = 1024;

/** AWS: markers are base64. */
export const encodeMarker = (text: string): string => Buffer.from(text, "utf8").toString("base64");

export const decodeMarker = (marker: string): string => Buffer.from(marker, "base64").toString("utf8");

/** Items in the order in which they were created, for lists that are read page by page from either end. */
export class CreationOrder<Item extends Ordered> {
  /** Ascending; holes where something was deleted. */
  private items: (Item | undefined)[] = [];
  private orders: number[] = [];
  private holes = 0;

  get size(): number {
    return this.items.length - this.holes;
  }

  /** @param item Younger than all before it. */
  add(item: Item): void {
    this.items.push(item);
    this.orders.push(item.order);
  }

  remove({ order }: Ordered): void {
    const index = this.indexOf(order);
    if (this.orders[index] !== order || this.items[index] === undefined) return;
    this.items[index] = undefined;
    this.holes += 1;
    if (this.holes < HOLES_MIN || this.holes < this.items.length / 2) return;
    this.items = this.items.filter((item) => item !== undefined);
    this.orders = this.items.map((item) => item!.order);
    this.holes = 0;
  }

  /**
   * One page. The marker is the order of the last item shown, so that what is deleted between two pages hides nothing.
   * @throws FleetrigError CLOUD_INVALID_REQUEST for a marker that is none
   */
  page(request: MarkerPageRequest, matches: (item: Item) => boolean = () => true): MarkerPage<Item> {
    const { pageSize = DEFAULT_PAGE_SIZE, ascendingOrder = false } = request;
    const step = ascendingOrder ? 1 : -1;
    const found: Item[] = [];
    for (let index = this.start(request); index >= 0 && index < this.items.length; index += step) {
      const item = this.items[index];
      if (item === undefined || !matches(item)) continue;
      if (found.length === pageSize)
        return { items: found, nextMarker: encodeMarker(String(found.at(-1)!.order)) };
      found.push(item);
    }
    return { items: found, nextMarker: undefined };
  }

  private start({ marker, ascendingOrder = false }: MarkerPageRequest): number {
    if (marker === undefined) return ascendingOrder ? 0 : this.items.length - 1;
    const after = decodeMarker(marker);
    if (!/^\d{1,15}$/.test(after))
      throw cloudError("InvalidRequestException", "The marker is not one of this list.", {
        hint: "Pass on the nextMarker of the page before, unchanged.",
      });
    const index = this.indexOf(Number(after));
    if (!ascendingOrder) return index - 1;
    return this.orders[index] === Number(after) ? index + 1 : index;
  }

  /** Index of the first item of this order or a later one. */
  private indexOf(order: number): number {
    let [low, high] = [0, this.orders.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.orders[middle]! < order) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
