import { describe, expect, it } from "vitest";
import { containerSizes } from "./containers.js";

describe("the containers of an object", () => {
  it("are found wherever they are, each once, except for those that are ignored", () => {
    class Part {
      private readonly list = [1, 2];
      readonly again = this.list;
    }
    const inner = new Map([["a", new Set([{ deep: [new Part()] }])]]);
    const sizes = containerSizes(
      { inner, left: { out: [1] }, bytes: new Uint8Array(4) },
      new Set(["left.out"]),
    );
    expect(Object.fromEntries(sizes)).toEqual({
      inner: 1,
      "inner.a": 1,
      "inner.a.*.deep": 1,
      "inner.a.*.deep.0.list": 2,
    });
  });
});
