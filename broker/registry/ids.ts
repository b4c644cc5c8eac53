import { createRandomSource, isJsonObject, type RandomSource } from "fleetrig/kernel";
import type { Account, ArnKind } from "../account.js";
import type { RecordBook, RecordTable } from "../records/index.js";
import { uuidV4 } from "../uuid.js";

/** What the ids of a registry are drawn from. */
interface IdOrigin {
  readonly seed: number;
  /** Deletions so far: tells a thing from its predecessor of the same name. */
  readonly deletions: number;
}

const KEY = "ids";

/**
 * Ids of what is registered. They are derived from the seed, the name and the incarnation when somebody asks: drawing
 * one for every thing would cost more than creating the thing, and keeping them 56 bytes each. The seed is written
 * down with the registry, so ids outlive a restart whatever seed the next process has.
 */
export class RegistryIds {
  private readonly table: RecordTable<IdOrigin>;
  private source: RandomSource;
  private deletions = 0;

  constructor(
    random: RandomSource,
    records: RecordBook,
    private readonly account: Account,
  ) {
    this.source = random;
    this.table = records.table<IdOrigin>("registry", {
      write: (origin) => ({ ...origin }),
      read: readOrigin,
    });
    records.whenRestored(() => {
      const origin = this.table.get(KEY);
      if (origin === undefined) return;
      this.deletions = origin.deletions;
      if (origin.seed !== this.source.seed) this.source = createRandomSource(origin.seed);
    });
  }

  /** Of something that is created now. */
  nextIncarnation(): number {
    if (!this.table.has(KEY)) this.note();
    return this.deletions;
  }

  noteDeletion(): void {
    this.deletions += 1;
    this.note();
  }

  ofThing(thing: { readonly name: string; readonly incarnation: number }): string {
    return uuidV4(this.source.stream(`registry/${thing.name}/${thing.incarnation}`));
  }

  /** Of anything else; the kind keeps it apart from a thing of the same name. */
  of(
    kind: "billing-group" | "thing-group" | "thing-type",
    row: { readonly name: string; readonly incarnation: number },
  ): string {
    return uuidV4(this.source.stream(`registry/${kind}/${row.name}/${row.incarnation}`));
  }

  ofMembership(groupId: string, thingId: string): string {
    return uuidV4(this.source.stream(`registry/membership/${groupId}/${thingId}`));
  }

  arn(kind: ArnKind, name: string): string {
    return this.account.arn(kind, name);
  }

  private note(): void {
    this.table.set(KEY, { seed: this.source.seed, deletions: this.deletions });
  }
}

function readOrigin(value: unknown): IdOrigin | undefined {
  if (!isJsonObject(value)) return undefined;
  const { seed, deletions } = value;
  return typeof seed === "number" && typeof deletions === "number" ? { seed, deletions } : undefined;
}
