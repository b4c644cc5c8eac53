import type { JsonValue } from "fleetrig/kernel";
import type { SourcePath } from "./source-tree.js";

/** Where a value, or a key, stands in a JSON text; `end` is exclusive. */
interface JsonPlace {
  readonly start: number;
  readonly end: number;
  readonly path: SourcePath;
  readonly isKey: boolean;
}

/** A block of keys as JSON text that knows the way back: what a parser says about an offset is about a path. */
export class JsonPlaces {
  private written = "";
  private readonly places: JsonPlace[] = [];

  constructor(value: JsonValue) {
    this.write(value, []);
  }

  get text(): string {
    return this.written;
  }

  /** The smallest key or value around an offset. */
  at(offset: number): { readonly path: SourcePath; readonly isKey: boolean } {
    let found: JsonPlace | undefined;
    for (const place of this.places) {
      if (offset < place.start || offset >= place.end) continue;
      if (found === undefined || place.end - place.start < found.end - found.start) found = place;
    }
    return found ?? { path: [], isKey: false };
  }

  private write(value: JsonValue, path: SourcePath): void {
    const start = this.written.length;
    if (Array.isArray(value)) {
      this.series("[]", value, (item: JsonValue, index) => this.write(item, [...path, index]));
    } else if (typeof value === "object" && value !== null) {
      this.series("{}", Object.entries(value), ([key, item]) => {
        const at = this.written.length;
        this.written += JSON.stringify(key);
        this.places.push({ start: at, end: this.written.length, path: [...path, key], isKey: true });
        this.written += ":";
        this.write(item, [...path, key]);
      });
    } else this.written += JSON.stringify(value);
    this.places.push({ start, end: this.written.length, path, isKey: false });
  }

  private series<Item>(
    brackets: string,
    items: readonly Item[],
    write: (item: Item, index: number) => void,
  ): void {
    this.written += brackets[0]!;
    items.forEach((item, index) => {
      if (index > 0) this.written += ",";
      write(item, index);
    });
    this.written += brackets[1]!;
  }
}
