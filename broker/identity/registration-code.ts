import type { Random } from "fleetrig/kernel";
import { cloudError } from "../cloud-error.js";
import type { RecordBook, RecordTable } from "../records/index.js";

const WORDS = 8;
/** There is one, under one key. */
const KEY = "code";

/** AWS: the account's registration code, 64 hexadecimal digits. Made when it is first asked for. */
export class RegistrationCode {
  private readonly table: RecordTable<string>;

  constructor(
    records: RecordBook,
    private readonly random: Random,
  ) {
    this.table = records.table<string>("registration-code", {
      write: (code) => code,
      read: (value) => (typeof value === "string" ? value : undefined),
    });
  }

  get(): string {
    const known = this.table.get(KEY);
    if (known !== undefined) return known;
    const words = Array.from({ length: WORDS }, () => this.random.uint32().toString(16).padStart(8, "0"));
    const code = words.join("");
    this.table.set(KEY, code);
    return code;
  }

  is(text: string): boolean {
    return text.toLowerCase() === this.table.get(KEY);
  }

  /** The next `get` makes another. @throws FleetrigError CLOUD_NOT_FOUND */
  delete(): void {
    if (!this.table.delete(KEY))
      throw cloudError("ResourceNotFoundException", "There is no registration code.");
  }
}
