import fc from "fast-check";
import { LANE, silentSink, VirtualTime } from "fleetrig/kernel";
import { RecordBook, ShadowService } from "fleetrig/broker";
import { describe, expect, it } from "vitest";
import { PaperJournal } from "../records/paper-journal.js";

const NAMES = [undefined, "s1", "$s:2"];
const bus = { publish: () => undefined, sendDirect: () => false };

function serviceOn(time: VirtualTime, journal: PaperJournal | undefined, book = new RecordBook(journal)) {
  return {
    book,
    shadows: new ShadowService({ clock: time.lane(LANE.services), bus, events: silentSink, records: book }),
  };
}

const stateArbitrary = fc.dictionary(
  fc.constantFrom("a", "b", "__proto__", "1"),
  fc.oneof(
    fc.integer(),
    fc.constant(null),
    fc.array(fc.integer(), { maxLength: 2 }),
    fc.constant({ c: 1 }),
    fc.constant({ c: null }),
  ),
  { maxKeys: 3 },
);
const stepArbitrary = fc.record({
  key: fc.record({ thing: fc.constantFrom("t1", "t2"), shadowName: fc.constantFrom(...NAMES) }),
  operation: fc.constantFrom("update", "update", "update", "delete"),
  state: fc.record({ desired: stateArbitrary, reported: stateArbitrary }, { requiredKeys: [] }),
  waitS: fc.constantFrom(0, 1, 3600, 40 * 3600),
});

describe("stored shadows", () => {
  it("are the same after a restart: documents, metadata, versions, and what deleted ones ended with", () => {
    fc.assert(
      fc.property(fc.array(stepArbitrary, { maxLength: 20 }), (steps) => {
        const time = new VirtualTime();
        const journal = new PaperJournal();
        const { shadows } = serviceOn(time, journal);
        for (const { key, operation, state, waitS } of steps) {
          if (operation === "update") shadows.update({ ...key, payload: { state } });
          else shadows.delete(key);
          journal.commit();
          time.advance(waitS * 1_000_000);
        }
        const { book, shadows: restored } = serviceOn(time, undefined);
        journal.restoreInto(book);
        for (const thing of ["t1", "t2"]) {
          expect(restored.listNamed({ thing })).toEqual(shadows.listNamed({ thing }));
          for (const shadowName of NAMES) {
            const key = { thing, shadowName };
            expect(textOf(restored, key)).toBe(textOf(shadows, key));
            const payload = { state: { desired: { again: 1 } } };
            expect(versionAfter(restored, { ...key, payload })).toBe(
              versionAfter(shadows, { ...key, payload }),
            );
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  it("with a record that makes no sense are refused, not served", () => {
    const { book } = serviceOn(new VirtualTime(), undefined);
    expect(book.restore("shadows", "t1", 7)).toBe("the shadow cannot be understood");
  });
});

type Key = Parameters<ShadowService["get"]>[0];

function textOf(shadows: ShadowService, key: Key): string {
  const result = shadows.get(key);
  return JSON.stringify(result.ok ? result.body() : result.error);
}

function versionAfter(
  shadows: ShadowService,
  request: Parameters<ShadowService["update"]>[0],
): number | undefined {
  const result = shadows.update(request);
  return result.ok ? result.version : undefined;
}
