import type { Host } from "./host.js";

const SHA = /^[0-9a-f]{40}$/;

/** The revision checked out in the current folder, read from git's own files; null outside a checkout. */
export function gitSha(host: Host): string | null {
  try {
    const head = host.files.readFile(".git/HEAD").trim();
    if (SHA.test(head)) return head;
    const reference = head.replace(/^ref: /, "");
    const loose =
      host.files.kind(`.git/${reference}`) === "file"
        ? host.files.readFile(`.git/${reference}`).trim()
        : packed(host, reference);
    return SHA.test(loose) ? loose : null;
  } catch {
    return null;
  }
}

function packed(host: Host, reference: string): string {
  const line = host.files
    .readFile(".git/packed-refs")
    .split("\n")
    .find((candidate) => candidate.endsWith(` ${reference}`));
  return line?.slice(0, 40) ?? "";
}
