import { describe, expect, it } from "vitest";
import { playRequests } from "./play-requests.js";

describe("fuzzed requests to the APIs", () => {
  // `npm run fuzz -- --requests 1e5` for the long run.
  it("never meet a bug, and always get an answer that AWS clients understand", async () => {
    const { complaint, requests } = await playRequests(1, 5_000);
    expect(complaint).toBeUndefined();
    expect(requests).toBe(5_000);
  });
});
